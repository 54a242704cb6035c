"""The teacher page over a store, with its handlers and named endpoints to be called by name."""

from types import SimpleNamespace
from typing import Any

import gradio as gr

from analytics.classroom.recorder import LessonRecorder
from analytics.store.lesson_store import LessonStore
from analytics.teacher.page import build_teacher


class Page:
    """The teacher page over a store of its own; `run` calls a handler, `call` a named endpoint."""

    def __init__(self, store: LessonStore) -> None:
        self.store = store
        self.recorder = LessonRecorder(store, b"s" * 32)
        self.language = "en"
        self.blocks = build_teacher(store, self.recorder, lambda _request: self.language)
        self.request = gr.Request(SimpleNamespace(headers={}))  # type: ignore[arg-type]

    def run(self, module: str, name: str, *arguments: Any) -> Any:
        for block in self.blocks.fns.values():
            found = block.fn
            if found is not None and (found.__module__, found.__name__) == (f"analytics.teacher.{module}", name):
                return found(*arguments, self.request)
        raise LookupError(name)

    def call(self, name: str, *arguments: Any) -> Any:
        found = next(block.fn for block in self.blocks.fns.values() if block.api_name == name)
        assert found is not None
        return found(*arguments, request=self.request)
