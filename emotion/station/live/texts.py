"""Every word of the live mode, English and Russian; a test compares the keys."""

WORDS: dict[str, dict[str, str]] = {
    "en": {
        # The panel
        "intro": ("The camera is read several times a second. Nothing is stored; it is gone when you leave the page."),
        "start": "Start the camera",
        "stop": "Stop",
        "preview": "What your camera sees",
        "bars": "Expression of the largest face",
        "speed": "{rate} frames a second · {milliseconds} ms each (server: {server} ms)",
        "last_minutes": "The last two minutes",
        "timeline_empty": "nothing yet",
        "timeline_summary": "on average: {shares}",
        "now": "now",
        "minute": "min",
        # States
        "off": "The camera is off.",
        "opening": "Please allow the camera …",
        "on": "The camera is on.",
        "away": "The page was out of sight, so the camera was switched off.",
        # What is in the way
        "no_face": "No face is seen. Sit in front of the camera, with light on your face.",
        "more_faces": "{count} faces are seen; the bars are of the largest.",
        "poor_face": "The face is small, dark, blurred or turned away: the bars are less reliable.",
        "camera_denied": (
            "The camera is not allowed for this page. Allow it in the browser, beside the page's address, and press "
            "“Start the camera”."
        ),
        "camera_missing": "No camera is found. Connect one and press “Start the camera”.",
        "camera_busy": "The camera is used by another program. Close that program and press “Start the camera”.",
        "camera_lost": "The camera has gone. Connect it again and press “Start the camera”.",
        "camera_insecure": (
            "Browsers open a camera only on this computer itself (http://localhost) or over https. Open the page so, "
            "or take a photograph instead."
        ),
        "browser_old": "This browser is too old for the live mode. The README names newer ones.",
        "connection": "The connection is lost. It goes on by itself as soon as it is back.",
        "busy": "Many people are here: answers come a little slower now.",
        "lesson_runs": "A lesson runs on this server, and its frames come first. Live goes on by itself after it.",
        "server_trouble": "The server could not answer. It is tried again.",
        "page_trouble": "Something on this page went wrong. It is tried again.",
        # Answers to programs
        "error_too_many": "More than {limit} live frames a second of one address. Send fewer.",
        "error_crowded": "Too many live frames arrive just now. Try again in a second.",
        "error_lesson_runs": "A lesson runs, and its frames come first. Try again when it is over.",
        "error_replaced": "A newer frame of this station arrived first. Send the next one after the answer.",
    },
    "ru": {
        "intro": (
            "Камера читается несколько раз в секунду. Ничего не сохраняется: всё исчезнет, когда вы покинете страницу."
        ),
        "start": "Включить камеру",
        "stop": "Стоп",
        "preview": "Что видит ваша камера",
        "bars": "Выражение самого крупного лица",
        "speed": "{rate} кадра в секунду · {milliseconds} мс на кадр (сервер: {server} мс)",
        "last_minutes": "Последние две минуты",
        "timeline_empty": "пока ничего",
        "timeline_summary": "в среднем: {shares}",
        "now": "сейчас",
        "minute": "мин",
        "off": "Камера выключена.",
        "opening": "Разрешите, пожалуйста, камеру…",
        "on": "Камера включена.",
        "away": "Страницы не было видно, поэтому камера выключена.",
        "no_face": "Лица не видно. Сядьте перед камерой, чтобы лицо было освещено.",
        "more_faces": "Видно лиц: {count}. Столбики — для самого крупного.",
        "poor_face": "Лицо мелкое, тёмное, размытое или повёрнуто: столбики менее надёжны.",
        "camera_denied": (
            "Камера для этой страницы не разрешена. Разрешите её в браузере, рядом с адресом страницы, и нажмите "
            "«Включить камеру»."
        ),
        "camera_missing": "Камера не найдена. Подключите её и нажмите «Включить камеру».",
        "camera_busy": "Камеру заняла другая программа. Закройте её и нажмите «Включить камеру».",
        "camera_lost": "Камера пропала. Подключите её снова и нажмите «Включить камеру».",
        "camera_insecure": (
            "Браузеры открывают камеру только на самом этом компьютере (http://localhost) или по https. Откройте "
            "страницу так или возьмите фотографию."
        ),
        "browser_old": "Этот браузер слишком старый для живой камеры. Подходящие названы в README.",
        "connection": "Связь пропала. Как только она вернётся, всё продолжится само.",
        "busy": "Сейчас много посетителей: ответы приходят чуть медленнее.",
        "lesson_runs": "На этом сервере идёт урок, его кадры важнее. После урока всё продолжится само.",
        "server_trouble": "Сервер не смог ответить. Попытка повторяется.",
        "page_trouble": "На этой странице что-то пошло не так. Попытка повторяется.",
        "error_too_many": "Больше {limit} живых кадров в секунду с одного адреса. Присылайте реже.",
        "error_crowded": "Сейчас приходит слишком много живых кадров. Повторите через секунду.",
        "error_lesson_runs": "Идёт урок, его кадры важнее. Повторите, когда он закончится.",
        "error_replaced": "Более новый кадр этой станции пришёл раньше. Присылайте следующий после ответа.",
    },
}

# Keys of the answers to programs, which the panel does not show by itself.
ANSWERS = "error_"
