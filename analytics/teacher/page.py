"""The teacher page: the chosen lesson with its status line, seven tabs, and the named endpoints."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from analytics.access.accounts import Accounts
from analytics.access.tokens import LiveTokens
from analytics.classroom.calibrator import Calibrator
from analytics.classroom.consent import consent_form_version
from analytics.classroom.recorder import LessonRecorder
from analytics.signals.announcements import SignalJournals
from analytics.simulation.demonstration import speed_of
from analytics.simulation.sample import SAMPLE_ID, ensure_sample_lesson
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Lesson, closing_time
from analytics.teacher.class_view import ClassView
from analytics.teacher.context import TeacherContext
from analytics.teacher.downloads import COPY_SECONDS
from analytics.teacher.endpoints import add_teacher_api
from analytics.teacher.layout import SLOW_TICK, TICK, PageLayout, with_user_errors
from analytics.teacher.projector import add_projector
from analytics.teacher.static_files import CSS
from analytics.teacher.station_links import ADDRESS_CHARACTERS
from analytics.teacher.tabs.about import add_about
from analytics.teacher.tabs.child import add_child
from analytics.teacher.tabs.classes import add_class
from analytics.teacher.tabs.lesson import add_lesson
from analytics.teacher.tabs.now import add_now
from analytics.teacher.tabs.report import add_report
from analytics.teacher.tabs.trends import add_trends
from analytics.teacher.visitors import refuse_writing
from analytics.words.sentences import time_zone
from analytics.words.templates import render
from analytics.words.texts import TEXTS, say

PREFIX = "teacher_"  # keeps our keys apart from Gradio's own in the browser's dictionary
ARRIVAL_SCRIPT = "() => [Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC', location.href.split(/[?#]/)[0]]"
HEADINGS = ("start", "roster", "enrolled", "lessons", "export", "report")


def translations() -> dict[str, dict[str, str]]:
    """The texts of the page by language for `gr.I18n`, headings as Markdown."""
    dictionary: dict[str, dict[str, str]] = {}
    for language, texts in TEXTS.items():
        headings = {
            f"{part}_heading": f"### {texts[f'{part}_title']}\n\n{texts.get(f'{part}_help', '')}" for part in HEADINGS
        }
        headings["page_heading"] = f"# {texts['page_title']}"
        dictionary[language] = {PREFIX + key: text for key, text in (texts | headings).items()}
    return dictionary


def css() -> str:
    """The style sheet of the page, for whoever mounts it."""
    return CSS


def status_html(
    lesson: Lesson, language: str, now: datetime, is_visitor: bool = False, accounts: bool = False
) -> Markup:
    """The lesson code in large type and the time left at ``now``, or until a lesson over its time closes itself; or
    that the lesson has ended, or is a synthetic sample. A visitor is told what that means, and where ``accounts`` are,
    where to log in."""
    left = (lesson.planned_end - now).total_seconds()
    until_closed = max(0.0, (closing_time(lesson) - now).total_seconds())
    return render(
        "teacher/status.html", language, lesson=lesson, left=left, until_closed=until_closed, speed=speed_of(lesson.id),
        visitor=is_visitor, may_log_in=accounts,
    )  # fmt: skip


def lesson_buttons(running: bool, asking: bool) -> tuple[gr.Button, ...]:
    """The buttons that show a lesson's code and end it, and the two that stand there instead while it asks whether
    that was meant."""
    usual, asked = running and not asking, running and asking
    return tuple(gr.Button(visible=visible) for visible in (usual, usual, asked, asked))


def make_context(
    store: LessonStore,
    recorder: LessonRecorder,
    language_of: Callable[[Any], str],
    checkpoint: Path | None = None,
    accounts: Accounts | None = None,
    lessons_open: int = 10,
    hides_small_groups: bool = False,
    calibrator: Calibrator | None = None,
    journals: SignalJournals | None = None,
    tokens: LiveTokens | None = None,
    visitors: bool = False,
) -> TeacherContext:
    """What the page, its endpoints and the plain routes stand on.

    ``checkpoint``: folder of the loaded model (config.json, evaluation.json) for "About the model". ``accounts``: who
    sees which classes; everything reads and writes through that view. ``calibrator``: None where nothing can be fitted
    to a child's face. ``journals``: of the signals of all lessons, shared with other routes. ``tokens``: of servers.
    ``visitors``: whether those without an account are let in, to look at what was made up.
    """
    ensure_sample_lesson(store)
    own = ClassView(store, accounts or Accounts({}), lessons_open, tokens=tokens, visitors=visitors)
    return TeacherContext(
        own,
        recorder.with_store(own),
        language_of,
        consent_form_version(),
        checkpoint,
        hides_small_groups,
        calibrator.with_store(own) if calibrator else None,
        journals or SignalJournals(store),
    )


def build_teacher(
    store: LessonStore, recorder: LessonRecorder, language_of: Callable[[Any], str], *more: Any, **named: Any
) -> gr.Blocks:
    """The page alone, over a context as `make_context` makes it."""
    return build_page(make_context(store, recorder, language_of, *more, **named))


def build_page(context: TeacherContext) -> gr.Blocks:
    """The page with its named endpoints. Mount it with ``css=css()`` and ``i18n=gr.I18n(**translations())``."""
    dictionary, own = gr.I18n(**translations()), context.store
    assert isinstance(own, ClassView), "a page shows what its reader may see"

    def word(key: str) -> Any:
        return dictionary(PREFIX + key)

    with gr.Blocks(
        title=say("en", "page_title"), analytics_enabled=False, delete_cache=(COPY_SECONDS // 4, COPY_SECONDS)
    ) as page:
        zone, place, moment, open_tab = gr.State("UTC"), gr.State(""), gr.State(""), gr.State("now")
        zone_probe, place_probe = gr.Textbox(visible="hidden"), gr.Textbox(visible="hidden")
        timer, slow_timer = gr.Timer(TICK, active=False), gr.Timer(SLOW_TICK, active=False)
        gr.Markdown(word("page_heading"), elem_classes=["no-print", "for-ears"])
        with gr.Row(elem_classes=["no-print", "header"]):
            lesson = gr.Dropdown(
                label=word("lesson"), show_label=False, choices=[], min_width=340, scale=3, elem_id="lesson"
            )
            status = gr.HTML(padding=False, elem_id="status")
            project = gr.Button(word("projector"), visible=False, min_width=180, scale=0, elem_id="project")
            end = gr.Button(word("end"), variant="stop", visible=False, min_width=180, scale=0)
            sure = gr.Button(word("end_sure"), variant="stop", visible=False, min_width=190, scale=0)
            go_on = gr.Button(word("end_not"), visible=False, min_width=190, scale=0)
        child = gr.Dropdown(label=word("child"), choices=[], min_width=240, scale=3, render=False, elem_id="child")
        with gr.Tabs(selected="now") as tabs:
            layout = PageLayout(word, tabs, lesson, child, zone, place, moment, open_tab, timer, slow_timer)
            draw_board, board = add_now(context, layout)
            add_child(context, layout)
            add_lesson(context, layout)
            add_trends(context, layout)
            add_report(context, layout)
            add_class(context, layout)
            add_about(context, layout)
        gr.Markdown(word("page_lead"), elem_classes=["no-print", "lead"])
        add_projector(context, layout, project)
        layout.wire_openers()
        add_teacher_api(context)

        def status_of(found: Lesson, language: str) -> Markup:
            return status_html(found, language, context.now(found), own.reader.is_visitor, own.has_accounts)

        @with_user_errors(context)
        def choose(lesson_id: str, chosen_child: str | None, request: gr.Request) -> tuple[Any, ...]:
            language = context.language_of(request)
            found = context.lesson(lesson_id)
            children = context.child_choices(found, language)
            running = found.ended_at is None
            is_played = speed_of(found.id) is not None
            default = context.chosen_child(found, chosen_child)
            return (
                status_of(found, language),
                *lesson_buttons(running and not is_played, asking=False),
                gr.Dropdown(choices=children, value=default),
                gr.Timer(active=running or is_played),
                gr.Timer(active=running or is_played),
            )

        def settle(zone_name: str, address: str) -> tuple[str, str]:
            name = zone_name if time_zone(zone_name or "") is not UTC else "UTC"
            return name, str(address or "")[:ADDRESS_CHARACTERS]

        @with_user_errors(context)
        def arrive(zone_name: str, address: str, request: gr.Request) -> tuple[Any, ...]:
            language = context.language_of(request)
            name, _ = settle(zone_name, address)
            choices = context.lesson_choices(language, name)
            running = [item.id for item in context.store.lessons() if item.ended_at is None]
            first = running[0] if running else SAMPLE_ID
            # Header and board come with the choice itself: on a busy machine each answer more takes a second.
            return (
                gr.Dropdown(choices=choices, value=first),
                *choose(first, None, request),
                *draw_board(first, name, "", request),
            )

        @with_user_errors(context)
        def tick(lesson_id: str, request: gr.Request) -> str:
            found = context.lesson(lesson_id)
            return status_of(found, context.language_of(request))

        @with_user_errors(context)
        def finish_lesson(
            lesson_id: str, chosen_child: str | None, zone_name: str, request: gr.Request
        ) -> tuple[Any, ...]:
            language = context.language_of(request)
            context.recorder.end_lesson(context.lesson(lesson_id).id)
            gr.Info(say(language, "lesson_ended_note"))
            labels = gr.Dropdown(choices=context.lesson_choices(language, zone_name))
            return labels, *choose(lesson_id, chosen_child, request)

        buttons = [project, end, sure, go_on]
        header = [status, *buttons, child, timer, slow_timer]
        # Where the page is and in which zone is known at once: who enrols before the board is drawn gets QR codes too.
        for work, answers in ((settle, [zone, place]), (arrive, [lesson, *header, *board])):
            page.load(
                work,
                [zone_probe, place_probe],
                answers,
                js=ARRIVAL_SCRIPT,
                show_progress="hidden",
                api_visibility="private",
            )
        layout.wire_views(layout.private(lesson.change, choose, [lesson, child], header))
        layout.private(lesson.input, lambda: "", [], [moment])
        layout.private(slow_timer.tick, tick, [lesson], [status])
        layout.private(end.click, lambda: lesson_buttons(True, asking=True), [], buttons)
        layout.private(go_on.click, lambda: lesson_buttons(True, asking=False), [], buttons)
        # The same lesson stays chosen, so nothing else would tell the open tab that it is over.
        layout.wire_views(
            layout.private(sure.click, finish_lesson, [lesson, child, zone], [lesson, *header], once=True)
        )
        for name, panel in layout.panels.items():
            layout.private(panel.select, lambda name=name: name, [], [open_tab])
    if own.visitors:
        refuse_writing(page, own, context.language_of)
    return page
