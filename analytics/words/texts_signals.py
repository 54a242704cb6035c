"""The texts of support signals, (English, Russian), by the keys of `analytics.signals.support`."""

SIGNALS: dict[str, tuple[str, str]] = {
    "signal_distressed": ("looks distressed", "расстроенный вид"),
    "signal_struggling": ("may be stuck", "задание, похоже, не даётся"),
    "signal_unpleasant": ("looks unhappy", "невесёлый вид"),
    "signal_tired": ("looks tired", "усталый вид"),
    "signal_away": ("not in view", "нет в кадре"),
    "signal_delighted": ("looks happy", "радостный вид"),
    # what followed in the past tense, for a lesson that is over
    "was_distressed": ("looked distressed", "расстроенный вид"),
    "was_struggling": ("may have been stuck", "задание, похоже, не давалось"),
    "was_unpleasant": ("looked unhappy", "невесёлый вид"),
    "was_tired": ("looked tired", "усталый вид"),
    "was_away": ("was not in view", "не в кадре"),
    "was_delighted": ("looked happy", "радостный вид"),
    # reasons: one plain sentence with its evidence
    "reason_struggling_after_failure": (
        "{task} failed {times}; unhappy-looking face {percent} % of the time, usually {usual_percent} %.",
        "{task}: {times} не вышло; невесёлое лицо {percent} % времени, обычно {usual_percent} %.",
    ),
    "reason_failed_as_usual": (
        "{task} failed {times}; the face as usual.",
        "{task}: {times} не вышло; лицо как обычно.",
    ),
    "reason_failed_unseen": (
        "{task} failed {times}; the face was not seen.",
        "{task}: {times} не вышло; лица не было видно.",
    ),
    "reason_slow": (
        "{task}: {minutes} min; others took about {usual_minutes} min.",
        "{task}: {minutes} мин; у других около {usual_minutes} мин.",
    ),
    "reason_unpleasant": (
        "Unhappy-looking face {percent} % of the time, usually {usual_percent} %.",
        "Невесёлое лицо {percent} % времени, обычно {usual_percent} %.",
    ),
    "reason_tired": (
        "Over {minutes} min: lively face {expression_percent} % of the time, usually {usual_expression_percent} %; "
        "out of view {away_percent} %, usually {usual_away_percent} %.",
        "За {minutes} мин: живая мимика {expression_percent} % времени, обычно {usual_expression_percent} %; "
        "не в кадре {away_percent} %, обычно {usual_away_percent} %.",
    ),
    "reason_away": ("No face in the picture for {seconds}.", "Лицо не в кадре: {seconds}."),
    "reason_delighted_after_success": (
        "{task} solved; joy on the face {percent} % of the time, usually {usual_percent} %.",
        "{task}: получилось; радость на лице {percent} % времени, обычно {usual_percent} %.",
    ),
    "reason_delighted": (
        "Joy on the face {percent} % of the time, usually {usual_percent} %.",
        "Радость на лице {percent} % времени, обычно {usual_percent} %.",
    ),
    "reason_distressed": (
        "Fear or sadness on the face {percent} % of the time, usually {usual_percent} %.",
        "Страх или грусть на лице {percent} % времени, обычно {usual_percent} %.",
    ),
    "reason_changed": (
        "{expression} on the face {percent} % of the time, usually {usual_percent} %.",
        "{expression} на лице {percent} % времени, обычно {usual_percent} %.",
    ),
    # suggestions
    "suggest_break": ("Suggest a short break.", "Предложите короткий перерыв."),
    "suggest_ask_for_help": ("Ask whether help is wanted.", "Спросите, нужна ли помощь."),
    "suggest_hint": ("Offer a hint.", "Предложите подсказку."),
    "suggest_assistant": (
        "Let the helper character talk to the child.",
        "Пусть с ребёнком поговорит персонаж-помощник.",
    ),
    "suggest_teacher": ("Please check on the child.", "Подойдите, пожалуйста, к ребёнку."),
    "suggest_look": ("See whether the child is in place.", "Взгляните, на месте ли ребёнок."),
    "suggest_praise": ("A good moment for praise.", "Самое время похвалить."),
    # the same for a lesson that is over
    "next_break": ("Next time: an earlier break.", "В следующий раз: перерыв пораньше."),
    "next_ask_for_help": ("Next time: ask whether help is wanted.", "В следующий раз: спросить, нужна ли помощь."),
    "next_hint": ("Next time: offer a hint.", "В следующий раз: предложить подсказку."),
    "next_assistant": (
        "Next time: let the helper character talk to the child.",
        "В следующий раз: пусть с ребёнком поговорит персонаж-помощник.",
    ),
    "next_teacher": ("When you meet: ask how the child is.", "При встрече спросите, как дела."),
    "next_look": (
        "Next time: check that the camera sees the child.",
        "В следующий раз: проверить, попадает ли ребёнок в кадр.",
    ),
    "next_praise": ("Worth a word of praise when you meet.", "При встрече стоит похвалить."),
    "times_one": ("once", "один раз"),
    "times_two": ("twice", "дважды"),
    "times_few": ("{count} times", "{count} раза"),
    "times_many": ("{count} times", "{count} раз"),
    "since_for": ("for {time}", "уже {time}"),
    "lasted": ("at {time}, for {duration}", "(в {time}, {duration})"),
    "lasted_short": ("briefly, at {time}", "(недолго, в {time})"),
    "until_end": ("from {time} to the end", "с {time} до конца урока"),
    "small_group": (
        "Fewer than five children: class figures can give away a single child.",
        "Детей меньше пяти: по данным о классе можно узнать об отдельном ребёнке.",
    ),
    "small_group_hidden": (
        "Fewer than five children: figures of so small a class are switched off here (EMOTION_SMALL_GROUPS). "
        "The tab “Child” shows each child by itself.",
        "Детей меньше пяти: показатели столь малого класса здесь отключены (EMOTION_SMALL_GROUPS). "
        "Вкладка «Ребёнок» показывает каждого отдельно.",
    ),
    "more_than": ("more than {time}", "больше {time}"),
    "now_attention": ("{names} may need you now.", "{names}: возможно, сейчас нужна ваша помощь."),
    "and_more": ("{names} and {count} more", "{names} и ещё {count}"),
    "now_silent": (
        "No pictures from {names}: check the tablets. No signals from the others just now.",
        "Нет изображения: {names}. Проверьте планшеты. По остальным сигналов сейчас нет.",
    ),
    "now_silent_too": ("No pictures from {names}: check the tablets.", "Нет изображения: {names}. Проверьте планшеты."),
    "now_all_silent": (
        "No pictures arrive just now: check the tablets and the network.",
        "Сейчас нет изображения ни с одного планшета: проверьте планшеты и сеть.",
    ),
    "past_attention": (
        "In this lesson, {names} may have needed you.",
        "{names}: на этом уроке, возможно, нужна была помощь.",
    ),
    "past_calm": (
        "No signals of needing help in this lesson; your own impression counts more.",
        "На этом уроке сигналов о помощи не было; ваше впечатление важнее.",
    ),
}
