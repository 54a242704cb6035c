"""`Calibrator`: who may teach the network the own face, by which link, and with what result.

The frames and the layer that is fitted to them are the store's (`analytics.store.calibrations`); how a
layer is fitted is handed in.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from analytics.classroom.calibration_links import CalibrationLinks
from analytics.store.calibrations import Calibration, CalibrationFrame
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child

FRAMES_PER_BURST = 5
BURSTS_PER_LABEL = 3  # at different moments: three witnesses of an expression
# Of a child: twice what the game asks for, so that bursts can be left out and taken again.
MOST_FRAMES = 2 * 8 * BURSTS_PER_LABEL * FRAMES_PER_BURST
LEAST_FRAMES = 3  # of an expression, below which nothing is fitted to it
NEEDED = ("neutral", "happy")
# Expressions that were shown at two moments and more. A layer that has seen rest and joy alone takes trouble for rest:
# of the faces of other expressions it finds .20 where the packaged one finds .50 (tests/benchmarks/RESULTS.md).
LEAST_EXPRESSIONS = 4
LEAST_CHILDREN = 3  # of a class, for a layer of the class


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


@dataclass(frozen=True, slots=True)
class ServedHead:
    """A layer that reads frames. ``whose``: own, or class where it was fitted to other children of the class."""

    whose: str
    content: bytes


class Calibrator:
    """Works on ``store``, by its clock; ``fitting`` fits the layers. Thread-safe."""

    frames_per_burst = FRAMES_PER_BURST
    bursts_per_label = BURSTS_PER_LABEL
    needed = NEEDED

    def __init__(self, store: LessonStore, fitting: Fitting) -> None:
        self._store = store
        self._fitting = fitting
        self._links = CalibrationLinks()

    def with_store(self, view: LessonStore) -> "Calibrator":
        """The same for somebody who sees and changes only what ``view`` shows of the store."""
        other = Calibrator(view, self._fitting)
        other._links = self._links
        return other

    # for the station

    def admit(self, code: str) -> CalibrationAdmission:
        """Whether the link with this code holds, whose it is, and the seconds that it holds yet."""
        pseudonym, left = self._links.find(code)
        child = self._store.find_child(pseudonym) if pseudonym else None
        if child is None:
            return CalibrationAdmission("unknown_code")
        if not child.may_be_calibrated(self._store.clock()):
            return CalibrationAdmission("no_consent")
        return CalibrationAdmission(None, child.pseudonym, child.animal, left)

    def add(self, child: str, label: str, burst: int, features: bytes, id: str, pending: bool = False) -> int | None:
        """Keeps a frame of an admitted child, which does not count while it is ``pending``; returns how many its burst
        has, None where there is no room. Raises ValueError for an impossible label, or a burst of another expression.
        """
        frame = CalibrationFrame(id, burst, label, self._store.clock(), self._fitting.network, features, pending)
        return self._store.calibrations.add_frame(child, frame, FRAMES_PER_BURST, MOST_FRAMES)

    def keep(self, child: str, burst: int) -> int:
        """The child says that a burst is good: it counts. Returns how many frames it has."""
        return self._store.calibrations.leave_out(child, burst, False)

    def undo(self, child: str, burst: int) -> int:
        """Deletes a burst of an admitted child; returns how many frames it had."""
        return self._store.calibrations.remove_burst(child, burst)

    def taken(self, child: str) -> list[Burst]:
        """What an admitted child has shown so far."""
        return [
            Burst(frames[0].burst, frames[0].label, len(frames), frames[0].left_out) for frames in self._by_burst(child)
        ]

    def head(self, owner: str) -> ServedHead | None:
        """The layer by which frames are to be read; ``owner``: whose they are, as
        `analytics.classroom.recorder.RecordingOutcome` says. The child's own, or else that of its class; None for the
        packaged one. A lesson that runs when a layer is fitted goes on with what it began with: a child's own rest
        would seem to change in the middle of it.
        """
        lesson_id, _, child = owner.partition("/")
        known, lesson = self._store.find_child(child), self._store.find_lesson(lesson_id)
        if known is None or lesson is None:
            return None
        kept, began = self._store.calibrations, lesson.started_at
        latest = kept.find(child) if known.calibration_consent is not None else None
        own = kept.find(child, began) if latest is not None and latest.in_use else None
        if own is not None:
            return ServedHead("own", own.head) if self._serves(own) else None
        shared = kept.find_of_class(self._spelled(known.class_name), began) if latest is None else None
        return ServedHead("class", shared.head) if shared is not None and self._serves(shared) else None

    # for the teacher

    def invite(self, child: str) -> str:
        """A code for a link with which a child (pseudonym) may teach its face for an hour. Raises ValueError without
        its consents.
        """
        known = self._known(child)
        if not known.may_be_calibrated(self._store.clock()):
            raise ValueError("there is no consent to fit the network to this child's face: put it on file first")
        return self._links.make(child)

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

    def calibration(self, child: str) -> Calibration | None:
        """What was fitted to a child, whether or not it is used."""
        return self._store.calibrations.find(child)

    def is_current(self, calibration: Calibration) -> bool:
        """Whether a layer was fitted to the network that serves."""
        return calibration.network == self._fitting.network

    def fit(self, child: str, counted: Collection[int] | None = None) -> FitOutcome:
        """Fits a layer to all frames of a child that count: of the bursts ``counted`` where they are given, and they
        alone count from then on. What was kept before stays where they are too few. A layer that the teacher has
        switched off stays off. Raises ValueError for an unknown child.
        """
        self._known(child)
        usable = self._usable(child)
        frames = [frame for frame in usable if (not frame.left_out if counted is None else frame.burst in counted)]
        labels = [frame.label for frame in frames]
        if any(labels.count(needed) < LEAST_FRAMES for needed in NEEDED):
            return FitOutcome("too_few", self.calibration(child))
        fitted = self._fitting.fit([frame.features for frame in frames], labels, [frame.burst for frame in frames])
        if fitted is None or len(fitted.shown) < LEAST_EXPRESSIONS:
            return FitOutcome("too_few", self.calibration(child))
        before = self.calibration(child)
        calibration = self._calibration(fitted, len(frames))
        if before is not None and not before.in_use:
            calibration = replace(calibration, in_use=False)
        self._store.calibrations.put(child, calibration)
        if counted is not None:
            for burst, left_out in {(frame.burst, frame.left_out) for frame in usable}:
                if left_out == (burst in counted):
                    self._store.calibrations.leave_out(child, burst, not left_out)
        return FitOutcome(None if fitted.adopted else "no_gain", calibration)

    def class_calibration(self, class_name: str) -> Calibration | None:
        """What was fitted to a class, whether or not it is used; None for one of which no child is seen."""
        if not self._store.children(class_name):
            return None
        return self._store.calibrations.find_of_class(self._spelled(class_name))

    def fit_class(self, class_name: str) -> FitOutcome:
        """Fits one layer to all children of a class who played the game, for those without a layer of their own. It is
        judged by leaving out one child at a time, and the mean of a burst stands for its frames: a child's frames of a
        moment say little more than one, and of a whole class they would take minutes.
        """
        features, labels, children = [], [], []
        for place, child in enumerate(self._store.children(class_name)):
            if not child.may_be_calibrated(self._store.clock()):
                continue
            for members in self._by_burst(child.pseudonym):
                if not members[0].left_out:
                    features.append(_mean_features(members))
                    labels.append(members[0].label)
                    children.append(place)
        if len(set(children)) < LEAST_CHILDREN:
            return FitOutcome("too_few", self.class_calibration(class_name))
        fitted = self._fitting.fit(features, labels, children)
        if fitted is None or len(fitted.shown) < LEAST_EXPRESSIONS:
            return FitOutcome("too_few", self.class_calibration(class_name))
        calibration = self._calibration(fitted, len(features))
        self._store.calibrations.put_of_class(self._spelled(class_name), calibration)
        return FitOutcome(None if fitted.adopted else "no_gain", calibration)

    def forget_class(self, class_name: str) -> None:
        """Deletes the layer of a class of which children are seen; what they taught stays."""
        if self._store.children(class_name):
            self._store.calibrations.remove_of_class(self._spelled(class_name))

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
        self._links.end(child)
        return self._store.calibrations.forget(child)

    def _by_burst(self, child: str) -> list[list[CalibrationFrame]]:
        found: dict[int, list[CalibrationFrame]] = defaultdict(list)
        for frame in self._usable(child):
            found[frame.burst].append(frame)
        return list(found.values())

    def _serves(self, calibration: Calibration) -> bool:
        return calibration.adopted and self.is_current(calibration)

    def _spelled(self, class_name: str) -> str:
        """A class as its first child is put under it."""
        return next(iter(self._store.class_spellings(class_name)), class_name)

    def _calibration(self, fitted: FittedHead, frames: int) -> Calibration:
        return Calibration(
            self._store.clock(),
            self._fitting.network,
            frames,
            fitted.shown,
            fitted.before,
            fitted.after,
            fitted.low,
            fitted.high,
            fitted.adopted,
            True,
            fitted.head,
        )

    def _usable(self, child: str) -> list[CalibrationFrame]:
        network = self._fitting.network
        return [frame for frame in self._store.calibrations.frames(child) if frame.network == network]

    def _known(self, child: str) -> Child:
        known = self._store.find_child(child)
        if known is None:
            raise ValueError("there is no such child: give its pseudonym, or its code and its class")
        return known


def _mean_features(frames: Sequence[CalibrationFrame]) -> bytes:
    """The mean of the features of some frames, as they are kept."""
    rows = np.stack([np.frombuffer(frame.features, "<f2") for frame in frames]).astype(np.float32)
    return rows.mean(axis=0).astype("<f2").tobytes()
