"""All that is kept of one child in a lesson to tell its signals: a further frame costs microseconds, whatever came
before, and no frame is kept."""

from collections.abc import Sequence

import numpy as np

from analytics.signals.baseline import Baseline, ChildSeries, RestingFace, continued
from analytics.signals.detection import SpanDetector
from analytics.signals.hidden_markov import DELIGHTED, STATES, TROUBLED, StateFilter, TaskTimes
from analytics.signals.presence import Presence
from analytics.signals.thresholds import THRESHOLDS
from analytics.store.records import Event


class ChildTracker:
    """One child of one lesson. ``earlier``: its baseline in earlier lessons, where there were any."""

    def __init__(self, earlier: Baseline | None = None) -> None:
        self.frames = 0
        self.presence = Presence()
        self.spans = {
            TROUBLED: SpanDetector(THRESHOLDS.trouble_threshold, THRESHOLDS.trouble_refractory, again=True),
            DELIGHTED: SpanDetector(THRESHOLDS.delighted_threshold, THRESHOLDS.delighted_refractory, again=False),
        }
        self._rest, self._filter = RestingFace(earlier), StateFilter()
        self._last_face = -np.inf

    def add(self, series: ChildSeries, tasks: TaskTimes) -> None:
        """Takes further frames, all later than those before. ``tasks``: what was failed and solved so far."""
        series = continued(series, self._last_face)
        self.frames += len(series.frame_times)
        baseline = self._rest.add(series)
        self.presence.add(series, baseline)
        probabilities = self._filter.add(series, baseline, tasks)
        for column, state in enumerate(STATES):
            self.spans[state].add(series, probabilities[:, column], baseline)
        if len(series.times):
            self._last_face = float(series.times[-1])


def task_times(events: Sequence[Event], child: str) -> TaskTimes:
    """When a child failed and solved tasks. ``events``: of the lesson, in order of time; those of the whole class are
    each child's."""

    def of(kind: str) -> list[float]:
        return [event.at.timestamp() for event in events if event.kind == kind and event.child in (None, child)]

    return TaskTimes(np.array(of("task_failed")), np.array(of("task_solved")))
