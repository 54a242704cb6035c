"""A child's lesson in a few plain sentences."""

from collections import defaultdict
from collections.abc import Sequence
from html import escape

from analytics.drawing import picture
from analytics.signals import Signal
from analytics.texts import duration, say
from analytics.timeline import AWAY, ChildTimeline
from analytics.words import animal_name, clock, reason, state_name

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


def signal_words(signal: Signal, language: str) -> str:
    """A signal that was raised, how long it lasted, and why. Plain text, without the time of day."""
    end = signal.end or signal.raised
    lasted = duration(language, (end - signal.start).total_seconds())
    return f"{say(language, f'was_{signal.kind}')}, {lasted}. {reason(language, signal)}"


def signal_sentence(signal: Signal, language: str, zone: str) -> str:
    """The same behind its time of day."""
    return f"{clock(signal.start, zone)} — {signal_words(signal, language)}"


def child_words(timeline: ChildTimeline, signals: Sequence[Signal], language: str, zone: str) -> str:
    """Sentences and signals as HTML."""
    text = " ".join(child_sentences(timeline, language))
    if not signals and timeline.episodes:
        text += " " + say(language, "words_no_signals")
    lines = "".join(
        f'<li class="moment {escape(signal.kind)}">{picture(signal.kind)}'
        f"<span>{escape(signal_sentence(signal, language, zone))}</span></li>"
        for signal in signals
    )
    return f'<div class="teacher"><p>{escape(text)}</p><ul class="moments">{lines}</ul></div>'
