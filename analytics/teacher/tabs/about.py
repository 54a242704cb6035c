"""The tab "About the model": what it is, how often it is right, and how often this school's teachers agreed with it."""

import json
from collections import defaultdict
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from analytics.insight.timeline import animals_of_class
from analytics.store.lesson_store import LessonStore
from analytics.teacher.context import TeacherContext
from analytics.teacher.layout import PageLayout, with_user_errors
from analytics.words.sentences import animal_name
from analytics.words.texts import decimal, expression_name, say
from emotion.labels import KEYS

# How the checkpoint's own sentence about its training data, which is English and may change, begins -> the words here.
TRAINING_DATA = {"FER+": "about_data_ferplus", "a folder": "about_data_own"}


def read_json(path: Path | None) -> dict[str, Any] | None:
    """The object in a JSON file; None where there is no such file. ValueError where it cannot be read as an object."""
    if path is None or not path.is_file():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
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


def about_html(context: TeacherContext, language: str) -> str:
    """The whole tab."""
    configuration = read_json(context.checkpoint / "config.json" if context.checkpoint else None)
    evaluation = read_json(context.checkpoint / "evaluation.json" if context.checkpoint else None)
    if configuration is None:
        return f'<div class="teacher"><p class="note">{escape(say(language, "about_empty"))}</p></div>'
    parts = [
        _section(
            language, "about_what", say(language, "about_text", architecture=configuration.get("architecture", "?"))
        ),
        _facts(configuration, evaluation, language),
    ]
    if evaluation is None:
        parts.append(_section(language, "about_scores", say(language, "about_no_evaluation")))
    else:
        parts.append(_scores(evaluation, language))
    parts.append(_agreement(context.store, language))
    parts.append(_section(language, "about_limits", say(language, "about_limits_text")))
    return f'<div class="teacher">{"".join(parts)}</div>'


def _section(language: str, key: str, text: str) -> str:
    return f"<h3>{escape(say(language, key))}</h3><p>{escape(text)}</p>"


def _facts(configuration: dict[str, Any], evaluation: dict[str, Any] | None, language: str) -> str:
    seen = say(
        language, "about_seen", size=configuration.get("input_size", "?"), crop=configuration.get("crop_size", "?")
    )
    said = str(configuration.get("training_data", ""))
    data = next((key for start, key in TRAINING_DATA.items() if said.startswith(start)), "about_data_other")
    rows = [("about_training", say(language, data)), ("about_input", seen)]
    version = configuration.get("version") or (evaluation or {}).get("model")
    if version:
        rows.insert(0, ("about_version", str(version)))
    body = "".join(
        f'<tr><th scope="row">{escape(say(language, key))}</th><td>{escape(value)}</td></tr>' for key, value in rows
    )
    return f"<table>{body}</table>"


def _scores(evaluation: dict[str, Any], language: str) -> str:
    figures = evaluation["plurality"]["all"]
    accuracy = figures["accuracy"]
    words = say(
        language,
        "about_accuracy",
        **{
            name: decimal(language, f"{100 * accuracy[figure]:.1f}")
            for name, figure in (("percent", "value"), ("low", "low"), ("high", "high"))
        },
        faces=figures["faces"],
    )
    heads = "".join(
        f'<th scope="col" class="number">{escape(say(language, key))}</th>'
        for key in ("about_recall", "about_precision", "about_support")
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(expression_name(language, key))}</th><td '
        f'class="number">{_percent(row["recall"])}</td>'
        f'<td class="number">{_percent(row["precision"])}</td><td class="number">{row["support"]}</td></tr>'
        for key, row in figures["classes"].items()
    )
    first = escape(say(language, "about_class"))
    table = f'<table><thead><tr><th scope="col">{first}</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    confusion = _confusion(np.array(figures["confusion"], dtype=np.float64), language)
    return _section(language, "about_scores", words) + table + confusion


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _confusion(counts: np.ndarray, language: str) -> str:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [escape(expression_name(language, key)) for key in KEYS]
    heads = "".join(f'<th scope="col" class="number">{name}</th>' for name in names)
    rows = ""
    for name, row in zip(names, shares, strict=True):
        cells = "".join(
            f'<td class="number" style="background:rgba(0,114,178,{0.55 * value:.2f})">{round(100 * value)}</td>'
            for value in row
        )
        rows += f'<tr><th scope="row">{name}</th>{cells}</tr>'
    return (
        f"<h3>{escape(say(language, 'about_confusion'))}</h3><p>{escape(say(language, 'about_confusion_help'))}</p>"
        f'<div class="scroll"><table><thead><tr><th></th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _agreement(store: LessonStore, language: str) -> str:
    found = agreement(store)
    title = f"<h3>{escape(say(language, 'about_agreement'))}</h3>"
    if not found:
        return f'{title}<p class="note">{escape(say(language, "about_agreement_none"))}</p>'
    lines = ""
    for animal, model, agreed, total in found:
        words = say(language, "about_agreement_row", agreed=agreed, total=total, percent=round(100 * agreed / total))
        lines += f"<li><b>{escape(animal_name(language, animal))}</b>, {escape(model)}: {escape(words)}</li>"
    return f"{title}<ul>{lines}</ul>"


def add_about(context: TeacherContext, layout: PageLayout) -> None:
    """Puts the tab's component in place and wires it."""
    with layout.tab("about"):
        page = gr.HTML(padding=False)

    @with_user_errors(context)
    def refresh(_lesson_id: str, request: gr.Request) -> str:
        return about_html(context, context.language_of(request))

    layout.show("about", refresh, [layout.lesson], [page])
