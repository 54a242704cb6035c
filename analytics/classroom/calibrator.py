"""`Calibrator`: who may teach the network the own face, by which link, and with what result.

A link is made by the teacher for one child, holds an hour and is kept in memory alone: after a start of the app a new
one is made. The frames and the layer that is fitted to them are the store's (`analytics.store.calibrations`); how a
layer is fitted is handed in.
"""

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

from analytics.classroom.pseudonyms import new_calibration_code, normalise_calibration_code, plain_code
from analytics.store.calibrations import Calibration, CalibrationFrame
from analytics.store.clock import seconds_passed
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child

VALID = timedelta(hours=1)
FRAMES_PER_BURST = 5
BURSTS_PER_LABEL = 3  # at different moments: three witnesses of an expression
# Of a child: twice what the game asks for, so that bursts can be left out and taken again.
MOST_FRAMES = 2 * 8 * BURSTS_PER_LABEL * FRAMES_PER_BURST
LEAST_FRAMES = 3  # of an expression, below which nothing is fitted to it
NEEDED = ("neutral", "happy")
# Expressions that were shown at two moments and more. A layer that has seen rest and joy alone takes trouble for rest:
# of the faces of other expressions it finds .20 where the packaged one finds .50 (tests/benchmarks/RESULTS.md).
LEAST_EXPRESSIONS = 4
MOST_LINKS = 10_000


class FittedHead(Protocol):
    """A last layer as it was fitted. ``shown``: the expressions that it was fitted to. ``before``, ``after``, ``low``,
    ``high``, ``adopted``, ``head``: see `analytics.store.calibrations.Calibration`.
    """

    @property
    def shown(self) -> tuple[str, ...]: ...

    @property
    def before(self) -> float: ...

    @property
    def after(self) -> float: ...

    @property
    def low(self) -> float: ...

    @property
    def high(self) -> float: ...

    @property
    def adopted(self) -> bool: ...

    @property
    def head(self) -> bytes: ...


class Fitting(Protocol):
    """Fits a last layer to a child. ``network``: what makes the features at present."""

    @property
    def network(self) -> str: ...

    def fit(self, features: Sequence[bytes], labels: Sequence[str], bursts: Sequence[int]) -> FittedHead | None:
        """The layer for these frames; None where they are too few."""

    def agreement(self, features: Sequence[bytes], labels: Sequence[str], bursts: Sequence[int]) -> dict[int, float]:
        """Burst -> how probable its expression is, 0 to 1, for a layer that was fitted to all other bursts."""


@dataclass(frozen=True, slots=True)
class CalibrationAdmission:
    """Whether a link may be used. ``reason``: None, or unknown_code, no_consent. ``child``: a pseudonym."""

    reason: str | None
    child: str = ""
    animal: str = ""
    seconds_left: float = 0.0


@dataclass(frozen=True, slots=True)
class Burst:
    """Frames of one moment. ``agreement``: see `Fitting.agreement`; None where nobody can say yet."""

    burst: int
    label: str
    frames: int
    left_out: bool
    agreement: float | None = None


@dataclass(frozen=True, slots=True)
class FitOutcome:
    """``reason``: None, or too_few, no_gain. ``calibration``: what is kept now."""

    reason: str | None
    calibration: Calibration | None


@dataclass
class _Links:
    """code -> (pseudonym, monotonic second at which it ends)."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    ends: dict[str, tuple[str, float]] = field(default_factory=dict)


class Calibrator:
    """Works on ``store``, by its clock; ``fitting`` fits the layers. Thread-safe."""

    frames_per_burst = FRAMES_PER_BURST
    bursts_per_label = BURSTS_PER_LABEL
    needed = NEEDED

    def __init__(self, store: LessonStore, fitting: Fitting) -> None:
        self._store = store
        self._fitting = fitting
        self._links = _Links()

    def with_store(self, view: LessonStore) -> "Calibrator":
        """The same for somebody who sees and changes only what ``view`` shows of the store."""
        other = Calibrator(view, self._fitting)
        other._links = self._links
        return other

    # for the station

    def admit(self, code: str) -> CalibrationAdmission:
        """Whether the link with this code holds, whose it is, and the seconds that it holds yet."""
        plain = plain_code(code, normalise_calibration_code)
        with self._links.lock:
            pseudonym, ends = self._links.ends.get(plain, ("", 0.0))
        left = ends - seconds_passed()
        child = self._store.find_child(pseudonym) if pseudonym and left > 0 else None
        if child is None:
            return CalibrationAdmission("unknown_code")
        if not child.may_be_calibrated(self._store.clock()):
            return CalibrationAdmission("no_consent")
        return CalibrationAdmission(None, child.pseudonym, child.animal, left)

    def add(self, child: str, label: str, burst: int, features: bytes, id: str) -> int | None:
        """Keeps a frame of an admitted child; returns how many its burst has, None where there is no room. Raises
        ValueError for an impossible label, or a burst of another expression.
        """
        frame = CalibrationFrame(id, burst, label, self._store.clock(), self._fitting.network, features)
        return self._store.calibrations.add_frame(child, frame, FRAMES_PER_BURST, MOST_FRAMES)

    def undo(self, child: str, burst: int) -> int:
        """Deletes a burst of an admitted child; returns how many frames it had."""
        return self._store.calibrations.remove_burst(child, burst)

    def taken(self, child: str) -> list[Burst]:
        """What an admitted child has shown so far."""
        found: dict[int, list[CalibrationFrame]] = defaultdict(list)
        for frame in self._usable(child):
            found[frame.burst].append(frame)
        return [Burst(burst, frames[0].label, len(frames), frames[0].left_out) for burst, frames in found.items()]

    def head(self, owner: str) -> bytes | None:
        """The layer by which frames are to be read; ``owner``: whose they are, as
        `analytics.classroom.recorder.RecordingOutcome` says. None for the packaged one. A lesson that runs when a layer
        is fitted goes on with what it began with: a child's own rest would seem to change in the middle of it.
        """
        lesson_id, _, child = owner.partition("/")
        found = self._store.calibrations.find(child)
        if found is None or not (found.adopted and found.in_use and found.network == self._fitting.network):
            return None
        known, lesson = self._store.find_child(child), self._store.find_lesson(lesson_id)
        if known is None or known.calibration_consent is None or lesson is None or lesson.started_at < found.at:
            return None
        return found.head

    # for the teacher

    def invite(self, child: str) -> str:
        """A code for a link with which a child (pseudonym) may teach its face for `VALID`. Raises ValueError without
        its consents.
        """
        known = self._known(child)
        if not known.may_be_calibrated(self._store.clock()):
            raise ValueError("there is no consent to fit the network to this child's face: put it on file first")
        code, now = new_calibration_code(), seconds_passed()
        with self._links.lock:
            ends = {key: link for key, link in self._links.ends.items() if link[1] > now and link[0] != child}
            if len(ends) >= MOST_LINKS:
                raise ValueError("too many links hold at present: wait an hour")
            self._links.ends = ends | {code: (child, now + VALID.total_seconds())}
        return code

    def set_consent(self, child: str, given: bool, role: str) -> Child:
        """Puts the consent to fit the network to a child's face on file, or withdraws it: then what was taught is
        deleted. Raises ValueError for an unknown child, or where there is no consent to be recorded.
        """
        known = self._known(child)
        if given and (known.consent is None or not known.consent.holds_at(self._store.clock())):
            raise ValueError("there is no consent to record this child: put that on file first")
        changed = replace(known, calibration_consent=self._store.clock() if given else None)
        self._store.put_child(changed)
        action = "calibration_consent_given" if given else "calibration_consent_withdrawn"
        self._store.audit(action, role, f"{known.class_name}: {known.animal}")
        if not given:
            self.forget(child)
        return changed

    def bursts(self, child: str) -> list[Burst]:
        """The bursts of a child that the present network can be fitted to, with how well each agrees with the rest."""
        counted = [frame for frame in self._usable(child) if not frame.left_out]
        agreement: dict[int, float] = {}
        if counted:
            agreement = self._fitting.agreement(
                [frame.features for frame in counted],
                [frame.label for frame in counted],
                [frame.burst for frame in counted],
            )
        return [replace(burst, agreement=agreement.get(burst.burst)) for burst in self.taken(child)]

    def leave_out(self, child: str, burst: int, left_out: bool) -> None:
        """Whether a burst counts. Raises ValueError where there is none."""
        if self._store.calibrations.leave_out(child, burst, left_out) == 0:
            raise ValueError("there is no such burst: look at the list again")

    def calibration(self, child: str) -> Calibration | None:
        """What was fitted to a child, whether or not it is used."""
        return self._store.calibrations.find(child)

    def is_current(self, calibration: Calibration) -> bool:
        """Whether a layer was fitted to the network that serves."""
        return calibration.network == self._fitting.network

    def fit(self, child: str) -> FitOutcome:
        """Fits a layer to all frames of a child that count. What was kept before stays where they are too few."""
        self._known(child)
        frames = [frame for frame in self._usable(child) if not frame.left_out]
        labels = [frame.label for frame in frames]
        if any(labels.count(needed) < LEAST_FRAMES for needed in NEEDED):
            return FitOutcome("too_few", self.calibration(child))
        fitted = self._fitting.fit([frame.features for frame in frames], labels, [frame.burst for frame in frames])
        if fitted is None or len(fitted.shown) < LEAST_EXPRESSIONS:
            return FitOutcome("too_few", self.calibration(child))
        calibration = Calibration(
            self._store.clock(),
            self._fitting.network,
            len(frames),
            fitted.shown,
            fitted.before,
            fitted.after,
            fitted.low,
            fitted.high,
            fitted.adopted,
            True,
            fitted.head,
        )
        self._store.calibrations.put(child, calibration)
        return FitOutcome(None if fitted.adopted else "no_gain", calibration)

    def use(self, child: str, in_use: bool) -> Calibration:
        """Whether a child's own layer reads it. Raises ValueError where there is none."""
        found = self.calibration(child)
        if found is None:
            raise ValueError("nothing was fitted to this child's face: let it show its faces first")
        changed = replace(found, in_use=in_use)
        self._store.calibrations.put(child, changed)
        return changed

    def forget(self, child: str) -> int:
        """Deletes all that was taught of a child's face, bytes too, and its links; returns how many frames that were.
        Raises `analytics.store.records.StoreError` if it could not be done whole.
        """
        with self._links.lock:
            self._links.ends = {key: link for key, link in self._links.ends.items() if link[0] != child}
        return self._store.calibrations.forget(child)

    def _usable(self, child: str) -> list[CalibrationFrame]:
        network = self._fitting.network
        return [frame for frame in self._store.calibrations.frames(child) if frame.network == network]

    def _known(self, child: str) -> Child:
        known = self._store.find_child(child)
        if known is None:
            raise ValueError("there is no such child: give its pseudonym, or its code and its class")
        return known
