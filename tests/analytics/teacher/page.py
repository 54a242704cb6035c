"""The teacher page over a store of its own, with its handlers and named endpoints to be called by name."""

from types import SimpleNamespace
from typing import Any

import gradio as gr

from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from analytics.teacher.page import build_teacher
from tests.analytics.teacher.page_handlers import handlers


class Page:
    """`run` calls a handler (see `handlers`), `call` a named endpoint. ``language``: the reader's."""

    def __init__(self, store: LessonStore) -> None:
        self.store = store
        self.recorder = LessonRecorder(store, b"s" * 32)
        self.language = "en"
        self.blocks = build_teacher(store, self.recorder, lambda _request: self.language)
        self.run = handlers(self.blocks)

    def call(self, name: str, *arguments: Any) -> Any:
        found = next(block.fn for block in self.blocks.fns.values() if block.api_name == name)
        assert found is not None
        return found(*arguments, request=gr.Request(SimpleNamespace(headers={})))  # type: ignore[arg-type]
