"""The part of the tab "Child" about the child's own face, and that of the tab "Class" which makes the link to it."""

from typing import Any

import gradio as gr

from analytics.teacher.calibrations import (
    burst_text,
    calibration_html,
    calibrator_of,
    class_calibration_html,
    fit,
    fit_class,
    link_html,
    make_code,
    set_calibration_consent,
)
from analytics.teacher.calibrations import forget as delete_taught
from analytics.teacher.context import TeacherContext, UserError
from analytics.teacher.layout import PageLayout, with_user_errors
from analytics.words.sentences import animal_name, class_title
from analytics.words.texts import say


def add_own_face(context: TeacherContext, layout: PageLayout) -> None:
    """Puts the accordion into the tab "Child" and wires it."""
    word = layout.word
    with gr.Accordion(word("calibration_title"), open=False, elem_classes=["no-print"]) as panel:
        gr.Markdown(word("calibration_help"))
        state = gr.HTML()
        counted = gr.CheckboxGroup(
            label=word("calibration_bursts"), info=word("calibration_bursts_help"), choices=[], visible=False
        )
        with gr.Row(elem_classes=["row-end"]):
            again = gr.Button(word("calibration_fit"), size="sm", min_width=140)
            use = gr.Button(word("calibration_use"), size="sm", min_width=140, visible=False)
            pause = gr.Button(word("calibration_pause"), size="sm", min_width=140, visible=False)
            remove = gr.Button(word("calibration_forget"), variant="stop", size="sm", min_width=140, visible=False)
            remove_sure = layout.ask_first(remove, "calibration_forget_sure")

    outputs = [state, counted, again, use, pause, remove]

    def shown(lesson_id: str, child: str | None, zone: str, language: str) -> tuple[Any, ...]:
        lesson = context.lesson(lesson_id)
        chosen = context.chosen_child(lesson, child)
        if chosen is None:
            return "", gr.CheckboxGroup(visible=False), *(gr.Button(visible=False) for _ in range(4))
        known = context.child(lesson.id, chosen)
        calibrator = calibrator_of(context)
        bursts, found = calibrator.bursts(chosen), calibrator.calibration(chosen)
        return (
            calibration_html(context, known, language, zone),
            gr.CheckboxGroup(
                choices=[(burst_text(burst, language), str(burst.burst)) for burst in bursts],
                value=[str(burst.burst) for burst in bursts if not burst.left_out],
                visible=bool(bursts),
            ),
            gr.Button(visible=bool(bursts)),
            gr.Button(visible=found is not None and found.adopted and not found.in_use),
            gr.Button(visible=found is not None and found.adopted and found.in_use),
            gr.Button(visible=bool(bursts) or found is not None),
        )

    @with_user_errors(context)
    def refresh(lesson_id: str, child: str | None, zone: str, request: gr.Request) -> tuple[Any, ...]:
        return shown(lesson_id, child, zone, context.language_of(request))

    @with_user_errors(context)
    def fit_anew(
        lesson_id: str, child: str | None, zone: str, counting: list[str] | None, request: gr.Request
    ) -> tuple[Any, ...]:
        language = context.language_of(request)
        known = context.child(context.lesson(lesson_id).id, child)
        counted = {int(burst) for burst in counting or () if str(burst).isdigit()}
        outcome = fit(context, known, counted)
        key = "calibration_fitted" if outcome.reason is None else "calibration_not_fitted"
        gr.Info(say(language, key, animal=animal_name(language, known.animal)))
        return shown(lesson_id, child, zone, language)

    def switch(in_use: bool) -> Any:
        @with_user_errors(context)
        def switched(lesson_id: str, child: str | None, zone: str, request: gr.Request) -> tuple[Any, ...]:
            known = context.child(context.lesson(lesson_id).id, child)
            calibrator = calibrator_of(context)
            if calibrator.calibration(known.pseudonym) is None:
                raise UserError("error_calibration_none")
            calibrator.use(known.pseudonym, in_use)
            return shown(lesson_id, child, zone, context.language_of(request))

        return switched

    @with_user_errors(context)
    def forget(lesson_id: str, child: str | None, zone: str, request: gr.Request) -> tuple[Any, ...]:
        language = context.language_of(request)
        known = context.child(context.lesson(lesson_id).id, child)
        calibrator = calibrator_of(context)
        had_class_setting = calibrator.class_calibration(known.class_name) is not None
        frames = delete_taught(context, known)
        gr.Info(say(language, "calibration_forgotten", frames=frames, animal=animal_name(language, known.animal)))
        if had_class_setting:
            gr.Warning(say(language, "calibration_forgotten_too"), duration=20)
        return shown(lesson_id, child, zone, language)

    inputs = [layout.lesson, layout.child, layout.zone]
    layout.private(panel.expand, refresh, inputs, outputs)
    layout.show("child", refresh, inputs, outputs)
    layout.while_open("child", layout.child.change, refresh, inputs, outputs)
    layout.private(again.click, fit_anew, [*inputs, counted], outputs)
    layout.private(use.click, switch(True), inputs, outputs)
    layout.private(pause.click, switch(False), inputs, outputs)
    layout.private(remove_sure.click, forget, inputs, outputs, once=True)


def add_link(context: TeacherContext, layout: PageLayout, chosen: gr.Dropdown, roster_class: gr.Dropdown) -> None:
    """Puts consent and link of the game for the ``chosen`` child (pseudonym), and the layer of the class, into the tab
    "Class". ``roster_class``: as chosen or typed; empty for that of the lesson."""
    word = layout.word
    with gr.Accordion(word("calibration_title"), open=False):
        gr.Markdown(word("calibration_help"))
        with gr.Row(elem_classes=["row-end"]):
            agree = gr.Button(word("calibration_consent_give"), size="sm", min_width=140)
            revoke = gr.Button(word("calibration_consent_withdraw"), variant="stop", size="sm", min_width=140)
            revoke_sure = layout.ask_first(revoke, "calibration_withdraw_sure")
            make = gr.Button(word("calibration_link"), variant="primary", size="sm", min_width=140)
        link = gr.HTML()
        gr.Markdown(word("class_calibration_help"))
        of_class = gr.HTML()
        with gr.Row(elem_classes=["row-end"]):
            fit_all = gr.Button(word("class_calibration_fit"), size="sm", min_width=140)
            forget_all = gr.Button(word("class_calibration_forget"), variant="stop", size="sm", min_width=140)

    def class_name_of(lesson_id: str, typed: str | None) -> str:
        return (typed or "").strip() or context.lesson(lesson_id).class_name

    @with_user_errors(context)
    def show_class(lesson_id: str, typed_class: str | None, zone: str, request: gr.Request) -> str:
        name = class_name_of(lesson_id, typed_class)
        return class_calibration_html(context, name, context.language_of(request), zone)

    @with_user_errors(context)
    def fit_to_class(lesson_id: str, typed_class: str | None, zone: str, request: gr.Request) -> str:
        name = class_name_of(lesson_id, typed_class)
        fit_class(context, name)
        return class_calibration_html(context, name, context.language_of(request), zone)

    @with_user_errors(context)
    def forget_class(lesson_id: str, typed_class: str | None, zone: str, request: gr.Request) -> str:
        name, language = class_name_of(lesson_id, typed_class), context.language_of(request)
        calibrator_of(context).forget_class(name)
        gr.Info(say(language, "class_calibration_forgotten", class_name=class_title(language, name)))
        return class_calibration_html(context, name, context.language_of(request), zone)

    def change_consent(given: bool) -> Any:
        @with_user_errors(context)
        def change(child: str | None, request: gr.Request) -> str:
            language = context.language_of(request)
            known = set_calibration_consent(context, context.child("", child), given, "teacher")
            key = "calibration_consent_given" if given else "calibration_consent_withdrawn"
            gr.Info(say(language, key, animal=animal_name(language, known.animal)))
            return ""

        return change

    @with_user_errors(context)
    def show_link(child: str | None, zone: str, place: str, request: gr.Request) -> str:
        known = context.child("", child)
        language = context.language_of(request)
        return link_html(context, known, make_code(context, known), str(place or ""), language, zone)

    layout.private(agree.click, change_consent(True), [chosen], [link])
    layout.private(revoke_sure.click, change_consent(False), [chosen], [link], once=True)
    layout.private(make.click, show_link, [chosen, layout.zone, layout.place], [link])
    layout.private(chosen.change, lambda: "", [], [link])
    class_inputs = [layout.lesson, roster_class, layout.zone]
    layout.show("class", show_class, class_inputs, [of_class])
    layout.private(roster_class.change, show_class, class_inputs, [of_class])
    layout.private(fit_all.click, fit_to_class, class_inputs, [of_class])
    layout.private(forget_all.click, forget_class, class_inputs, [of_class])
