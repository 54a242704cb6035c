"""A child's lesson in a few plain sentences."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from html import escape

from analytics.charts.drawing import icon
from analytics.insight.timeline import AWAY, ChildTimeline
from analytics.signals.support import Signal
from analytics.words.sentences import animal_name, reason_text, signal_state, state_name, time_of_day
from analytics.words.texts import duration, say

STATES_NAMED = 3  # expressions that are named; the rest is in the chart


def child_sentences(timeline: ChildTimeline, language: str) -> list[str]:
    """How long the child was seen, which expressions led, how long it was away. Plain text."""
    name = animal_name(language, timeline.animal)
    seconds: dict[str, float] = defaultdict(float)
    for episode in timeline.episodes:
        seconds[episode.state] += episode.seconds
    away = seconds.pop(AWAY, 0.0)
    seen = sum(seconds.values())
    if not seen and not away:
        return [say(language, "no_child_data", animal=name)]
    sentences = [
        say(language, "words_seen", animal=name, seen=duration(language, seen), total=duration(language, seen + away))
    ]
    leading = sorted(seconds.items(), key=lambda item: -item[1])[:STATES_NAMED]
    if leading:
        states = ", ".join(f"{state_name(language, state)} {duration(language, spent)}" for state, spent in leading)
        sentences.append(say(language, "words_mostly", states=states))
    if away:
        sentences.append(say(language, "words_away", away=duration(language, away)))
    return sentences


def signal_words(signal: Signal, language: str, now: datetime, running: bool) -> str:
    """A signal that was raised, how long it has lasted, and why. Plain text, without the time of day. ``now``: the end
    of the lesson where it is not ``running``."""
    lasted = duration(language, ((signal.end or now) - signal.start).total_seconds())
    return f"{signal_state(language, signal, running)}, {lasted}. {reason_text(language, signal)}"


def signal_sentence(signal: Signal, language: str, zone: str, now: datetime, running: bool) -> str:
    """The same behind its time of day."""
    return f"{time_of_day(signal.start, zone)} — {signal_words(signal, language, now, running)}"


def child_words(timeline: ChildTimeline, signals: Sequence[Signal], language: str, zone: str, now: datetime) -> str:
    """Sentences and signals as HTML; ``now``: the end of a lesson that is over."""
    running = timeline.lesson.ended_at is None
    text = " ".join(child_sentences(timeline, language))
    if not signals and timeline.episodes:
        text += " " + say(language, "words_no_signals")
    lines = "".join(
        f'<li class="moment {escape(signal.kind)}">{icon(signal.kind)}'
        f"<span>{escape(signal_sentence(signal, language, zone, now, running))}</span></li>"
        for signal in signals
    )
    return f'<div class="teacher"><p>{escape(text)}</p><ul class="moments">{lines}</ul></div>'
