"""Every word of the photograph's panel, English and Russian; a test compares the keys."""

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "intro": (
            "Choose a photograph, paste one, drop one here or take one with the camera. It is read in memory and not "
            "kept."
        ),
        "choose": "Choose a photograph",
        "another": "Another photo",
        "take": "Take the photograph",
        "photograph": "Your photograph",
        "example": "Example {number}",
        "examples": "Examples",
        "explain": "Where did the network look?",
        "heat_legend": "Orange to yellow: places that spoke most for this expression. Clear: those that hardly did.",
        "back": "Back to the photograph",
        "details": "Details for programs",
        # States
        "empty": "The bars stand here as soon as there is a photograph.",
        "reading": "The photograph is read …",
        "ready": "Look into the camera and press “Take the photograph”.",
        "no_face_found": (
            "No face was found. Try a photograph in which a face is larger, lit from the front and not covered."
        ),
        "one_face": "One face, read in {milliseconds} ms.",
        "many_faces": "{count} faces, read in {milliseconds} ms. Tap one in the photograph.",
        "low_quality": "This face is small, blurred or turned away: the bars are less reliable.",
        # What is in the way
        "too_large": "This file has more than {limit} MB. Choose a smaller one.",
        "connection": "The connection is lost. Choose the photograph again when it is back.",
        "server_trouble": "The server could not read the photograph. Try again in a moment.",
        "page_trouble": "Something on this page went wrong. Load it again and choose the photograph once more.",
        # Answers to programs
        "error_crowded": "Too many photographs arrive just now. Try again in a second.",
        "error_replaced": "A newer photograph of this station arrived first.",
        "error_no_such_face": "The photograph has no face of this number. They are counted from 0, the largest first.",
        "error_no_example": "There is no such example. Choose one of {names}.",
    },
    "ru": {
        "intro": (
            "Выберите фотографию, вставьте её из буфера, перетащите сюда или снимите камерой. Она читается в памяти и "
            "не сохраняется."
        ),
        "choose": "Выбрать фотографию",
        "another": "Другое фото",
        "take": "Сделать снимок",
        "photograph": "Ваша фотография",
        "example": "Пример {number}",
        "examples": "Примеры",
        "explain": "Куда смотрела сеть?",
        "heat_legend": (
            "От оранжевого к жёлтому: места, которые больше всего говорили за это выражение. Без цвета: те, что почти "
            "ничего не значили."
        ),
        "back": "Назад к фотографии",
        "details": "Подробности для программ",
        "empty": "Столбики появятся, как только будет фотография.",
        "reading": "Фотография читается…",
        "ready": "Посмотрите в камеру и нажмите «Сделать снимок».",
        "no_face_found": "Лицо не найдено. Возьмите снимок, где лицо крупнее, освещено спереди и не закрыто.",
        "one_face": "Одно лицо, время {milliseconds} мс.",
        "many_faces": "Лиц: {count}, время {milliseconds} мс. Коснитесь лица на снимке.",
        "low_quality": "Лицо мелкое, размытое или повёрнуто: столбики менее надёжны.",
        "too_large": "В этом файле больше {limit} МБ. Выберите файл поменьше.",
        "connection": "Связь пропала. Когда она вернётся, выберите фотографию ещё раз.",
        "server_trouble": "Сервер не смог прочитать фотографию. Попробуйте чуть позже.",
        "page_trouble": "На этой странице что-то пошло не так. Загрузите её заново и выберите фотографию ещё раз.",
        "error_crowded": "Сейчас приходит слишком много фотографий. Повторите через секунду.",
        "error_replaced": "Более новая фотография этой станции пришла раньше.",
        "error_no_such_face": "На фотографии нет лица с таким номером. Счёт начинается с 0, с самого крупного.",
        "error_no_example": "Такого примера нет. Выберите один из: {names}.",
    },
}

# Keys of the answers to programs, which the panel does not show by itself.
ANSWERS = "error_"
# Keys of the live mode's words that this panel shows too: it has the same camera and the same eight bars.
SHARED_KEYS = (
    "start", "stop", "preview", "bars", "opening", "off", "away", "camera_denied", "camera_missing", "camera_busy",
    "camera_lost", "camera_insecure", "browser_old",
)  # fmt: skip
