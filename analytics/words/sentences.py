"""Words and sentences made of values, in English or Russian: names, times, events, and what a signal says.

Everything here is plain text, not HTML.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from analytics.insight.feedback import parse_feedback
from analytics.signals.support import AWAY, DELIGHTED, Signal
from analytics.simulation.demonstration import speed_of
from analytics.store.erasing_plan import EXPORTS, FILE, HUB, LEFTOVERS, REWRITE, ROWS, SEARCH, UNREADABLE
from analytics.store.records import EVENT_KINDS, SAMPLE_CLASS, Lesson
from analytics.words.texts import TEXTS, decimal, duration, expression_name, say

TASK_EVENTS = ("task_started", "task_solved", "task_failed")
# Of the words that programs may use beside `EVENT_KINDS`, those that are translated.
NAMED_KINDS = ("program_run", "robot_crashed", "hint_shown", "level", "other")
SHORT_SECONDS = 20.0  # a signal that was over sooner is called short


def time_zone(name: str) -> tzinfo:
    """The zone called ``name`` (IANA); UTC for an unknown name."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return UTC


def time_of_day(moment: datetime, zone: str) -> str:
    """The time in ``zone``: "10:15:03"."""
    return moment.astimezone(time_zone(zone)).strftime("%H:%M:%S")


def date_text(language: str, moment: datetime, zone: str) -> str:
    """The date in ``zone``: "2026-09-15", "15.09.2026"."""
    return moment.astimezone(time_zone(zone)).strftime("%d.%m.%Y" if language == "ru" else "%Y-%m-%d")


def date_time_text(language: str, moment: datetime, zone: str) -> str:
    """Date and time in ``zone``: "2026-09-15 10:15", "15.09.2026 10:15"."""
    return f"{date_text(language, moment, zone)} {time_of_day(moment, zone)[:5]}"


def times_text(language: str, count: int) -> str:
    """How often: "once", "twice", "3 times"; "3 раза", "5 раз"."""
    if count in (1, 2):
        return say(language, "times_one" if count == 1 else "times_two")
    # Russian has a plural of its own for numbers that end in 2, 3 or 4, but not in 12, 13 or 14.
    few = count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14)
    return say(language, "times_few" if few else "times_many", count=count)


def erasing_text(language: str, steps: Sequence[str]) -> str:
    """How far an erasing is: how many of its steps are left, and of what. ``steps``: of an unfinished one."""
    copies = sum(step.startswith((SEARCH, REWRITE)) for step in steps)
    parts = [
        say(language, f"step_{step}") for step in (ROWS, EXPORTS, LEFTOVERS, FILE, HUB, UNREADABLE) if step in steps
    ]
    if copies:
        parts.append(say(language, "step_copies", count=copies))
    key = "erasing_left_one" if len(steps) == 1 else "erasing_left"
    return say(language, key, steps=len(steps), what=", ".join(parts))


def signed_number(language: str, value: float, digits: int) -> str:
    """A number with its sign: "−0.08", "+1.20"; "−0,08"."""
    return decimal(language, f"{value:+.{digits}f}").replace("-", "\N{MINUS SIGN}")


def animal_name(language: str, animal: str) -> str:
    """The animal that stands for a child: "Fox", "Лиса". An unknown one is returned as it is: a child that was erased
    is called by the start of its pseudonym."""
    return TEXTS[language].get(f"animal_{animal}", animal)


def child_code_text(language: str, code: str) -> str:
    """A child's code as its class reads and types it: "fox-4k7p", "лиса-4k7p"."""
    animal, hyphen, tail = code.partition("-")
    return f"{animal_name(language, animal).lower()}{hyphen}{tail}"


def class_title(language: str, class_name: str) -> str:
    """The name of a class. The name of the sample class is translated."""
    return say(language, "class_sample") if class_name == SAMPLE_CLASS else class_name


def lesson_title(language: str, lesson: Lesson) -> str:
    """The title of a lesson. The titles of synthetic lessons are translated."""
    if not lesson.synthetic:
        return lesson.title
    number = "" if speed_of(lesson.id) else lesson.id.rpartition("-")[2]
    return say(language, "title_sample_earlier", number=number) if number.isdigit() else say(language, "title_sample")


def played_text(language: str, lesson: Lesson, now: datetime, speed: int) -> str:
    """How far a lesson that is played ``speed`` times as fast is at ``now``, and that it is synthetic."""
    if lesson.ended_at is not None:
        return say(language, "played_again")
    minute = int((now - lesson.started_at).total_seconds() // 60)
    pace = say(language, "played_real" if speed == 1 else "played_fast")
    return say(language, "played", speed=pace, minute=minute, minutes=round(lesson.planned_minutes))


def detail_text(language: str, detail: str) -> str:
    """The detail of an event. Programs report "task 4": that is translated, everything else is returned as it is."""
    found = re.fullmatch(r"task (\d{1,4})", detail.strip())
    return say(language, "task_number", number=found[1]) if found else detail


def task_text(language: str, task: str) -> str:
    """The name of a task. One that is called "4" is "task 4": "4 solved" would read as a count."""
    bare = task.strip()
    return detail_text(language, f"task {bare}" if re.fullmatch(r"\d{1,4}", bare) else task)


def event_text(language: str, kind: str, detail: str) -> str:
    """An event: "task 4: failed". A teacher's answer to a signal: "struggled: You have helped."."""
    feedback = parse_feedback(detail) if kind == "note" else None
    if feedback:
        return f"{say(language, f'was_{feedback.kind}')}: {say(language, f'answer_{feedback.answer}')}"
    named = task_text if kind in TASK_EVENTS else detail_text
    if kind in EVENT_KINDS:
        return say(language, f"event_{kind}", detail=named(language, detail)).strip(" :")
    return f"{event_kind(language, kind)}: {detail}".strip(" :")


def event_kind(language: str, kind: str) -> str:
    """What is said of a kind of events; of a program's own word, the word."""
    return say(language, f"kind_{kind}") if kind in (*EVENT_KINDS, *NAMED_KINDS) else kind.replace("_", " ")


def correction_text(language: str, label: str, note: str) -> str:
    """A teacher's correction: "sad · slept badly"; the label or the note alone where the other is empty."""
    name = expression_name(language, label) if label else ""
    return " · ".join(part for part in (name, note) if part) or say(language, "label_none")


def signal_state(language: str, signal: Signal, running: bool) -> str:
    """The child's state that a signal tells of: "struggling" while it lasts and the lesson is ``running``, "struggled"
    afterwards."""
    return say(language, f"{'signal' if signal.active and running else 'was'}_{signal.kind}")


def signal_time_text(language: str, signal: Signal, now: datetime, zone: str, running: bool) -> str:
    """When a signal lasted: "for 1 min 40 s" up to ``now`` while the lesson is ``running``; else "at 10:15:03, for
    3 min", "briefly, at 10:15:03", or "from 10:15:03 to the end"."""
    if signal.end is None and not running:
        return say(language, "until_end", time=time_of_day(signal.start, zone))
    if signal.end is None:
        return say(language, "since_for", time=duration(language, (now - signal.start).total_seconds()))
    seconds = (signal.end - signal.start).total_seconds()
    if seconds < SHORT_SECONDS:
        return say(language, "lasted_short", time=time_of_day(signal.start, zone))
    lasted = duration(language, seconds)
    return say(language, "lasted", time=time_of_day(signal.start, zone), duration=lasted)


def reason_text(language: str, signal: Signal) -> str:
    """Why the signal was raised: one sentence with its evidence."""
    values: dict[str, object] = {}
    for name, value in signal.evidence.items():
        if name == "seconds":
            values[name] = duration(language, float(value))
        elif name == "failures":
            values["times"] = times_text(language, round(float(value)))
        elif name == "expression":
            values[name] = expression_name(language, str(value))
        elif name == "task":
            values[name] = task_text(language, str(value))
        else:
            values[name] = round(float(value))
    sentence = say(language, f"reason_{signal.reason_key}", **values)
    return sentence[:1].upper() + sentence[1:]


def suggestion_text(language: str, signal: Signal, running: bool) -> str:
    """What an adult could do now, or, of a lesson that is not ``running``, next time."""
    # For joy and for absence the paper's list knows only "teacher": here it says what the teacher would do.
    what = {DELIGHTED: "praise", AWAY: "look"}.get(signal.kind, signal.suggestion_key)
    return say(language, f"{'suggest' if running else 'next'}_{what}")
