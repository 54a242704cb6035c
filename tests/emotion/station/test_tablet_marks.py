"""The mark of a tablet: the same for a child in all lessons, worth nothing once it was changed or has run out."""

from hypothesis import given
from hypothesis import strategies as st

from emotion.station.tablet_marks import VALID_SECONDS, TabletMarks

MARKS = TabletMarks(b"k" * 32)


def test_a_mark_is_of_its_child_and_tells_nobody_which_that_is() -> None:
    mark = MARKS.make("00ffee1122")
    assert MARKS.owner(mark) == MARKS.owner(MARKS.make("00ffee1122"))
    assert MARKS.owner(mark) != MARKS.owner(MARKS.make("00ffee1123"))
    assert "00ffee1122" not in mark
    assert TabletMarks(b"l" * 32).owner(mark) == "", "another school's"


def test_a_mark_runs_out() -> None:
    now = [1_800_000_000.0]
    marks = TabletMarks(b"k" * 32, lambda: now[0])
    mark = marks.make("child")
    now[0] += VALID_SECONDS - 1
    assert marks.owner(mark)
    now[0] += 2
    assert marks.owner(mark) == ""


@given(st.text())
def test_no_text_is_a_mark(text: str) -> None:
    assert MARKS.owner(text) == ""


@given(st.integers(0, 95), st.characters(codec="latin-1"))
def test_a_mark_that_was_changed_is_none(place: int, letter: str) -> None:
    mark = MARKS.make("child")
    changed = mark[:place] + letter + mark[place + 1 :]
    assert changed == mark or MARKS.owner(changed) == ""
