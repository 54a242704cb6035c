"""Who may teach the network the own face, by which link, and what is made of it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from analytics.access.accounts import Accounts
from analytics.classroom.calibration_links import VALID
from analytics.classroom.calibrator import FRAMES_PER_BURST, MOST_FRAMES, Calibrator
from analytics.store.clock import seconds_passed
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child, utc_now
from analytics.teacher.class_view import ClassView
from tests.analytics.examples import make_child, make_lesson

CHILD, OTHER = "c" * 20, "d" * 20
FEATURES = bytes(4096)


def enrolled(store: LessonStore, pseudonym: str, animal: str) -> None:
    made = make_child(pseudonym, animal)
    assert made.consent is not None
    consent = replace(made.consent, given_at=utc_now(), expires_at=utc_now() + timedelta(days=9))
    store.put_child(Child(pseudonym, "2B", animal, consent))


@dataclass
class Fitted:
    shown: tuple[str, ...] = ("happy", "neutral", "sad", "angry")
    before: float = 0.8
    after: float = 0.9
    low: float = 0.01
    high: float = 0.2
    adopted: bool = True
    head: bytes = b"head"


@dataclass
class Fitting:
    """Stands for the arithmetic, which is tested where it is."""

    network: str = "network-1"
    answer: Fitted | None = None

    def fit(self, features: Sequence[bytes], labels: Sequence[str], bursts: Sequence[int]) -> Fitted | None:
        assert len(features) == len(labels) == len(bursts)
        return self.answer

    def agreement(self, features: Sequence[bytes], labels: Sequence[str], bursts: Sequence[int]) -> dict[int, float]:
        return {burst: 0.1 * burst for burst in bursts}


@pytest.fixture
def fitting() -> Fitting:
    return Fitting(answer=Fitted())


@pytest.fixture
def calibrator(store: LessonStore, fitting: Fitting) -> Calibrator:
    for pseudonym, animal in ((CHILD, "fox"), (OTHER, "owl")):
        enrolled(store, pseudonym, animal)
    made = Calibrator(store, fitting)
    made.set_consent(CHILD, True, "parent")
    return made


def show(
    calibrator: Calibrator, frames: int = 3, labels: Sequence[str] = ("neutral", "happy"), child: str = CHILD
) -> None:
    for burst, label in enumerate(labels):
        for place in range(frames):
            assert calibrator.add(child, label, burst, FEATURES, f"{label}-{burst}-{place}") == place + 1


def head(calibrator: Calibrator, child: str = CHILD) -> tuple[str, bytes] | None:
    """What reads the child in a lesson which begins now."""
    identity = uuid.uuid4().hex
    store = calibrator._store
    store.add_lesson(make_lesson(identity, identity[:6], started_at=utc_now()))
    served = calibrator.head(f"{identity}/{child}")
    return (served.whose, served.content) if served else None


def test_a_link_opens_for_its_child_in_any_spelling_of_the_code(calibrator: Calibrator) -> None:
    code = calibrator.invite(CHILD)
    for spelling in (code, code.upper(), f" {code} ", f"{code[:5]}-{code[5:]}"):
        admission = calibrator.admit(spelling)
        assert (admission.reason, admission.child, admission.animal) == (None, CHILD, "fox")
    assert 3590 < admission.seconds_left <= VALID.total_seconds()
    assert calibrator.admit("aaaaaaaaaa").reason == "unknown_code"
    assert calibrator.admit(CHILD).reason == "unknown_code", "a pseudonym opens nothing"


def test_a_link_holds_an_hour_and_until_the_next_one(calibrator: Calibrator, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = calibrator.invite(CHILD), calibrator.invite(CHILD)
    assert calibrator.admit(first).reason == "unknown_code"
    assert calibrator.admit(second).reason is None
    later = seconds_passed() + VALID.total_seconds() + 1
    monkeypatch.setattr(calibrator._links, "_passed", lambda: later)
    assert calibrator.admit(second).reason == "unknown_code"


def test_without_a_consent_of_its_own_there_is_no_link(calibrator: Calibrator) -> None:
    with pytest.raises(ValueError, match="no consent"):
        calibrator.invite(OTHER)


def test_that_consent_needs_the_one_to_be_recorded(calibrator: Calibrator, store: LessonStore) -> None:
    known = store.find_child(OTHER)
    assert known is not None
    assert known.consent is not None
    store.put_child(replace(known, consent=replace(known.consent, withdrawn_at=utc_now())))
    with pytest.raises(ValueError, match="record this child"):
        calibrator.set_consent(OTHER, True, "parent")


def test_withdrawing_it_ends_the_link_and_deletes_what_was_taught(calibrator: Calibrator, store: LessonStore) -> None:
    code = calibrator.invite(CHILD)
    show(calibrator)
    assert calibrator.fit(CHILD).reason is None
    assert head(calibrator) == ("own", b"head")
    calibrator.set_consent(CHILD, False, "parent")
    assert calibrator.admit(code).reason == "unknown_code"
    assert head(calibrator) is None
    assert calibrator.taken(CHILD) == []
    known = store.find_child(CHILD)
    assert known is not None
    assert known.consent is not None
    assert known.consent.withdrawn_at is None, "alone"
    actions = [entry.action for entry in store.audit_entries()]
    assert actions[-2:] == ["calibration_consent_given", "calibration_consent_withdrawn"]


def test_without_the_consent_to_be_recorded_a_link_opens_no_more(calibrator: Calibrator, store: LessonStore) -> None:
    code = calibrator.invite(CHILD)
    known = store.find_child(CHILD)
    assert known is not None
    assert known.consent is not None
    store.put_child(replace(known, consent=replace(known.consent, withdrawn_at=utc_now())))
    assert calibrator.admit(code).reason == "no_consent"


def test_bursts_and_children_have_room_for_so_many_frames(calibrator: Calibrator) -> None:
    show(calibrator, FRAMES_PER_BURST)
    assert calibrator.add(CHILD, "happy", 1, FEATURES, "one too many") is None
    bursts = MOST_FRAMES // FRAMES_PER_BURST
    assert bursts * FRAMES_PER_BURST == MOST_FRAMES


def test_too_few_frames_are_told_and_fit_nothing(calibrator: Calibrator, fitting: Fitting) -> None:
    show(calibrator, 2)
    assert calibrator.fit(CHILD).reason == "too_few"
    show(calibrator, 1, ("sad",) * 0)
    fitting.answer = None
    for place in range(2, 4):
        calibrator.add(CHILD, "neutral", 0, FEATURES, f"n{place}")
        calibrator.add(CHILD, "happy", 1, FEATURES, f"h{place}")
    assert calibrator.fit(CHILD).reason == "too_few", "of one moment each, say"
    fitting.answer = Fitted(shown=("happy", "neutral", "sad"))
    assert calibrator.fit(CHILD).reason == "too_few", "trouble would be taken for rest"
    assert calibrator.calibration(CHILD) is None


def test_a_layer_that_is_no_gain_is_kept_and_not_used(calibrator: Calibrator, fitting: Fitting) -> None:
    fitting.answer = Fitted(adopted=False, low=-0.1)
    show(calibrator)
    outcome = calibrator.fit(CHILD)
    assert outcome.reason == "no_gain"
    assert outcome.calibration is not None
    assert not outcome.calibration.adopted
    assert head(calibrator) is None


def test_the_teacher_may_try_without(calibrator: Calibrator) -> None:
    show(calibrator)
    calibrator.fit(CHILD)
    calibrator.use(CHILD, False)
    assert head(calibrator) is None
    calibrator.use(CHILD, True)
    assert head(calibrator) == ("own", b"head")


def test_with_another_network_everybody_is_read_alike_until_the_game_is_played_again(
    calibrator: Calibrator, fitting: Fitting
) -> None:
    show(calibrator)
    calibrator.fit(CHILD)
    fitting.network = "network-2"
    assert head(calibrator) is None
    assert calibrator.taken(CHILD) == [], "its numbers mean nothing to the new one"
    kept = calibrator.calibration(CHILD)
    assert kept is not None
    assert not calibrator.is_current(kept)


def test_a_lesson_that_runs_goes_on_as_it_began(calibrator: Calibrator, store: LessonStore) -> None:
    store.add_lesson(make_lesson("running", "abc234", started_at=utc_now()))
    show(calibrator)
    calibrator.fit(CHILD)
    assert calibrator.head(f"running/{CHILD}") is None
    assert head(calibrator) == ("own", b"head")
    assert calibrator.head(f"unknown/{CHILD}") is None


def test_a_burst_that_is_left_out_is_not_fitted(calibrator: Calibrator) -> None:
    show(calibrator, 3, ("neutral", "happy", "angry"))
    outcome = calibrator.fit(CHILD, {0, 1})
    assert outcome.calibration is not None
    assert outcome.calibration.frames == 6
    assert [(burst.burst, burst.left_out, burst.agreement) for burst in calibrator.bursts(CHILD)] == [
        (0, False, 0.0),
        (1, False, 0.1),
        (2, True, None),
    ]
    assert calibrator.fit(CHILD, {1, 2}).reason == "too_few"
    assert [burst.left_out for burst in calibrator.taken(CHILD)] == [False, False, True], "nothing was changed"


def test_what_a_child_has_not_found_good_does_not_count(calibrator: Calibrator) -> None:
    show(calibrator)
    for place in range(3):
        calibrator.add(CHILD, "angry", 2, FEATURES, f"p{place}", pending=True)
    outcome = calibrator.fit(CHILD)
    assert outcome.calibration is not None
    assert outcome.calibration.frames == 6
    assert calibrator.keep(CHILD, 2) == 3
    outcome = calibrator.fit(CHILD)
    assert outcome.calibration is not None
    assert outcome.calibration.frames == 9


def test_a_second_fit_does_not_change_a_lesson_that_runs(
    calibrator: Calibrator, fitting: Fitting, store: LessonStore
) -> None:
    show(calibrator)
    calibrator.fit(CHILD)
    store.add_lesson(make_lesson("running", "abc234", started_at=utc_now()))
    fitting.answer = Fitted(head=b"second")
    calibrator.fit(CHILD)
    served = calibrator.head(f"running/{CHILD}")
    assert served is not None
    assert served.content == b"head"
    assert head(calibrator) == ("own", b"second")
    calibrator.use(CHILD, False)
    assert calibrator.head(f"running/{CHILD}") is None, "what the teacher switches off is off"
    fitting.answer = Fitted(head=b"third")
    calibrator.fit(CHILD)
    assert head(calibrator) is None, "and stays off when the child plays on"


def test_an_unknown_child_is_told(calibrator: Calibrator) -> None:
    for call in (calibrator.fit, calibrator.invite, calibrator.forget):
        with pytest.raises(ValueError, match="no such child"):
            call("nobody")


@pytest.fixture
def played(calibrator: Calibrator, store: LessonStore) -> Calibrator:
    """Three children of the class have played the game, a fourth has not."""
    for child, animal in (("e" * 20, "bear"), ("f" * 20, "wolf")):
        enrolled(store, child, animal)
        calibrator.set_consent(child, True, "parent")
        show(calibrator, child=child)
    show(calibrator)
    return calibrator


def test_a_class_s_layer_reads_the_children_who_have_none_of_their_own(played: Calibrator) -> None:
    outcome = played.fit_class("2b")
    assert outcome.reason is None
    assert outcome.calibration is not None
    assert outcome.calibration.frames == 6, "a burst is one witness"
    assert head(played, OTHER) == ("class", b"head")
    played.fit(CHILD)
    assert head(played) == ("own", b"head")
    played.use(CHILD, False)
    assert head(played) is None, "without means without"
    played.forget_class("2B")
    assert head(played, OTHER) is None


def test_two_children_are_no_class(calibrator: Calibrator) -> None:
    show(calibrator)
    assert calibrator.fit_class("2B").reason == "too_few"


def test_a_class_s_layer_that_is_no_gain_is_not_used(played: Calibrator, fitting: Fitting) -> None:
    fitting.answer = Fitted(adopted=False)
    assert played.fit_class("2B").reason == "no_gain"
    assert head(played, OTHER) is None


def test_a_child_that_is_forgotten_or_erased_takes_the_class_s_layer_along(
    played: Calibrator, store: LessonStore
) -> None:
    """It may have been fitted to it."""
    played.fit_class("2B")
    played.forget(CHILD)
    assert played.class_calibration("2B") is None
    show(played)
    played.fit_class("2B")
    store.erase_child(CHILD, "teacher")
    assert played.class_calibration("2B") is None


def test_another_teacher_neither_sees_nor_deletes_the_class_s_layer(played: Calibrator, store: LessonStore) -> None:
    played.fit_class("2B")
    accounts = Accounts({"boris": ("00", "00")}, {"boris": frozenset({"5C"})})
    boris = played.with_store(ClassView(store, accounts, 3, lambda: "boris"))
    assert boris.class_calibration("2B") is None
    boris.forget_class("2B")
    assert boris.fit_class("2B").reason == "too_few"
    assert played.class_calibration("2B") is not None
    for change in (boris.fit, boris.invite, boris.forget):
        with pytest.raises(ValueError, match="no such child"):
            change(CHILD)
    assert boris.taken(CHILD) == []
