"""Gradio's Image as an input that hands over the uploaded file itself, so that our own reader judges it."""

from typing import Any

import gradio as gr
from gradio.data_classes import ImageData


def photo_input(**options: Any) -> gr.Image:
    """An Image component whose handlers get the path of the uploaded file, unopened, or None.

    Gradio's own preprocessing would open the file first: its message for a file that is not a picture names a path of
    the server, it decodes any format that Pillow knows, and it writes a second copy in another format. A subclass would
    be the usual way, but Gradio writes an interface file beside the module of every component class.
    """
    photo = gr.Image(type="filepath", **options)
    photo.preprocess = _path  # type: ignore[method-assign]
    return photo


def _path(payload: ImageData | None) -> str | None:
    return payload.path if payload is not None else None
