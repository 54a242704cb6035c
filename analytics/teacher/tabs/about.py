"""The tab "About the model": what it is, its accuracy, and how often this school's teachers agreed with it."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from markupsafe import Markup

from analytics.insight.timeline import animals_of_class
from analytics.store.lesson_store import LessonStore
from analytics.teacher.context import TeacherContext
from analytics.teacher.layout import PageLayout, with_user_errors
from analytics.words.templates import render
from analytics.words.texts import say
from emotion.labels import KEYS

# How the checkpoint's own sentence about its training data, which is English and may change, begins -> the words here.
TRAINING_DATA = {"FER+": "about_data_ferplus", "a folder": "about_data_own"}


def read_json(path: Path | None) -> dict[str, Any] | None:
    """The object in a JSON file; None where there is no such file. ValueError where it cannot be read as an object."""
    if path is None or not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        found = None
    if isinstance(found, dict):
        return found
    raise ValueError(f"{path.name} holds no JSON object: write it anew with the evaluation")


def agreement(store: LessonStore) -> list[tuple[str, str, int, int]]:
    """(animal, model version, frames that agreed, frames) of every child and model that a teacher corrected with a
    label.

    A frame agrees when its most probable expression is the teacher's label. Frames without a face are not counted, nor
    are the synthetic lessons, in which no model saw anybody.
    """
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for lesson in store.lessons():
        if lesson.synthetic:
            continue
        names = animals_of_class(store, lesson)
        for item in store.corrections(lesson.id):
            if item.label not in KEYS:
                continue
            rows = store.observations(lesson.id, item.child, item.start, item.end)
            rows = rows[rows[KEYS[0]].notna()]
            answers = rows[list(KEYS)].to_numpy(dtype=np.float64).argmax(axis=1)
            for model in sorted(set(rows["model"])):
                of_model = answers[(rows["model"] == model).to_numpy()]
                count = counts[names.get(item.child, item.child[:6]), str(model)]
                count[0] += int((of_model == KEYS.index(item.label)).sum())
                count[1] += len(of_model)
    return sorted((animal, model, agreed, total) for (animal, model), (agreed, total) in counts.items() if total)


def about_html(context: TeacherContext, language: str) -> Markup:
    """The tab as HTML."""
    configuration = read_json(context.checkpoint / "config.json" if context.checkpoint else None)
    evaluation = read_json(context.checkpoint / "evaluation.json" if context.checkpoint else None) or {}
    if configuration is None:
        return render("teacher/note.html", language, kind="note", words=say(language, "about_empty"))
    said = str(configuration.get("training_data", ""))
    return render(
        "teacher/about.html",
        language,
        configuration=configuration,
        version=configuration.get("version") or evaluation.get("model"),
        training_data=next((key for start, key in TRAINING_DATA.items() if said.startswith(start)), "about_data_other"),
        figures=evaluation["plurality"]["all"] if evaluation else None,
        agreement=agreement(context.store),
    )


def add_about(context: TeacherContext, layout: PageLayout) -> None:
    """Puts the tab's component in place and wires it."""
    with layout.tab("about"):
        page = gr.HTML(padding=False)

    @with_user_errors(context)
    def refresh(_lesson_id: str, request: gr.Request) -> str:
        return about_html(context, context.language_of(request))

    layout.show("about", refresh, [layout.lesson], [page])
