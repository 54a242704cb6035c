"""Whatever a program sends as a text is a text when the endpoint sees it, or is refused by its name."""

from inspect import signature

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.teacher.arguments import check_texts
from analytics.words.user_errors import UserError

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def endpoint(child: str, minutes: float, class_name: str = "all", request: object = None) -> None:
    """Something that programs call."""


PARAMETERS = signature(endpoint)


@given(JSON, JSON, JSON)
def test_texts_are_texts_or_refused_by_name(child: object, minutes: object, class_name: object) -> None:
    wrong = [
        name
        for name, value in (("child", child), ("class_name", class_name))
        if not isinstance(value, str) and value is not None
    ]
    if wrong:
        with pytest.raises(UserError) as caught:
            check_texts(PARAMETERS, (child, minutes), {"class_name": class_name})
        assert caught.value.values["field"] == wrong[0]
        return
    positional, named = check_texts(PARAMETERS, (child, minutes), {"class_name": class_name})
    bound = PARAMETERS.bind(*positional, **named).arguments
    assert bound["child"] == ("" if child is None else child)
    assert bound["class_name"] == ("all" if class_name is None else class_name)
    assert bound["minutes"] == minutes or minutes != minutes, "other types are not its business"


def test_a_call_that_does_not_fit_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        check_texts(PARAMETERS, (), {})
