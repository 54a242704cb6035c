"""The tab "Class and lessons": start and end a lesson, the list of lessons, enrolment, consent, erasure."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import gradio as gr
import pandas as pd
from markupsafe import Markup

from analytics.access.spelling import fold
from analytics.charts.tables import table_html
from analytics.classroom.animals import ANIMALS
from analytics.simulation.sample import is_sample_child
from analytics.store.records import Child, Lesson
from analytics.teacher.context import TeacherContext, UserError, check_name, check_number
from analytics.teacher.layout import PageLayout, with_user_errors
from analytics.teacher.static_files import CLICKS, DIALOGS
from analytics.teacher.station_links import is_web_address, leads_elsewhere, qr_code, station_address
from analytics.teacher.tabs.calibration import add_link
from analytics.words.sentences import (
    animal_name,
    child_code_text,
    class_title,
    date_text,
    date_time_text,
    erasing_text,
    lesson_title,
)
from analytics.words.templates import render
from analytics.words.texts import say

LONGEST_LESSON = 240  # minutes
LONGEST_CONSENT = 3650  # days
CODE_CHARACTERS = 40  # of a child's code, as the station's field has it
ROLES = ("parent", "guardian", "adult")


def lessons_table(context: TeacherContext, language: str, zone: str) -> pd.DataFrame:
    """All lessons: title, class, start, code, state."""
    lessons = context.store.lessons()
    states = []
    for lesson in lessons:
        state = say(language, "ended" if lesson.ended_at else "running")
        states.append(f"{state} · {say(language, 'synthetic')}" if lesson.synthetic else state)
    return pd.DataFrame(
        {
            say(language, "title"): [lesson_title(language, lesson) for lesson in lessons],
            say(language, "class_name"): [class_title(language, lesson.class_name) for lesson in lessons],
            say(language, "when"): [date_time_text(language, lesson.started_at, zone) for lesson in lessons],
            say(language, "code"): ["–" if lesson.synthetic else lesson.code for lesson in lessons],
            say(language, "state"): states,
        }
    )


def consent_text(child: Child, language: str, zone: str, now: datetime) -> str:
    """The state of a child's consent at ``now``: "until 2027-06-30", "withdrawn 2026-09-15", "none"."""
    consent = child.consent
    if consent is None:
        return say(language, "consent_sample" if is_sample_child(child) else "consent_none")
    if consent.withdrawn_at is not None:
        return say(language, "consent_withdrawn", date=date_text(language, consent.withdrawn_at, zone))
    expired = consent.expires_at <= now
    return say(
        language, "consent_expired" if expired else "consent_until", date=date_text(language, consent.expires_at, zone)
    )


def roster_table(context: TeacherContext, class_name: str, language: str, zone: str) -> pd.DataFrame:
    """The children of a class and their consent."""
    children, now = context.store.children(class_name), context.store.clock()
    return pd.DataFrame(
        {
            say(language, "child"): [animal_name(language, child.animal) for child in children],
            say(language, "consent"): [consent_text(child, language, zone, now) for child in children],
            say(language, "calibration_consent"): [
                say(language, "yes" if child.may_be_calibrated(now) else "no") for child in children
            ],
        }
    )


def codes_html(
    codes: Sequence[tuple[str, str]], class_name: str, language: str, place: str = "", lesson: Lesson | None = None
) -> Markup:
    """A printable list of new codes with an empty line for each child's name. ``codes``: (code, animal). ``lesson``:
    one that was started with them, which the QR codes on the screen open; on paper they are of the child alone.

    Each gets a QR code of the station's address, seen from the teacher's page at ``place``; none where that is no web
    address, which a camera could open.
    """
    title = say(language, "roster_list", class_name=class_name)
    addresses = [station_address(place, child=code) for code, _ in codes]
    pictures = [qr_code(address) if is_web_address(address) else None for address in addresses]
    rows = [
        (
            code,
            child_code_text(language, code),
            animal,
            picture,
            qr_code(station_address(place, lesson=lesson.code, child=code)) if picture and lesson else None,
        )
        for (code, animal), picture in zip(codes, pictures, strict=True)
    ]
    return render(
        "teacher/codes.html", language, title=title, rows=rows, with_pictures=all(pictures),
        leads_elsewhere=all(map(leads_elsewhere, addresses)), class_name=class_name, lesson=lesson,
    )  # fmt: skip


def erasing_html(context: TeacherContext, language: str) -> Markup:
    """A line for each child of the reader's classes whose erasing is not finished."""
    lines = [
        f"{class_title(language, plan.class_name)}: {erasing_text(language, plan.steps)}"
        for plan in context.store.unfinished_erasures()
    ]
    return Markup().join(render("teacher/note.html", language, kind="note", words=line) for line in lines)


def enrol_children(
    context: TeacherContext, class_name: str, count: int, role: str, days: float
) -> list[tuple[str, Child]]:
    """Puts consent on file for ``count`` new children; answers each with its code, which is known to nobody else.

    `UserError` where the class has fewer animals left, before any child is enrolled: a code that is not shown is lost.
    """
    free = len(ANIMALS) - len(context.store.children(class_name))
    if count > free:
        raise UserError("error_animals", count=count, free=free, limit=len(ANIMALS))
    return [context.recorder.enrol(class_name, role, context.consent_version, days) for _ in range(count)]


def class_chooser(word: Callable[[str], Any]) -> gr.Dropdown:
    """A list of the classes, into which the name of a new one can be typed."""
    return gr.Dropdown(
        label=word("class_name"),
        info=word("class_info"),
        choices=[],
        value=None,
        allow_custom_value=True,
        min_width=140,
    )


def add_class(context: TeacherContext, layout: PageLayout) -> None:
    """Puts the tab's components in place and wires them."""
    word = layout.word
    roles = [(word(f"role_{role}"), role) for role in ROLES]
    with layout.tab("class"):
        with gr.Row():
            with gr.Column(min_width=320):
                gr.Markdown(word("start_heading"))
                title = gr.Textbox(label=word("title"), placeholder=word("title_placeholder"), max_lines=1)
                with gr.Row():
                    class_name = class_chooser(word)
                    minutes = gr.Number(
                        label=word("minutes_label"), value=45, minimum=1, maximum=LONGEST_LESSON, min_width=140
                    )
                start = gr.Button(word("start"), variant="primary")
                empty_class = gr.HTML(padding=False)
                with gr.Row():
                    start_empty = gr.Button(word("start_empty"), min_width=140, visible=False)
                    start_not = gr.Button(word("start_not"), min_width=140, visible=False)
            with gr.Column(min_width=320):
                gr.Markdown(word("roster_heading"))
                with gr.Row():
                    roster_class = class_chooser(word)
                    count = gr.Number(
                        label=word("roster_count"), value=5, minimum=1, maximum=len(ANIMALS), precision=0, min_width=140
                    )
                with gr.Row():
                    role = gr.Dropdown(label=word("roster_role"), choices=roles, value="parent", min_width=140)
                    days = gr.Number(
                        label=word("roster_days"),
                        value=365,
                        minimum=1,
                        maximum=LONGEST_CONSENT,
                        precision=0,
                        min_width=140,
                    )
                confirmed = gr.Checkbox(label=word("roster_confirm"))
                enrol = gr.Button(word("roster_make"), variant="primary")
        codes = gr.HTML(js_on_load=CLICKS + DIALOGS, padding=False)
        gr.Markdown(word("enrolled_heading"))
        enrolled = gr.HTML()
        with gr.Row(elem_classes=["row-end"]):
            chosen = gr.Dropdown(label=word("child"), choices=[], min_width=180)
            renew = gr.Button(word("consent_renew"), min_width=140, size="sm")
            withdraw = gr.Button(word("consent_withdraw"), min_width=140, size="sm")
            tell = gr.Button(word("child_data"), min_width=140, size="sm")
        told = gr.File(label=word("export_file"), interactive=False, visible=False)
        with gr.Row(elem_classes=["row-end", "erasing"]):
            erase_word = gr.Textbox(label=word("erase_confirm"), max_lines=1, min_width=180)
            erase = gr.Button(word("erase"), variant="stop", min_width=140, size="sm")
        if context.calibrator is not None:
            add_link(context, layout, chosen, roster_class)
        gr.Markdown(word("lessons_heading"))
        lessons = gr.HTML()

    def roster(class_of_children: str | None, zone: str, language: str, child: str | None = None) -> tuple[Any, Any]:
        name = (class_of_children or "").strip()
        children = context.store.children(name)
        unfinished = erasing_html(context, language)
        if not children:
            empty = render("teacher/note.html", language, kind="note", words=say(language, "enrolled_none"))
            return unfinished + empty, gr.Dropdown(choices=[], value=None)
        choices = [(animal_name(language, child.animal), child.pseudonym) for child in children]
        table = table_html(roster_table(context, name, language, zone), language)
        return unfinished + table, gr.Dropdown(choices=choices, value=child)

    @with_user_errors(context)
    def refresh(lesson_id: str, typed_class: str | None, zone: str, request: gr.Request) -> tuple[Any, ...]:
        language = context.language_of(request)
        name = (typed_class or "").strip() or context.lesson(lesson_id).class_name
        # The choices alone: a value would take the place of what is being typed meanwhile.
        choosers = [gr.Dropdown(choices=context.store.class_names()) for _ in range(2)]
        return table_html(lessons_table(context, language, zone), language), *roster(name, zone, language), *choosers

    def asked(words: str) -> tuple[Any, ...]:
        """The buttons of a lesson that starts at once, or, with ``words``, only when that was meant."""
        return gr.Button(visible=not words), words, gr.Button(visible=bool(words)), gr.Button(visible=bool(words))

    def begin(without_children: bool) -> Any:
        @with_user_errors(context)
        def begin_lesson(name: str, class_typed: str, length: float, zone: str, request: gr.Request) -> tuple[Any, ...]:
            language = context.language_of(request)
            title = check_name("title", name or say(language, "untitled"), language)
            class_name = check_name("class_name", class_typed, language)
            minutes = check_number("minutes_label", length, 1, LONGEST_LESSON, language)
            if not without_children and not context.store.children(class_name):
                words = say(language, "class_without_children", class_name=class_name)
                note = render("teacher/note.html", language, kind="note caution", words=words)
                return gr.skip(), gr.skip(), gr.skip(), gr.skip(), *asked(note)
            lesson = context.recorder.start_lesson(title, class_name, minutes)
            gr.Info(say(language, "started", code=lesson.code))
            choices = gr.Dropdown(choices=context.lesson_choices(language, zone), value=lesson.id)
            return choices, "", gr.Tabs(selected="now"), "now", *asked("")

        return begin_lesson

    @with_user_errors(context)
    def enrol_class(
        class_typed: str,
        number: float,
        who: str,
        valid: float,
        sure: bool,
        zone: str,
        place: str,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        language = context.language_of(request)
        if not sure:
            raise UserError("error_confirm")
        name = check_name("class_name", class_typed, language)
        amount = int(check_number("roster_count", number, 1, len(ANIMALS), language))
        valid_days = check_number("roster_days", valid, 1, LONGEST_CONSENT, language)
        fresh = enrol_children(context, name, amount, who if who in ROLES else ROLES[0], valid_days)
        codes_shown = codes_html([(code, child.animal) for code, child in fresh], name, language, str(place or ""))
        return codes_shown, False, *roster(name, zone, language)

    @with_user_errors(context)
    def begin_with_codes(
        length: float, zone: str, place: str, event: gr.EventData, request: gr.Request
    ) -> tuple[Any, ...]:
        """A lesson for the children whose codes are shown: the browser has them still, the server never had."""
        language = context.language_of(request)
        class_name = check_name("class_name", str(event.class_name), language)
        typed = [str(code)[:CODE_CHARACTERS] for code in event.codes[: len(ANIMALS)]]
        known = [(code, context.child(class_name, code).animal) for code in typed]
        minutes = check_number("minutes_label", length, 1, LONGEST_LESSON, language)
        lesson = context.recorder.start_lesson(say(language, "untitled"), class_name, minutes)
        choices = gr.Dropdown(choices=context.lesson_choices(language, zone), value=lesson.id)
        shown = codes_html(known, class_name, language, str(place or ""), lesson)
        return shown, choices

    def change_consent(given: bool) -> Any:
        @with_user_errors(context)
        def change(child: str | None, zone: str, request: gr.Request) -> tuple[Any, Any]:
            language = context.language_of(request)
            known = context.child("", child)
            changed = context.recorder.set_consent(known.pseudonym, given, version=context.consent_version)
            state = consent_text(changed, language, zone, context.store.clock())
            name = animal_name(language, changed.animal)
            gr.Info(say(language, "consent_set", animal=name, state=state))
            if given:
                return roster(changed.class_name, zone, language, changed.pseudonym)
            gr.Warning(say(language, "erasure_offered", animal=name, word=say(language, "erase_word")), duration=30)
            return roster(changed.class_name, zone, language, changed.pseudonym)

        return change

    @with_user_errors(context)
    def tell_all(child: str | None, request: gr.Request) -> Any:
        file = context.export_child(context.child("", child), "teacher page", context.language_of(request))
        return gr.File(value=str(file), visible=True)

    @with_user_errors(context)
    def erase_chosen(child: str | None, typed: str, zone: str, request: gr.Request) -> tuple[Any, Any, str]:
        language = context.language_of(request)
        word_needed = say(language, "erase_word")
        if fold(typed or "") != fold(word_needed):
            raise UserError("error_erase", word=word_needed)
        known = context.child("", child)
        rows, steps = context.erase(known, "teacher page")
        gr.Info(say(language, "erased", rows=rows, animal=animal_name(language, known.animal)))
        if steps:
            gr.Warning(erasing_text(language, steps), duration=30)
        return *roster(known.class_name, zone, language), ""

    listing = [enrolled, chosen]
    shown = [lessons, *listing, roster_class, class_name]
    layout.show("class", refresh, [layout.lesson, roster_class, layout.zone], shown)
    asking = [start, empty_class, start_empty, start_not]
    for button, without_children in ((start, False), (start_empty, True)):
        layout.private(
            button.click,
            begin(without_children),
            [title, class_name, minutes, layout.zone],
            [layout.lesson, title, layout.tabs, layout.open_tab, *asking],
            once=True,
        )
    layout.private(start_not.click, lambda: asked(""), [], asking)
    layout.private(class_name.input, lambda: asked(""), [], asking)
    layout.private(
        enrol.click,
        enrol_class,
        [roster_class, count, role, days, confirmed, layout.zone, layout.place],
        [codes, confirmed, *listing],
        once=True,
    )
    layout.private(codes.left, lambda: "", [], [codes])
    layout.private(
        codes.start_lesson,
        begin_with_codes,
        [minutes, layout.zone, layout.place],
        [codes, layout.lesson],
        once=True,
    )
    layout.private(roster_class.change, refresh, [layout.lesson, roster_class, layout.zone], shown)
    layout.private(renew.click, change_consent(True), [chosen, layout.zone], listing)
    layout.private(withdraw.click, change_consent(False), [chosen, layout.zone], listing)
    layout.private(tell.click, tell_all, [chosen], [told])
    layout.private(chosen.change, lambda: gr.File(value=None, visible=False), [], [told])
    layout.private(erase.click, erase_chosen, [chosen, erase_word, layout.zone], [*listing, erase_word], once=True)
