"""What the tab "Now" shows: a headline of who needs help, the signals by gravity, and a tile for every child."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from analytics.charts.sparkline import sparkline, trend_direction
from analytics.insight.feedback import FEEDBACK, Answer
from analytics.insight.timeline import BOARD_WINDOW, BoardRow
from analytics.signals.support import DELIGHTED, KINDS, Signal
from analytics.words.sentences import animal_name
from analytics.words.templates import render
from analytics.words.texts import say

MOST_NAMED = 5  # children in one breath of the headline
STAYS = timedelta(seconds=10)  # for which a signal that was answered keeps its place


@dataclass(frozen=True, slots=True)
class Attention:
    """A signal on the teacher's list. ``answer``: the teacher's answer to it (one of `FEEDBACK`), None without one.
    ``stays``: it was given a moment ago, so the signal keeps its place, and nothing slides under the finger."""

    signal: Signal
    animal: str
    answer: str | None = None
    stays: bool = False

    @property
    def open(self) -> bool:
        """Whether it still asks for an adult: it has no answer, and is no delight."""
        return self.answer is None and self.signal.kind != DELIGHTED

    @property
    def rank(self) -> tuple[bool, int, datetime]:
        """A sort key: unanswered signals first, then by gravity, then by time."""
        return self.answer is not None and not self.stays, KINDS.index(self.signal.kind), self.signal.start


@dataclass(frozen=True, slots=True)
class Headline:
    """The first line of the tab. ``kind``: ``alert``, ``calm``, or ``empty`` where nothing is known."""

    kind: str
    text: str


def attention_list(
    signals: Sequence[Signal], animals: Mapping[str, str], answered: Mapping[str, Answer], now: datetime
) -> list[Attention]:
    """The signals in the order in which a teacher should look at them ``now``."""
    found = []
    for signal in signals:
        animal, given = animals.get(signal.child, signal.child[:6]), answered.get(signal.id)
        if given is None:
            found.append(Attention(signal, animal))
        else:
            found.append(Attention(signal, animal, given.answer, now - given.at < STAYS))
    return sorted(found, key=lambda item: item.rank)


def headline(
    items: Sequence[Attention], language: str, running: bool, children: int, silent: Sequence[str] = ()
) -> Headline:
    """The line that says who needs help, or that nobody does. While the lesson is ``running``, it tells of signals that
    last, and of tablets that fell silent.

    ``children``: how many were seen; ``silent``: the animals of those whose frames have stopped, whom the line does not
    call calm.
    """
    asking = [item for item in items if item.open and (item.signal.active or not running)]
    names = _listed([item.animal for item in asking], language)
    lost = _listed(silent, language) if running else ""
    if not children:
        return Headline("empty", say(language, "now_nobody"))
    if names:
        words = say(language, "now_attention" if running else "past_attention", names=names)
        return Headline("alert", f"{words} {say(language, 'now_silent_too', names=lost)}" if lost else words)
    if running and len(silent) == children:
        return Headline("empty", say(language, "now_all_silent"))
    if lost:
        return Headline("empty", say(language, "now_silent", names=lost))
    return Headline("calm", say(language, "now_calm" if running else "past_calm"))


def _listed(animals: Iterable[str], language: str) -> str:
    """The first `MOST_NAMED` names, and how many there are besides: a line that names a whole class is read by nobody,
    and pushes the tiles off the screen."""
    names = list(dict.fromkeys(animal_name(language, animal) for animal in animals))
    first = ", ".join(names[:MOST_NAMED])
    return say(language, "and_more", names=first, count=len(names) - MOST_NAMED) if names[MOST_NAMED:] else first


def answers_text(items: Sequence[Attention], language: str) -> str:
    """How many signals a lesson had, how many of them the teacher answered, and how."""
    given = [item.answer for item in items if item.answer is not None]
    how = ", ".join(f"{say(language, name).lower()} {given.count(name)}" for name in FEEDBACK if name in given)
    key = "past_answers_how" if how else "past_answers"
    return say(language, key, count=len(items), answered=len(given), how=how)


def tiles_html(rows: Sequence[BoardRow], items: Sequence[Attention], language: str, running: bool = True) -> Markup:
    """A tile per child: picture and word for the state, how long, sparkline; those who need attention first."""
    by_child: dict[str, Attention] = {}
    for item in items:
        by_child.setdefault(item.signal.child, item)
    last = (True, len(KINDS), datetime.max.replace(tzinfo=UTC))

    def order(tile: tuple[BoardRow, Attention | None]) -> tuple[bool, int, str]:
        row, item = tile
        rank = item.rank if item and item.open else last
        return rank[0], rank[1], animal_name(language, row.animal)

    tiles = sorted(((row, by_child.get(row.child)) for row in rows), key=order)
    return render(
        "teacher/tiles.html", language, tiles=tiles, running=running, window=BOARD_WINDOW, sparkline=sparkline,
        trend_direction=trend_direction,
    )  # fmt: skip
