"""Every word that people read on the station page and in its answers, English and Russian; a test compares the keys."""

from html import escape

from emotion.serving.texts import TEXTS as SERVER_TEXTS

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Expression station",
        "title_heading": "# Expression station",
        "tab_try": "Try it",
        "tab_live": "Live",
        "tab_lesson": "Lesson",
        "tab_about": "About",
        # Try it
        "photo": "Photograph",
        "meaning": (
            "**What this does not mean.** The bars describe an *expression*: how a face looks in one picture, "
            "compared with pictures that people have labelled. They do not tell what a person feels, thinks or is "
            "like. A concentrating child often looks “sad” or “angry”. Never use them for grades, discipline or a "
            "diagnosis."
        ),
        # About
        "about": (
            "The face is found, straightened and shown to a ResNet152 network, which answers with eight numbers "
            "that add up to one. Frames of a lesson are used in memory and dropped; what is kept is a pseudonym, "
            "the time, the eight numbers, the quality of the face and the version of the network.\n\n**Network:** "
            "{model}  \n**Computed by:** {runtime}"
        ),
        # Lesson: the form
        "lesson_heading": "Take part in a lesson",
        "lesson_code": "Lesson code",
        "child_code": "Your code",
        "lesson_code_hint": "6 letters and numbers, from your teacher",
        "child_code_hint": "like fox-4k7p",
        "you_are": "You are",
        "other_child": "Not you? Type your code",
        "consent_heading": "Before we start",
        "consent_text": (
            "The camera looks at your face once a second and the computer writes down how your face looks: happy, "
            "surprised, calm and so on. No picture is kept. Your teacher sees it to notice when you need help. You "
            "can pause or stop at any time, and nobody will be cross."
        ),
        "consent_adult": (
            "Recorded are a pseudonym, the time and eight probabilities of the expression, and only if "
            "the school has a parent's or guardian's consent on file. They are deleted after {days} days. An "
            "expression is not a feeling; it is not used for grades or discipline."
        ),
        "consent_accept": "I understand, and I want to take part",
        "start": "Start",
        "pause": "Pause",
        "resume": "Go on",
        "stop": "Stop",
        "again": "Ask for the camera again",
        "preview": "What the camera sees",
        "for_teacher": "For the teacher",
        "for_adults": "For adults",
        "rate": "Frames a second",
        # Lesson: states
        "ready": "Ready when you are.",
        "starting": "Just a moment …",
        "recording": "The camera is on. Have fun!",
        "paused": "Pause. Nothing is recorded now.",
        "stopped": "You stopped. The camera is off.",
        "came_back": "You are back! Press “Go on” and the camera starts again.",
        # Lesson: what can go wrong, in words for a child
        "need_codes": "Please type the lesson code and your own code.",
        "need_consent": "Please read the text and tick the box first.",
        "camera_denied": "The camera is not allowed. Ask your teacher to allow the camera for this page.",
        "camera_missing": "I can't find a camera. Is it plugged in? Please call your teacher.",
        "camera_busy": "Another program is using the camera. Please call your teacher.",
        "camera_insecure": "The camera works only on a safe page (https). Please call your teacher.",
        "no_face": "I can't see your face. Please sit in front of the camera.",
        "second_face": "I see two faces. Only one child at a time, please.",
        "connection": "The connection is lost. I keep trying. You can go on with your task.",
        "busy": "Lots of children are here. I am a little slower now.",
        "lesson_ended": "The lesson is over. Thank you! The camera is off.",
        "no_consent": "I have no permission for you yet. Please tell your teacher. Nothing is recorded.",
        "unknown_lesson": "I don't know this lesson code. Please check it.",
        "unknown_child": "I don't know this child's code. Please check it.",
        "recording_disabled": "This is a public demonstration: lessons can't be recorded here.",
        "other_tablet": "Somebody uses your code on another tablet. Are you here now? Then press “I am here”.",
        "here": "I am here",
        "browser_old": "This browser is too old for a lesson. Please call your teacher: the README names newer ones.",
        "page_trouble": "Something on this page went wrong. I keep trying. Please tell your teacher.",
        "server_trouble": "Something went wrong on the computer of the school. I keep trying.",
        # Answers to programs: what was wrong, with what, what to do
        "error_unknown_lesson": (
            "No lesson has the code {lesson}. Take the code from the teacher page, or start a lesson there."
        ),
        "error_unknown_child": (
            "No child of this class has the code {child}. Check the code, or enrol the child on the teacher page."
        ),
        "error_in_future": (
            "The time {at} lies in the future: it is {now} on the server. Set the clock, leave the time out, or send "
            "age, the seconds that have passed, under /api/v1/."
        ),
        "error_two_times": "Send the time (at) or the seconds that have passed since then (age), not both.",
        "error_before_lesson": "The time {at} lies before the start of the lesson. Check the time and its zone.",
        "error_bad_time": "{at} is not a time. Use ISO 8601 with a zone, for example 2026-11-22T09:30:00Z.",
        "error_no_zone": "The time {at} has no zone. Add one, for example 2026-11-22T09:30:00Z.",
        "error_no_image": "There is no image. Send one picture, JPEG if possible.",
        "error_bad_form": (
            "No picture can be taken out of this request. Send the picture itself as the body (curl --data-binary "
            "@frame.jpg), or as the only file of a form (curl -F image=@frame.jpg)."
        ),
        "error_too_large": "The image is larger than {limit} MB. Send a smaller one; 640x480 is enough.",
        "error_bad_identifier": "{id} can't be used as an id. Use up to 64 letters, digits and hyphens.",
        "error_bad_event": (
            "{kind} is not a kind of event. Use one of {kinds}, or a word of your own that does not begin with task_: "
            "up to 40 small letters, digits and underscores, such as robot_crashed."
        ),
        "error_bad_cursor": "{cursor} is no cursor of this address. Leave it out to start from the beginning.",
        "error_class_event": (
            "With the lesson's code an event is of one child: name it. For the whole class use the lesson's id, which "
            "a teacher's program gets when it starts or lists lessons."
        ),
        "error_other_event": "This id is another event's of the lesson, which stays: give each event an id of its own.",
        "error_too_many_events": (
            "More than {limit} events a minute of one child. Wait {seconds} seconds; a call with the same id is "
            "recorded once."
        ),
        "error_too_many_class_events": (
            "More than {limit} events a minute of the whole class. Wait {seconds} seconds; a call with the same id is "
            "recorded once."
        ),
        "error_too_many_lesson_events": (
            "More than {limit} events a minute of all children of the lesson. Wait {seconds} seconds; a call with the "
            "same id is recorded once."
        ),
        "error_bad_text": "The argument {name} must be a text of at most {limit} characters. Shorten or correct it.",
        "error_no_consent": (
            "No consent for this child holds now: none was given, or it ended. Record it on the teacher page first."
        ),
        "error_before_consent": (
            "This child's consent was given after the time that was sent. Check the time and its zone."
        ),
        "error_other_tablet": (
            "Another tablet records with this child's code. Ask for admission with take=true to go on here instead."
        ),
        "error_lesson_ended": "The lesson has ended. Start a new one on the teacher page.",
        "error_recording_disabled": (
            "Recording is off: this public Space has no EMOTION_SECRET. Set one, or run the app at home."
        ),
        "error_unknown_code": (
            "No link has this code, or its hour is over. Make a new link on the teacher page (“Class and lessons”)."
        ),
        "error_no_calibration_consent": (
            "There is no consent to fit the network to this child's face. Put it on file on the teacher page."
        ),
        "error_bad_label": "{label} is no expression. Use one of {labels}.",
        "error_bad_burst": "{burst} is no number of a burst. Use a whole number from 0 to {limit}.",
        "error_other_label": "Burst {burst} is of another expression. Use a new number.",
        "error_too_many_images": "{count} images are too many at once. Send at most {limit}.",
        "error_replaced": "A newer frame of this child arrived first. Send fewer frames a second.",
        "error_too_many_frames": "More than {limit} frames a second of one child. Send fewer; one is enough.",
        "error_not_served": (
            "The server could not finish this request; nothing recorded is lost. Look at its log, then try again."
        ),
        "image_unreadable": "The picture can't be read. Send it again.",
        "image_not_found": "The picture is no longer here. Send it again.",
        "image_not_an_image": "This file is not a picture. Use JPEG, PNG or WebP.",
        "image_unsupported_format": (
            "Files of the format {format} can't be read here. Save the picture as JPEG and send that; an iPhone takes "
            "JPEG when Settings, Camera, Formats is set to Most Compatible."
        ),
        "image_damaged": "The picture is damaged. Save it again as JPEG or PNG and send that.",
        "image_truncated": "The picture breaks off before its end. Send it again, completely.",
        "image_too_large": "The picture has too many pixels. Reduce it to 50 megapixels or fewer.",
        "image_unsupported_mode": "This kind of pixel is not supported. Save the picture as an ordinary JPEG or PNG.",
        "image_no_camera_frame": "A frame of a lesson is one JPEG or WebP picture. Save it as JPEG and send that.",
        "image_too_costly": "This picture takes too long to open. Save it as an ordinary JPEG and send that.",
        "image_unsupported_array": "This array is not a picture. Use height x width x 3, values 0 to 255.",
    },
    "ru": {
        "title": "Станция выражений лица",
        "title_heading": "# Станция выражений лица",
        "tab_try": "Попробовать",
        "tab_live": "Вживую",
        "tab_lesson": "Урок",
        "tab_about": "О программе",
        "photo": "Фотография",
        "meaning": (
            "**Чего это не означает.** Столбики описывают *выражение*: как лицо выглядит на одном снимке по "
            "сравнению со снимками, которые разметили люди. Они не говорят, что человек чувствует, думает и какой "
            "он. Сосредоточенный ребёнок часто выглядит «грустным» или «злым». Не используйте их для оценок, "
            "наказаний или диагнозов."
        ),
        "about": (
            "Лицо находится, выравнивается и показывается сети ResNet152, которая отвечает восемью числами с "
            "суммой единица. Кадры урока используются в памяти и отбрасываются; хранятся псевдоним, время, восемь "
            "чисел, качество лица и версия сети.\n\n**Сеть:** {model}  \n**Вычисляет:** {runtime}"
        ),
        "lesson_heading": "Участвовать в уроке",
        "lesson_code": "Код урока",
        "child_code": "Твой код",
        "lesson_code_hint": "6 букв и цифр, даёт учитель",
        "child_code_hint": "например, лиса-4k7p",
        "you_are": "Ты —",
        "other_child": "Это не ты? Введи свой код",
        "consent_heading": "Прежде чем начать",
        "consent_text": (
            "Камера раз в секунду смотрит на твоё лицо, и компьютер записывает, как оно выглядит: радостное, "
            "удивлённое, спокойное и так далее. Снимки не сохраняются. Учитель видит это, чтобы заметить, когда "
            "тебе нужна помощь. Можно сделать паузу или остановиться в любой момент, и никто не рассердится."
        ),
        "consent_adult": (
            "Записываются псевдоним, время и восемь вероятностей выражения лица, и только если в "
            "школе есть согласие родителя или опекуна. Они удаляются через {days} дн. Выражение лица — не чувство; "
            "оно не используется для оценок и наказаний."
        ),
        "consent_accept": "Я понимаю и хочу участвовать",
        "start": "Начать",
        "pause": "Пауза",
        "resume": "Дальше",
        "stop": "Стоп",
        "again": "Ещё раз попросить камеру",
        "preview": "Что видит камера",
        "for_teacher": "Для учителя",
        "for_adults": "Для взрослых",
        "rate": "Кадров в секунду",
        "ready": "Можно начинать.",
        "starting": "Одну минутку…",
        "recording": "Камера включена. Удачи!",
        "paused": "Пауза. Сейчас ничего не записывается.",
        "stopped": "Запись остановлена. Камера выключена.",
        "came_back": "С возвращением! Нажми «Дальше», и камера снова включится.",
        "need_codes": "Введи, пожалуйста, код урока и свой код.",
        "need_consent": "Сначала прочитай текст и поставь галочку.",
        "camera_denied": "Камера не разрешена. Попроси учителя разрешить камеру для этой страницы.",
        "camera_missing": "Не вижу камеру. Она подключена? Позови, пожалуйста, учителя.",
        "camera_busy": "Камеру заняла другая программа. Позови, пожалуйста, учителя.",
        "camera_insecure": "Камера работает только на безопасной странице (https). Позови, пожалуйста, учителя.",
        "no_face": "Не вижу твоего лица. Сядь, пожалуйста, перед камерой.",
        "second_face": "Вижу два лица. Пожалуйста, только один ребёнок за раз.",
        "connection": "Связь пропала. Я пробую снова. Можно продолжать задание.",
        "busy": "Сейчас много ребят. Я работаю чуть медленнее.",
        "lesson_ended": "Урок закончен. Спасибо! Камера выключена.",
        "no_consent": "Для тебя пока нет разрешения. Скажи, пожалуйста, учителю. Ничего не записывается.",
        "unknown_lesson": "Не знаю такого кода урока. Проверь его, пожалуйста.",
        "unknown_child": "Не знаю такого кода ребёнка. Проверь его, пожалуйста.",
        "recording_disabled": "Это открытая демонстрация: уроки здесь не записываются.",
        "other_tablet": "Твой код уже введён на другом планшете. Ты теперь здесь? Тогда нажми «Я здесь».",
        "here": "Я здесь",
        "browser_old": "Этот браузер слишком старый для урока. Позови учителя: подходящие названы в README.",
        "page_trouble": "На этой странице что-то пошло не так. Я пробую снова. Скажи, пожалуйста, учителю.",
        "server_trouble": "На школьном компьютере что-то пошло не так. Я пробую снова.",
        "error_unknown_lesson": "Нет урока с кодом {lesson}. Возьмите код на странице учителя или начните там урок.",
        "error_unknown_child": (
            "В этом классе нет ребёнка с кодом {child}. Проверьте код или запишите ребёнка на странице учителя."
        ),
        "error_in_future": (
            "Время {at} лежит в будущем: на сервере сейчас {now}. Проверьте часы, не передавайте время или по /api/v1/ "
            "передайте age, сколько секунд прошло."
        ),
        "error_two_times": "Передайте время (at) или сколько секунд прошло с тех пор (age), но не то и другое.",
        "error_before_lesson": "Время {at} раньше начала урока. Проверьте время и его часовой пояс.",
        "error_bad_time": "{at} — не время. Используйте ISO 8601 с часовым поясом, например 2026-11-22T09:30:00Z.",
        "error_no_zone": "Во времени {at} нет часового пояса. Добавьте его, например 2026-11-22T09:30:00Z.",
        "error_no_image": "Нет изображения. Пришлите один снимок, лучше JPEG.",
        "error_bad_form": (
            "Из этого запроса не удаётся взять снимок. Пришлите сам снимок телом запроса (curl --data-binary "
            "@frame.jpg) или единственным файлом формы (curl -F image=@frame.jpg)."
        ),
        "error_too_large": "Изображение больше {limit} МБ. Пришлите меньшее; достаточно 640x480.",
        "error_bad_identifier": "{id} не годится как id. Используйте до 64 букв, цифр и дефисов.",
        "error_bad_event": (
            "{kind} — неизвестный вид события. Используйте один из: {kinds}, или своё слово не на task_: до 40 "
            "строчных латинских букв, цифр и знаков подчёркивания, например robot_crashed."
        ),
        "error_bad_cursor": "{cursor} — не указатель этого адреса. Не передавайте его, чтобы начать сначала.",
        "error_class_event": (
            "С кодом урока событие относится к одному ребёнку: укажите его. Для всего класса нужен id урока: его "
            "получает программа учителя, когда начинает урок или запрашивает список уроков."
        ),
        "error_other_event": "Этот id уже у другого события урока, и оно остаётся: дайте каждому событию свой id.",
        "error_too_many_events": (
            "Больше {limit} событий в минуту от одного ребёнка. Подождите {seconds} с; вызов с тем же id записывается "
            "один раз."
        ),
        "error_too_many_class_events": (
            "Больше {limit} событий в минуту для всего класса. Подождите {seconds} с; вызов с тем же id записывается "
            "один раз."
        ),
        "error_too_many_lesson_events": (
            "Больше {limit} событий в минуту от всех детей урока. Подождите {seconds} с; вызов с тем же id "
            "записывается один раз."
        ),
        "error_bad_text": "Аргумент {name} должен быть текстом не длиннее {limit} знаков. Сократите или исправьте его.",
        "error_no_consent": (
            "Для этого ребёнка нет действующего согласия: его не давали или оно закончилось. Сначала внесите его на "
            "странице учителя."
        ),
        "error_before_consent": (
            "Согласие для этого ребёнка дано позже присланного времени. Проверьте время и его часовой пояс."
        ),
        "error_other_tablet": (
            "С кодом этого ребёнка уже записывает другой планшет. Чтобы продолжить здесь, запросите допуск с take=true."
        ),
        "error_lesson_ended": "Урок закончен. Начните новый на странице учителя.",
        "error_recording_disabled": (
            "Запись выключена: у этого открытого Space нет EMOTION_SECRET. Задайте его или запустите программу у себя."
        ),
        "error_unknown_code": (
            "Ссылки с таким кодом нет, или её час прошёл. Создайте новую на странице учителя («Класс и уроки»)."
        ),
        "error_no_calibration_consent": (
            "Нет согласия на настройку сети по лицу этого ребёнка. Отметьте его на странице учителя."
        ),
        "error_bad_label": "{label} — не выражение. Используйте одно из: {labels}.",
        "error_bad_burst": "{burst} — не номер серии. Используйте целое число от 0 до {limit}.",
        "error_other_label": "Серия {burst} — другого выражения. Возьмите новый номер.",
        "error_too_many_images": "{count} изображений сразу — слишком много. Пришлите не больше {limit}.",
        "error_replaced": "Более новый кадр этого ребёнка пришёл раньше. Присылайте реже.",
        "error_too_many_frames": "Больше {limit} кадров в секунду от одного ребёнка. Достаточно одного.",
        "error_not_served": (
            "Сервер не смог выполнить запрос; записанное раньше не потеряно. Посмотрите его журнал и повторите."
        ),
        "image_unreadable": "Снимок не читается. Пришлите его ещё раз.",
        "image_not_found": "Снимка здесь больше нет. Пришлите его ещё раз.",
        "image_not_an_image": "Этот файл — не снимок. Используйте JPEG, PNG или WebP.",
        "image_unsupported_format": (
            "Файлы в формате {format} здесь не читаются. Сохраните снимок как JPEG и пришлите его; iPhone снимает в "
            "JPEG, если в настройках выбрано: Камера, Форматы, Наиболее совместимые."
        ),
        "image_damaged": "Снимок повреждён. Сохраните его заново как JPEG или PNG и пришлите.",
        "image_truncated": "Снимок обрывается. Пришлите его ещё раз, целиком.",
        "image_too_large": "В снимке слишком много точек. Уменьшите его до 50 мегапикселей.",
        "image_unsupported_mode": "Такие точки не поддерживаются. Сохраните снимок как обычный JPEG или PNG.",
        "image_no_camera_frame": "Кадр урока — один снимок JPEG или WebP. Сохраните его как JPEG и пришлите.",
        "image_too_costly": "Этот снимок открывается слишком долго. Сохраните его как обычный JPEG и пришлите.",
        "image_unsupported_array": "Этот массив — не снимок. Нужно высота x ширина x 3, значения от 0 до 255.",
    },
}

TEXTS = {language: SERVER_TEXTS[language] | words for language, words in WORDS.items()}

# The keys that the lesson panel's script shows by itself, in the browser.
LESSON_KEYS: tuple[str, ...] = (
    "lesson_heading", "lesson_code", "child_code", "lesson_code_hint", "child_code_hint", "you_are", "other_child",
    "consent_heading",
    "consent_text", "consent_adult", "consent_accept", "start", "pause", "resume", "stop", "again", "preview",
    "for_teacher", "for_adults", "rate", "ready", "starting", "recording", "paused", "stopped", "came_back",
    "need_codes", "need_consent",
    "camera_denied", "camera_missing", "camera_busy", "camera_insecure", "no_face", "second_face", "connection", "busy",
    "lesson_ended", "no_consent", "unknown_lesson", "unknown_child", "recording_disabled", "server_trouble",
    "other_tablet", "here", "browser_old", "page_trouble",
)  # fmt: skip


def say(language: str, key: str, **values: object) -> str:
    """The text of ``key`` in ``language`` (``en`` or ``ru``) with ``values`` filled in. Raises KeyError for others."""
    return TEXTS[language][key].format(**values)


def quoted(value: object, length: int = 60) -> str:
    """A visitor's own value as it may stand in a message: shortened, quoted, and harmless where HTML is read."""
    text = str(value)
    return escape(f"“{text[:length]}…”" if len(text) > length else f"“{text}”", quote=False)
