"""Checks what callers hand to the functions of a page: only uploaded files, and arguments that fit."""

import logging
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder, is_in_or_equal
from gradio_client.utils import is_file_obj, traverse

from emotion.serving.texts import TEXTS

logger = logging.getLogger(__name__)


def guard_inputs(page: gr.Blocks) -> None:
    """Let the functions of ``page``, which is mounted, take no file but one that was uploaded or that it has shown, and
    say in a sentence what is wrong with a call.

    Gradio looks at the path that a caller names only if the page was started with ``launch``: mounted in another app it
    reads, copies and serves any file of the server, and fetches any address, for whoever asks. And it writes the
    arguments of a call that does not fit into the log, codes of children among them.
    """
    preprocess = page.preprocess_data

    async def guarded(block_fn: Any, inputs: list[Any], *more: Any, **options: Any) -> list[Any]:
        try:
            traverse(inputs, lambda file: _require_known(page, file), is_file_obj)
            return await preprocess(block_fn, inputs, *more, **options)
        except gr.Error as error:
            error.print_exception = False
            raise
        except Exception as error:  # noqa: BLE001  its text may hold any of the arguments
            logger.warning("A call of %s could not be read: %s", block_fn.api_name, type(error).__name__)
            raise _mistake("error_bad_call") from None

    page.preprocess_data = guarded  # type: ignore[method-assign]


def _require_known(page: gr.Blocks, file: dict[str, Any]) -> dict[str, Any]:
    """Raise for a file outside of Gradio's folder, where all that was uploaded or shown lies under names of hashes."""
    path = file["path"]
    inside = is_in_or_equal(path, get_upload_folder())
    if not inside or any(is_in_or_equal(path, closed) for closed in page.blocked_paths):
        raise _mistake("image_not_found")
    return file


def _mistake(key: str) -> gr.Error:
    """Who calls is not known here, so it is said in every language."""
    return gr.Error(" / ".join(texts[key] for texts in TEXTS.values()), print_exception=False)
