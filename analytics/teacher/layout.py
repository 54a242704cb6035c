"""`PageLayout`: the components that the tabs share (lesson, child, zone, open tab), and when a tab is refreshed."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import gradio as gr

from analytics.teacher.context import TeacherContext, as_gradio_error

TICK = 2.0  # seconds: the class board while a lesson runs
SLOW_TICK = 10.0  # seconds: the charts while a lesson runs


def with_user_errors(context: TeacherContext) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Turns whatever a handler raises into a `gr.Error` in the caller's language: a mistake with its cause and remedy,
    the unexpected as one sentence. The handler takes ``request: gr.Request``."""

    def decorate(handler: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(handler)
        def guarded(*arguments: Any, **named: Any) -> Any:
            try:
                return handler(*arguments, **named)
            except Exception as error:
                request = next(
                    (value for value in (*arguments, *named.values()) if isinstance(value, gr.Request)), None
                )
                raise as_gradio_error(error, context.language_of(request)) from error

        return guarded

    return decorate


# What was chosen is hidden with its tab: the keyboard goes on from the tab that was opened.
FOCUS_TAB = """() => {
  if (document.activeElement === document.body || !document.activeElement?.checkVisibility())
    document.querySelector('[role="tab"][aria-selected="true"]')?.focus();
}"""
# Plotly's own toolbar speaks one language and covers the title, so the style sheet hides it. This is a picture for a
# letter or a slide: on white, in a dark ink, however the page looks, and in a font that a picture can have.
SAVE_CHART = """async () => {
  const chart = document.querySelector('#NAME .js-plotly-plot');
  if (!chart) return;
  const font = { ...chart.layout.font, family: 'sans-serif', color: '#222' };
  const layout = { ...chart.layout, paper_bgcolor: '#fff', font };
  const title = document.createElement('p');
  title.innerHTML = (chart.layout.title?.text || 'NAME').replaceAll('<br>', ' ');
  await Plotly.downloadImage({ data: chart.data, layout }, { format: 'png', scale: 2, width: 1100,
    height: chart.layout.height, filename: title.textContent.replace(/[\\\\/:*?"<>|]/g, '-') });
}"""


@dataclass
class PageLayout:
    """The components that every tab uses. ``word``: turns a key of `analytics.words.texts` into a label that Gradio
    translates in the browser."""

    word: Callable[[str], Any]
    tabs: gr.Tabs
    lesson: gr.Dropdown
    child: gr.Dropdown
    zone: gr.State
    place: gr.State  # the address of the page in the browser
    moment: gr.State  # the time that a chosen moment points to, ISO 8601, or ""
    open_tab: gr.State
    timer: gr.Timer
    slow_timer: gr.Timer
    panels: dict[str, gr.Tab] = field(default_factory=dict)
    openers: list[Any] = field(default_factory=list)
    views: list[tuple[str, Callable[..., Any], Sequence[Any], Sequence[Any]]] = field(default_factory=list)
    child_views: list[tuple[Callable[..., Any], list[Any], list[Any]]] = field(default_factory=list)
    # Each lies inside its tab: anything else among the tabs would count as one.
    names: dict[str, gr.State] = field(default_factory=dict)

    def chart(self, name: str) -> gr.Plot:
        """A chart without border and label, ``name`` its element id, with a button that saves it as a picture."""
        found = gr.Plot(show_label=False, container=False, elem_id=name, elem_classes=["chart"])
        save = gr.Button(self.word("chart_save"), size="sm", scale=0, elem_classes=["no-print", "chart-save"])
        save.click(None, js=SAVE_CHART.replace("NAME", name), api_visibility="private")
        return found

    def tab(self, name: str) -> gr.Tab:
        """A new tab, to be entered with ``with``."""
        self.panels[name] = gr.Tab(self.word(f"tab_{name}"), id=name)
        with self.panels[name]:
            self.names[name] = gr.State(name)
        return self.panels[name]

    def show(self, name: str, handler: Callable[..., Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Runs ``handler`` when the tab is opened, and when another lesson is chosen while it is open."""
        self.private(
            self.panels[name].select, only_when_open(name, handler, len(outputs)), [self.names[name], *inputs], outputs
        )
        self.views.append((name, handler, inputs, outputs))

    def while_running(
        self, name: str, handler: Callable[..., Any], inputs: Sequence[Any], outputs: Sequence[Any]
    ) -> None:
        """Runs ``handler`` every `TICK` seconds while a lesson runs and the tab is open."""
        self.while_open(name, self.timer.tick, handler, inputs, outputs)

    def while_running_slowly(
        self, name: str, handler: Callable[..., Any], inputs: Sequence[Any], outputs: Sequence[Any]
    ) -> None:
        """Runs ``handler`` every `SLOW_TICK` seconds while a lesson runs and the tab is open."""
        self.while_open(name, self.slow_timer.tick, handler, inputs, outputs)

    def while_open(
        self,
        name: str,
        event: Callable[..., Any],
        handler: Callable[..., Any],
        inputs: Sequence[Any],
        outputs: Sequence[Any],
    ) -> None:
        """Runs ``handler`` on ``event`` while the tab is open."""
        self.private(event, only_when_open(name, handler, len(outputs)), [self.open_tab, *inputs], outputs)

    def private(
        self,
        event: Callable[..., Any],
        handler: Callable[..., Any],
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        once: bool = False,
    ) -> Any:
        """Wires an event of the page itself: no progress overlay (it would flicker), no place in the API. ``once``: a
        second click while the first is at work does nothing, so that a double click enrols one class."""
        return event(
            handler,
            list(inputs),
            list(outputs),
            show_progress="hidden",
            api_visibility="private",
            trigger_mode="once" if once else "always_last",
        )

    def ask_first(self, button: gr.Button, sure: str) -> gr.Button:
        """For what cannot be taken back: a click on ``button`` puts two others in its place, within the row that is
        being built. Answers the one that means it, with the text ``sure``: what it does is wired to that.
        """
        yes = gr.Button(self.word(sure), variant="stop", size="sm", min_width=140, visible=False)
        no = gr.Button(self.word("keep_it"), size="sm", min_width=140, visible=False)

        def shown(asking: bool) -> tuple[gr.Button, gr.Button, gr.Button]:
            return gr.Button(visible=not asking), gr.Button(visible=asking), gr.Button(visible=asking)

        for clicked, asking in ((button, True), (no, False), (yes, False)):
            self.private(clicked.click, lambda asking=asking: shown(asking), [], [button, yes, no])
        return yes

    def opens_child(self, source: gr.HTML, context: TeacherContext) -> None:
        """A click on a child in ``source`` opens the tab "Child" there."""

        @with_user_errors(context)
        def choose(lesson_id: str, event: gr.EventData, request: gr.Request) -> tuple[Any, Any, str, str]:
            choices = context.child_choices(context.lesson(lesson_id), context.language_of(request))
            known = [value for _, value in choices]
            child = gr.Dropdown(choices=choices, value=str(event.child) if event.child in known else None)
            return gr.Tabs(selected="child"), child, str(event.at), "child"

        outputs = [self.tabs, self.child, self.moment, self.open_tab]
        self.openers.append(self.private(source.open_child, choose, [self.lesson], outputs))

    def wire_views(self, chosen: Any) -> None:
        """Draws the open tab after the event ``chosen``, which puts the children of another lesson into the choice:
        before it, the browser would ask for a child of the lesson before, and Gradio refuse that in its own words.
        Called when all tabs are in place."""
        for name, handler, inputs, outputs in self.views:
            self.while_open(name, chosen.then, handler, inputs, outputs)

    def wire_openers(self) -> None:
        """Redraws the tab "Child" after such a click, even if only the moment changed. Called when all tabs are in
        place."""
        for opener in self.openers:
            for handler, inputs, outputs in self.child_views:
                self.private(opener.then, handler, inputs, outputs)
            opener.then(None, js=FOCUS_TAB, api_visibility="private")


def only_when_open(name: str, handler: Callable[..., Any], outputs: int) -> Callable[..., Any]:
    """``handler`` with one argument more in front, the open tab: it runs only if that is ``name`` and a lesson (its own
    first argument) is chosen, which it is not in the first moments of a visit."""

    @wraps(handler)
    def guarded(open_tab: str, *arguments: Any) -> Any:
        if open_tab != name or not arguments[0]:
            return gr.skip() if outputs == 1 else tuple(gr.skip() for _ in range(outputs))
        return handler(*arguments)

    own = inspect.signature(handler)
    first = inspect.Parameter("open_tab", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=str)
    guarded.__signature__ = own.replace(parameters=[first, *own.parameters.values()])  # type: ignore[attr-defined]
    return guarded
