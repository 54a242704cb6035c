"""Every text that a teacher reads, English and Russian side by side so that neither can be forgotten.

`say(language, key, **values)` returns a finished sentence. Static labels of the page go through ``gr.I18n`` with the
same keys. Expressions are named in `emotion.labels.NAMES`, not here.
"""

from typing import Literal

from analytics.words.texts_about import ABOUT
from analytics.words.texts_animals import ANIMALS
from analytics.words.texts_calibration import CALIBRATION
from analytics.words.texts_errors import ERRORS
from analytics.words.texts_export import EXPORT
from analytics.words.texts_page import PAGE
from analytics.words.texts_signals import SIGNALS
from emotion.labels import NAMES, Emotion

Language = Literal["en", "ru"]
LANGUAGES: tuple[Language, ...] = ("en", "ru")

CHARTS: dict[str, tuple[str, str]] = {
    "synthetic": ("synthetic sample", "искусственный пример"),
    "synthetic_long": (
        "Synthetic sample: made by a program, no child was observed.",
        "Искусственный пример: создан программой, ни одного ребёнка не наблюдали.",
    ),
    "away": ("away", "не в кадре"),
    "tile_failing": ("{task}, failed ×{failures}", "{task}, не вышло ×{failures}"),
    "not_joined": ("not here yet", "ещё не на уроке"),
    "silent": ("no frames", "нет связи"),
    "probability_axis": ("share of expression", "доля выражения"),
    "probability_axis_short": ("expressions", "выражения"),
    "report_drawing": ("Timeline of the child", "График ребёнка"),
    "valence_axis": ("valence", "валентность"),
    "valence": ("valence", "валентность"),
    "arousal": ("arousal", "возбуждение"),
    "valence_pleasant": ("pleasant", "приятное"),
    "valence_unpleasant": ("unpleasant", "неприятное"),
    "time": ("time", "время"),
    "face": ("face seen", "лицо видно"),
    "yes": ("yes", "да"),
    "no": ("no", "нет"),
    "events": ("events", "события"),
    "signals": ("signals", "сигналы"),
    "episodes": ("episodes", "эпизоды"),
    "corrections": ("teacher's notes", "пометки учителя"),
    "event_task_started": ("{detail}: started", "{detail}: начато"),
    "event_task_solved": ("{detail}: solved", "{detail}: решено"),
    "event_task_failed": ("{detail}: failed", "{detail}: не вышло"),
    "event_hint": ("hint: {detail}", "подсказка: {detail}"),
    "event_break": ("break {detail}", "перерыв {detail}"),
    "event_note": ("note: {detail}", "заметка: {detail}"),
    "kind_task_started": ("started", "начато"),
    "kind_task_solved": ("solved", "решено"),
    "kind_task_failed": ("failed", "не вышло"),
    "kind_hint": ("hint", "подсказка"),
    "kind_break": ("break", "перерыв"),
    "kind_note": ("note", "заметка"),
    "kind_program_run": ("program run", "запуск программы"),
    "kind_robot_crashed": ("robot crashed", "робот сломался"),
    "kind_hint_shown": ("hint shown", "подсказка показана"),
    "kind_level": ("level", "уровень"),
    "kind_other": ("other", "другое"),
    "task_number": ("task {number}", "задание {number}"),
    "title_sample": ("Loops with the robot", "Циклы с роботом"),
    "title_sample_earlier": ("First steps {number}", "Первые шаги {number}"),
    "class_sample": ("Sample class", "Класс-пример"),
    "lesson_of": ("{title}, {date}", "{title}, {date}"),
    "mood_title": ("Class mood, last ten minutes", "Настроение класса за десять минут"),
    "mood_range": ("middle half of the class", "средняя половина класса"),
    "mood_median": ("middle of the class", "середина класса"),
    "distribution_title": ("This lesson beside earlier ones", "Этот урок рядом с прежними"),
    "expression": ("expression", "выражение"),
    "lowest": ("lowest", "наименьшее"),
    "highest": ("highest", "наибольшее"),
    "this_lesson": ("this lesson", "этот урок"),
    "earlier_lessons": ("earlier lessons", "прежние уроки"),
    "share_of_time": ("share of the time with a face", "доля времени с видимым лицом"),
    "share_of_time_table": (
        "Percent of the time in which a face was seen.",
        "Проценты времени, когда лицо было видно.",
    ),
    "more_than_ever": (
        "More than in any of the earlier lessons ({count}): {names}.",
        "Больше, чем на любом из прежних уроков ({count}): {names}.",
    ),
    "less_than_ever": (
        "Less than in any of the earlier lessons ({count}): {names}.",
        "Меньше, чем на любом из прежних уроков ({count}): {names}.",
    ),
    "as_ever": (
        "Every expression lies within what earlier lessons ({count}) showed.",
        "Все выражения — в пределах прежних уроков ({count}).",
    ),
    "trend_title": ("{animal}: lesson by lesson", "{animal}: урок за уроком"),
    "trend_interval": ("95 % interval", "95-процентный интервал"),
    "seconds": ("{seconds} s", "{seconds} с"),
    "minutes": ("{minutes} min", "{minutes} мин"),
    "minutes_seconds": ("{minutes} min {seconds} s", "{minutes} мин {seconds} с"),
    "hours_minutes": ("{hours} h {minutes} min", "{hours} ч {minutes} мин"),
    "nothing_yet": (
        "Nothing was recorded yet. Open the station page on the child's tablet and enter the lesson code.",
        "Записей пока нет. Откройте на планшете ребёнка страницу станции и введите код урока.",
    ),
}

TEXTS: dict[str, dict[str, str]] = {
    language: {
        key: pair[index].replace(" %", "\N{NO-BREAK SPACE}%")  # a sign of percent never begins a line
        for part in (CHARTS, PAGE, ABOUT, SIGNALS, CALIBRATION, ERRORS, EXPORT, ANIMALS)
        for key, pair in part.items()
    }
    for index, language in enumerate(LANGUAGES)
}


def say(language: str, key: str, **values: object) -> str:
    """The text ``key`` in ``language`` ("en" or "ru") with ``values`` put in. KeyError for an unknown key."""
    return TEXTS[language][key].format(**values)


def decimal(language: str, number: str) -> str:
    """``number`` with the decimal mark of ``language``: "0.5", "0,5"."""
    return number.replace(".", ",") if language == "ru" else number


def expression_name(language: str, state: str) -> str:
    """The name of an expression (one of the eight keys), of ``away`` or of ``silent``."""
    try:
        return NAMES[language][Emotion[state.upper()]]
    except KeyError:
        return TEXTS[language][state]


def duration(language: str, seconds: float) -> str:
    """A duration: "45 s", "1 min 40 s", "12 min", "1 h 5 min"; seconds are left out from ten minutes on."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    if minutes == 0:
        return say(language, "seconds", seconds=rest)
    if minutes >= 60:
        return say(language, "hours_minutes", hours=minutes // 60, minutes=minutes % 60)
    if minutes >= 10 or rest == 0:
        return say(language, "minutes", minutes=minutes)
    return say(language, "minutes_seconds", minutes=minutes, seconds=rest)
