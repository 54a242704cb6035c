"""A child's lesson in a few sentences."""

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from analytics.insight.timeline import ChildTimeline
from analytics.signals.episodes import AWAY
from analytics.signals.smoothing import expected_seconds
from analytics.signals.support import Signal
from analytics.words.sentences import animal_name, reason_text, signal_state
from analytics.words.templates import render
from analytics.words.texts import duration, expression_name, say

SILENCE = 5.0  # seconds in all without a frame, of which nothing is said: single frames are late or lost
STATES_NAMED = 3  # expressions that are named; the rest is in the chart


def child_sentences(timeline: ChildTimeline, language: str, with_gaps: bool = True) -> list[str]:
    """How long the child was seen, how long it is expected to have shown which expressions, how long it was away,
    and, ``with_gaps``, how long no frame came: the gaps of its chart. Plain text."""
    name = animal_name(language, timeline.animal)
    seconds = expected_seconds(timeline.smoothed)
    away = sum(episode.seconds for episode in timeline.episodes if episode.state == AWAY)
    seen = sum(seconds.values())
    silent = max(0.0, _span(timeline) - seen - away)
    if silent < SILENCE:
        silent = 0.0
    if not seen and not away:
        return [say(language, "no_child_data", animal=name)]
    sentences = [
        say(
            language,
            "words_seen",
            animal=name,
            seen=duration(language, seen),
            total=duration(language, seen + away + silent),
        )
    ]
    leading = [item for item in sorted(seconds.items(), key=lambda item: -item[1])[:STATES_NAMED] if item[1] >= 1]
    if leading:
        states = ", ".join(
            f"{expression_name(language, state)} {duration(language, spent)}" for state, spent in leading
        )
        sentences.append(say(language, "words_mostly", states=states))
    if away:
        sentences.append(say(language, "words_away", away=duration(language, away)))
    if silent and with_gaps:
        sentences.append(say(language, "words_silent", silent=duration(language, silent)))
    return sentences


def _span(timeline: ChildTimeline) -> float:
    """The seconds from a child's first frame to its last."""
    times = timeline.smoothed["at"]
    return float((times.iloc[-1] - times.iloc[0]).total_seconds()) if len(times) else 0.0


def child_summary(timeline: ChildTimeline, signals: Sequence[Signal], language: str) -> str:
    """The sentences as one text, with a sentence more where there was no signal."""
    sentences = child_sentences(timeline, language)
    if not signals and timeline.episodes:
        sentences.append(say(language, "words_no_signals"))
    layers = [layer for _, layer in timeline.layers]
    if len(layers) == 1 and layers[0]:
        sentences.append(say(language, f"words_{layers[0]}_face"))
    elif any(layers):
        sentences.append(say(language, "words_partly_own_face"))
    return " ".join(sentences)


def signal_words(signal: Signal, language: str, now: datetime, running: bool) -> str:
    """A signal that was raised, how long it has lasted, and why. Plain text, without the time of day. ``now``: the end
    of the lesson where it is not ``running``."""
    lasted = duration(language, ((signal.end or now) - signal.start).total_seconds())
    return f"{signal_state(language, signal, running)}, {lasted}. {reason_text(language, signal)}"


def child_html(timeline: ChildTimeline, signals: Sequence[Signal], language: str, zone: str, now: datetime) -> Markup:
    """The child's lesson in words, and its signals; ``now``: the end of a lesson that is over."""
    return render(
        "teacher/child.html",
        language,
        words=child_summary(timeline, signals, language),
        signals=signals,
        signal_words=signal_words,
        running=timeline.lesson.ended_at is None,
        now=now,
        zone=zone,
    )
