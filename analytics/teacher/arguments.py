"""A check of what programs send to the endpoints: JSON of any type may arrive where a text is expected."""

from inspect import Parameter, Signature
from typing import Any

from analytics.words.user_errors import UserError


def check_texts(
    signature: Signature, arguments: tuple[Any, ...], named: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call, where every parameter that ``signature`` calls a ``str`` is one.

    None stands for a text that was left out, and becomes the default, or "". `UserError` names an argument that is no
    text; TypeError where the call does not fit the signature.
    """
    bound = signature.bind(*arguments, **named)
    for name, value in bound.arguments.items():
        parameter = signature.parameters[name]
        if parameter.annotation is not str or isinstance(value, str):
            continue
        if value is not None:
            raise UserError("error_text", field=name)
        bound.arguments[name] = "" if parameter.default is Parameter.empty else parameter.default
    return bound.args, bound.kwargs
