"""Sentences that are put together from values: animals, states, signals, times. Plain text; whoever puts it into HTML
escapes it."""

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from analytics.insight.feedback import parse_feedback
from analytics.signals.support import AWAY, DELIGHTED, Signal
from analytics.store.records import SAMPLE_CLASS, Lesson
from analytics.words.texts import TEXTS, decimal, duration, expression_name, say


def zone_of(name: str) -> tzinfo:
    """The zone called ``name`` (IANA); UTC where the browser named one that is not known here."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return UTC


def time_of_day(moment: datetime, zone: str) -> str:
    """ "10:15:03" on the wall clock of ``zone``."""
    return moment.astimezone(zone_of(zone)).strftime("%H:%M:%S")


def date_text(language: str, moment: datetime, zone: str) -> str:
    """The date in ``zone``: "2026-09-15", "15.09.2026"."""
    return moment.astimezone(zone_of(zone)).strftime("%d.%m.%Y" if language == "ru" else "%Y-%m-%d")


def date_time_text(language: str, moment: datetime, zone: str) -> str:
    """ "2026-09-15 10:15"."""
    return f"{date_text(language, moment, zone)} {time_of_day(moment, zone)[:5]}"


def animal_name(language: str, animal: str) -> str:
    """How a child is called: "Fox", "Лиса". A child that was erased keeps the start of its pseudonym as it is."""
    return TEXTS[language].get(f"animal_{animal}", animal)


def signed(language: str, value: float, digits: int) -> str:
    """ "−0.08", "+1.20" with a real minus; "−0,08" where commas are written."""
    return decimal(language, f"{value:+.{digits}f}").replace("-", "\N{MINUS SIGN}")


def detail_text(language: str, detail: str) -> str:
    """An event's detail. Programs report "task 4"; that much is translated, everything else stays as it was
    reported."""
    found = re.fullmatch(r"task (\d{1,4})", detail.strip())
    return say(language, "task_number", number=found[1]) if found else detail


def event_text(language: str, kind: str, detail: str) -> str:
    """An event in words: "task 4: failed"; a teacher's answer to a signal as "struggled: You have helped."."""
    feedback = parse_feedback(detail) if kind == "note" else None
    if feedback:
        return f"{say(language, f'was_{feedback.kind}')}: {say(language, f'answer_{feedback.answer}')}"
    return say(language, f"event_{kind}", detail=detail_text(language, detail)).strip(" :")


def correction_text(language: str, label: str, note: str) -> str:
    """A teacher's correction in words: "sad · was tired today"."""
    name = expression_name(language, label) if label else ""
    return " · ".join(part for part in (name, note) if part) or say(language, "label_none")


def lesson_title(language: str, lesson: Lesson) -> str:
    """The title; those of the synthetic lessons are ours and are translated."""
    if not lesson.synthetic:
        return lesson.title
    number = lesson.id.rpartition("-")[2]
    return say(language, "title_sample_earlier", number=number) if number.isdigit() else say(language, "title_sample")


def class_title(language: str, class_name: str) -> str:
    """The name of a class; that of the synthetic class is ours and is translated."""
    return say(language, "class_sample") if class_name == SAMPLE_CLASS else class_name


def times_text(language: str, count: int) -> str:
    """ "once", "twice", "3 times"; Russian has a form of its own for 2 to 4 (but not 12 to 14)."""
    if count in (1, 2):
        return say(language, "times_one" if count == 1 else "times_two")
    few = count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14)
    return say(language, "times_few" if few else "times_many", count=count)


def reason_text(language: str, signal: Signal) -> str:
    """Why the signal was raised: one sentence with its evidence."""
    values: dict[str, object] = {}
    for name, value in signal.evidence.items():
        if name == "seconds":
            values[name] = duration(language, float(value))
        elif name == "failures":
            values["times"] = times_text(language, round(float(value)))
        elif name == "task":
            values[name] = detail_text(language, str(value))
        else:
            values[name] = round(float(value))
    sentence = say(language, f"reason_{signal.reason_key}", **values)
    return sentence[:1].upper() + sentence[1:]


def signal_state(language: str, signal: Signal, running: bool) -> str:
    """What a signal says of a child: in the present only while it lasts and the lesson runs."""
    return say(language, f"{'signal' if signal.active and running else 'was'}_{signal.kind}")


def suggestion_text(language: str, signal: Signal, running: bool) -> str:
    """What an adult could do; of a lesson that is over: next time. The paper's list knows "teacher" alone for joy and
    for absence; here it is said what for."""
    what = {DELIGHTED: "praise", AWAY: "look"}.get(signal.kind, signal.suggestion_key)
    return say(language, f"suggest_{what}" if running else f"next_{what}")


def signal_when(language: str, signal: Signal, now: datetime, zone: str, running: bool) -> str:
    """ "for 1 min 40 s" while it lasts; "at 10:15:03, for 3 min" afterwards."""
    if signal.end is None and not running:
        return say(language, "until_end", time=time_of_day(signal.start, zone))
    if signal.end is None:
        return say(language, "since_for", time=duration(language, (now - signal.start).total_seconds()))
    lasted = duration(language, (signal.end - signal.start).total_seconds())
    return say(language, "lasted", time=time_of_day(signal.start, zone), duration=lasted)
