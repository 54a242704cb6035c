"""The texts of support signals, (English, Russian), by the keys of `analytics.signals.support`."""

SIGNALS: dict[str, tuple[str, str]] = {
    "signal_distressed": ("distressed", "расстроен(а)"),
    "signal_struggling": ("struggling", "испытывает трудности"),
    "signal_unpleasant": ("looks unhappy", "похоже на недовольство"),
    "signal_tired": ("tired", "похоже на усталость"),
    "signal_away": ("away", "нет в кадре"),
    "signal_delighted": ("delighted", "радуется"),
    # what followed in the past tense, for a lesson that is over
    "was_distressed": ("was distressed", "расстройство"),
    "was_struggling": ("struggled", "трудности"),
    "was_unpleasant": ("looked unhappy", "похоже на недовольство"),
    "was_tired": ("looked tired", "похоже на усталость"),
    "was_away": ("was away", "не в кадре"),
    "was_delighted": ("was delighted", "радость"),
    # reasons: one plain sentence with its evidence
    "reason_struggling_after_failure": (
        "{task} failed {times}; unpleasant expressions {percent} % of the time, usually {usual_percent} %.",
        "{task} не вышло {times}; неприятные выражения {percent} % времени, обычно {usual_percent} %.",
    ),
    "reason_failed_as_usual": (
        "{task} failed {times}; the face looks as usual.",
        "{task} не вышло {times}; лицо как обычно.",
    ),
    "reason_failed_unseen": (
        "{task} failed {times}; the face was not seen.",
        "{task} не вышло {times}; лица не было видно.",
    ),
    "reason_slow": (
        "{task} for {minutes} min; others needed {usual_minutes}.",
        "{task}: уже {minutes} мин; другим хватило {usual_minutes}.",
    ),
    "reason_unpleasant": (
        "Unpleasant expressions {percent} % of the time, usually {usual_percent} %.",
        "Неприятные выражения {percent} % времени, обычно {usual_percent} %.",
    ),
    "reason_tired": (
        "Over {minutes} min the face grew quieter ({expression_percent} % expressive, usually "
        "{usual_expression_percent} %) "
        "and was out of view {away_percent} % of the time, usually {usual_away_percent} %.",
        "За {minutes} мин лицо стало спокойнее (выразительность {expression_percent} %, обычно "
        "{usual_expression_percent} %) "
        "и было не в кадре {away_percent} % времени, обычно {usual_away_percent} %.",
    ),
    "reason_away": ("No face in the picture for {seconds}.", "Лицо не в кадре {seconds}."),
    "reason_delighted_after_success": (
        "{task} solved; joy {percent} % of the time, usually {usual_percent} %.",
        "{task} решено; радость {percent} % времени, обычно {usual_percent} %.",
    ),
    "reason_delighted": (
        "Joy {percent} % of the time, usually {usual_percent} %.",
        "Радость {percent} % времени, обычно {usual_percent} %.",
    ),
    "reason_distressed": (
        "Fear or sadness {percent} % of the time, usually {usual_percent} %.",
        "Страх или грусть {percent} % времени, обычно {usual_percent} %.",
    ),
    "reason_changed": (
        "{expression} {percent} % of the time, usually {usual_percent} %.",
        "{expression} {percent} % времени, обычно {usual_percent} %.",
    ),
    # suggestions
    "suggest_break": ("Suggest a short break.", "Предложите короткий перерыв."),
    "suggest_ask_for_help": ("Ask whether help is wanted.", "Спросите, нужна ли помощь."),
    "suggest_hint": ("Offer a hint.", "Предложите подсказку."),
    "suggest_assistant": (
        "Let the helper character talk to the child.",
        "Пусть с ребёнком поговорит персонаж-помощник.",
    ),
    "suggest_teacher": ("Go to the child now.", "Подойдите к ребёнку сейчас."),
    "suggest_look": ("See where the child is.", "Посмотрите, где ребёнок."),
    "suggest_praise": ("A moment for a word of praise.", "Самое время похвалить."),
    # the same for a lesson that is over
    "next_break": ("Next time: an earlier break.", "В следующий раз: перерыв пораньше."),
    "next_ask_for_help": ("Next time: ask whether help is wanted.", "В следующий раз: спросить, нужна ли помощь."),
    "next_hint": ("Next time: offer a hint.", "В следующий раз: предложить подсказку."),
    "next_assistant": (
        "Next time: let the helper character talk to the child.",
        "В следующий раз: пусть с ребёнком поговорит персонаж-помощник.",
    ),
    "next_teacher": ("Next time: go to the child at once.", "В следующий раз: сразу подойти к ребёнку."),
    "next_look": ("Ask where the child was.", "Узнайте, где был ребёнок."),
    "next_praise": ("Worth a word of praise when you meet.", "При встрече стоит похвалить."),
    "times_one": ("once", "один раз"),
    "times_two": ("twice", "дважды"),
    "times_few": ("{count} times", "{count} раза"),
    "times_many": ("{count} times", "{count} раз"),
    "since_for": ("for {time}", "уже {time}"),
    "lasted": ("at {time}, for {duration}", "в {time}, {duration}"),
    "lasted_short": ("briefly, at {time}", "недолго, в {time}"),
    "until_end": ("from {time} to the end", "с {time} до конца урока"),
    "small_group": (
        "Fewer than five children: what is said of the class says much of each of them.",
        "Детей меньше пяти: сказанное о классе многое говорит о каждом.",
    ),
    "small_group_hidden": (
        "Fewer than five children: figures of so small a class are switched off here (EMOTION_SMALL_GROUPS). "
        "The tab “Child” shows each child by itself.",
        "Детей меньше пяти: показатели столь малого класса здесь отключены (EMOTION_SMALL_GROUPS). "
        "Вкладка «Ребёнок» показывает каждого отдельно.",
    ),
    "more_than": ("more than {time}", "больше {time}"),
    "now_attention": ("{names} may need you now.", "Возможно, сейчас нужна ваша помощь: {names}."),
    "now_silent": (
        "No frames from {names}: check the tablets. Of the others nobody needs you just now.",
        "Нет связи: {names}. Проверьте планшеты. Остальным помощь сейчас не нужна.",
    ),
    "now_all_silent": (
        "No frames arrive just now: check the tablets and the network.",
        "Сейчас нет связи ни с одним планшетом: проверьте планшеты и сеть.",
    ),
    "past_attention": (
        "In this lesson, {names} may have needed you.",
        "На этом уроке помощь могла быть нужна: {names}.",
    ),
    "past_calm": ("In this lesson nobody seemed to need help.", "На этом уроке помощь, похоже, никому не была нужна."),
}
