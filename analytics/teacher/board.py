"""The tab "Now" as HTML: who needs attention first, in words, then a tile for every child. Everything typed by people
is escaped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from analytics.charts.drawing import icon, sparkline, trend_direction
from analytics.insight.feedback import FEEDBACK
from analytics.insight.timeline import BOARD_WINDOW, BoardRow
from analytics.signals.support import DELIGHTED, KINDS, Signal
from analytics.words.sentences import animal_name, reason_text, signal_state, signal_when, state_name, suggestion_text
from analytics.words.texts import duration, say


@dataclass(frozen=True, slots=True)
class Attention:
    """A signal as the teacher is told of it. ``answer``: what the teacher said to it (one of `FEEDBACK`), if
    anything."""

    signal: Signal
    animal: str
    answer: str | None = None

    @property
    def open(self) -> bool:
        """Whether it still asks for an adult."""
        return self.answer is None and self.signal.kind != DELIGHTED

    @property
    def rank(self) -> tuple[bool, int, datetime]:
        """Sorts what is unanswered and grave first."""
        return self.answer is not None, KINDS.index(self.signal.kind), self.signal.start


def attention_list(
    signals: Sequence[Signal], animals: Mapping[str, str], answered: Mapping[str, str]
) -> list[Attention]:
    """The signals in the order in which a teacher should look at them."""
    found = [
        Attention(signal, animals.get(signal.child, signal.child[:6]), answered.get(signal.id)) for signal in signals
    ]
    return sorted(found, key=lambda item: item.rank)


def headline(
    items: Sequence[Attention], language: str, running: bool, children: int, silent: Sequence[str] = ()
) -> str:
    """One line that says who needs help, or that nobody does.

    ``children``: how many were seen; ``silent``: the animals of those of them whose frames have stopped, of whom nobody
    can say that they are calm.
    """
    names = list(dict.fromkeys(animal_name(language, item.animal) for item in items if item.open))
    if not children:
        kind, words = "empty", say(language, "now_nobody")
    elif names:
        kind, words = "alert", say(language, "now_attention" if running else "past_attention", names=", ".join(names))
    elif running and len(silent) == children:
        kind, words = "empty", say(language, "now_all_silent")
    elif running and silent:
        lost = ", ".join(animal_name(language, animal) for animal in silent)
        kind, words = "empty", say(language, "now_silent", names=lost)
    else:
        kind, words = "calm", say(language, "now_calm" if running else "past_calm")
    return f'<p class="headline {kind}" role="status">{escape(words)}</p>'


def attention_html(items: Sequence[Attention], language: str, running: bool, now: datetime, zone: str) -> str:
    """A line per signal: who, what, since when, why, what to do, and the three answers."""
    return "".join(_attention_line(item, language, running, now, zone) for item in items)


def _attention_line(item: Attention, language: str, running: bool, now: datetime, zone: str) -> str:
    signal, name = item.signal, animal_name(language, item.animal)
    when = signal_when(language, signal, now, zone, running)
    what = signal_state(language, signal, running)
    state = "open" if item.open else "done"
    if item.answer:
        buttons = f'<span class="answered">{escape(say(language, f"answer_{item.answer}"))}</span>'
    else:
        buttons = "".join(
            f'<button type="button" class="answer" data-act="answer" data-answer="{answer}" '
            f'data-signal="{escape(signal.id)}" '
            f'data-child="{escape(signal.child)}" data-kind="{escape(signal.kind)}" '
            f'aria-label="{escape(f"{name}: {say(language, answer)}")}">{escape(say(language, answer))}</button>'
            for answer in FEEDBACK
        )
    return (
        f'<article class="attention {escape(signal.kind)} {state}">{icon(signal.kind)}'
        f'<div class="words"><p class="what"><button type="button" class="name" data-act="open" '
        f'data-child="{escape(signal.child)}" '
        f'data-at="{escape(signal.start.isoformat())}" '
        f'title="{escape(say(language, "open_child", animal=name))}">{escape(name)}</button>: '
        f"<b>{escape(what)}</b> <span>{escape(when)}</span></p>"
        f'<p class="why">{escape(reason_text(language, signal))}</p>'
        f'<p class="do">{escape(suggestion_text(language, signal, running))}</p></div>'
        f'<div class="answers">{buttons}</div></article>'
    )


def board_html(rows: Sequence[BoardRow], items: Sequence[Attention], language: str, running: bool = True) -> str:
    """A tile per child: picture and word for the state, how long, sparkline; those who need attention first."""
    by_child: dict[str, Attention] = {}
    for item in items:
        by_child.setdefault(item.signal.child, item)
    last = (True, len(KINDS), datetime.max.replace(tzinfo=UTC))

    def order(row: BoardRow) -> tuple[bool, int, str]:
        item = by_child.get(row.child)
        rank = item.rank if item and item.open else last
        return rank[0], rank[1], animal_name(language, row.animal)

    return (
        '<div class="tiles">'
        + "".join(_tile(row, by_child.get(row.child), language, running) for row in sorted(rows, key=order))
        + "</div>"
    )


def _tile(row: BoardRow, item: Attention | None, language: str, running: bool) -> str:
    name = animal_name(language, row.animal)
    long = row.seconds >= BOARD_WINDOW
    state = state_name(language, row.state)
    time = (
        say(language, "more_than", time=duration(language, BOARD_WINDOW)) if long else duration(language, row.seconds)
    )
    trend = say(language, "sparkline_of", trend=say(language, f"trend_{trend_direction(row.sparkline)}"))
    badge = ""
    kind = ""
    if item is not None:
        kind = f"{item.signal.kind} {'open' if item.open else 'done'}"
        words = signal_state(language, item.signal, running)
        badge = f'<span class="badge">{icon(item.signal.kind)}{escape(words)}</span>'
    return (
        f'<button type="button" class="tile {escape(kind)} state-{escape(row.state)}" data-act="open" '
        f'data-child="{escape(row.child)}" '
        f'aria-label="{escape(f"{name}: {state}, {time}. {trend}")}">'
        f'<span class="top"><span class="name">{escape(name)}</span>{badge}</span>'
        f'<span class="state">{icon(row.state)}<span><b>{escape(state)}</b><br><small>{escape(time)}</small>'
        "</span></span>"
        f"{sparkline(row.sparkline, trend)}</button>"
    )
