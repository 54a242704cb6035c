"""The support signals of a lesson whose frames are read child by child: they never lie in memory at once."""

from collections.abc import Sequence

import pandas as pd

from analytics.signals.baseline import child_series
from analytics.signals.lesson_signals import earlier_baselines
from analytics.signals.support import Signal, tracked_signals
from analytics.signals.tracking import ChildTracker, task_times
from analytics.store.lesson_store import LessonStore
from analytics.store.records import Event, Lesson


class ChildByChild:
    """Takes the frames of each child once; `signals` are those of `analytics.signals.lesson_signals`.

    ``events``: of the lesson, in order of time.
    """

    def __init__(self, store: LessonStore, lesson: Lesson, events: Sequence[Event]) -> None:
        self.lesson, self.events = lesson, events
        self.baselines = earlier_baselines(store, lesson)
        self.trackers: dict[str, ChildTracker] = {}

    def add(self, child: str, rows: pd.DataFrame) -> None:
        """All frames of a child, as `LessonStore.observations` answers them."""
        model = next((str(model) for model in rows["model"] if model), "")
        tracker = ChildTracker(self.baselines.get((child, model)))
        tracker.add(child_series(rows), task_times(self.events, child))
        self.trackers[child] = tracker

    def signals(self) -> list[Signal]:
        """In the order in which they were raised."""
        return tracked_signals(self.trackers, self.events, self.lesson.id)
