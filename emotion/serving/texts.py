"""The server's own answers to people and programs, English and Russian; a test compares the keys."""

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "error_too_often": "Too many requests. Wait {seconds} seconds, then send fewer.",
        "error_body_too_large": "More than {limit} in one request. Send less; files have an upload of their own.",
        "error_too_slow": "The request did not arrive within {limit} seconds. Send it again.",
        "error_two_lengths": "This request states its length twice. Content-Length or Transfer-Encoding, not both.",
        "error_bad_call": "These arguments do not fit. Look at the page's API: how many there are, and of which kind.",
        "error_no_function": "There is no such function. The page's API lists those that there are.",
        "error_no_stream": "There is no such answer here: it was fetched already, or somebody else asked for it.",
        "error_no_length": "An upload says its length beforehand (Content-Length). Send it again so.",
        "error_no_room": "Too many pictures are here just now. Try again in two minutes, with fewer or smaller ones.",
        "error_upload_fields": "An upload holds up to {most} files in the field “files”, nothing else. None was kept.",
        "error_queue_full": "Too many calls are waiting. Try again in {seconds} seconds.",
        "error_unexpected": (
            "Something went wrong that nobody foresaw; nothing that was recorded is lost. Try again; the server's log "
            "says more."
        ),
        "error_metrics_closed": (
            "The metrics are for this computer only. Set EMOTION_METRICS_TOKEN and send it as a bearer token."
        ),
        "error_no_address": "There is nothing at this address. The station is at /, the teacher page at /teacher.",
        "error_arguments": "These arguments are missing or of another kind: {where}. All are described at {address}.",
        "error_no_json": "The body is not JSON, or not in UTF-8. Send it with Content-Type: application/json.",
        "error_method": "This address is asked with another method: GET to read, POST to change.",
        "error_cross_site": (
            "A page of another site made this request: open the station or the teacher page itself. Or a proxy in "
            "front does not pass the Host header on: the README says what it must send. Programs of other sites are "
            "served under /api/v1/ if the server names them (EMOTION_ALLOWED_ORIGINS), a teacher's with a token."
        ),
        "image_not_found": "The picture did not arrive. Send it again.",
    },
    "ru": {
        "error_too_often": "Слишком много запросов. Подождите {seconds} с и присылайте реже.",
        "error_body_too_large": "Больше {limit} в одном запросе. Пришлите меньше; файлы загружаются отдельно.",
        "error_too_slow": "Запрос не пришёл за {limit} с. Пришлите его ещё раз.",
        "error_two_lengths": "Длина запроса указана дважды. Пришлите Content-Length или Transfer-Encoding, но не оба.",
        "error_bad_call": "Эти аргументы не подходят. Посмотрите в описании API, сколько их и какие они.",
        "error_no_function": "Такой функции нет. Какие есть, сказано в описании API страницы.",
        "error_no_stream": "Такого ответа здесь нет: его уже забрали, или спрашивал кто-то другой.",
        "error_no_length": "Загрузка заранее сообщает свою длину (Content-Length). Пришлите её так ещё раз.",
        "error_no_room": "Сейчас здесь слишком много снимков. Повторите через две минуты: меньше или поменьше.",
        "error_upload_fields": "В загрузке — до {most} файлов в поле «files» и ничего больше. Ничего не сохранено.",
        "error_queue_full": "Слишком много вызовов ждут очереди. Попробуйте ещё раз через {seconds} с.",
        "error_unexpected": (
            "Произошло непредвиденное; записанное не потеряно. Попробуйте ещё раз; подробности в журнале сервера."
        ),
        "error_metrics_closed": (
            "Показатели видны только с этого компьютера. Задайте EMOTION_METRICS_TOKEN и присылайте его как bearer."
        ),
        "error_no_address": "По этому адресу ничего нет. Станция — на /, страница учителя — на /teacher.",
        "error_arguments": "Этих аргументов нет, или они другого вида: {where}. Все описаны по адресу {address}.",
        "error_no_json": "Тело запроса — не JSON или не в UTF-8. Пришлите его с Content-Type: application/json.",
        "error_method": "К этому адресу обращаются другим методом: GET, чтобы прочитать, POST, чтобы изменить.",
        "error_cross_site": (
            "Этот запрос сделала страница другого сайта: откройте саму станцию или страницу учителя. Или прокси не "
            "передаёт заголовок Host: в README сказано, что он должен передавать. Программы других сайтов получают "
            "ответ по /api/v1/, если сервер их называет (EMOTION_ALLOWED_ORIGINS), а для учителя нужен токен."
        ),
        "image_not_found": "Снимок не дошёл. Пришлите его ещё раз.",
    },
}

# The bar on top of both pages; its script chooses among the languages.
SITE_BAR = {
    "en": {
        "station": "Station",
        "teacher": "Teacher",
        "language": "Language",
        "empty": "Nothing yet",
    },
    "ru": {"station": "Станция", "teacher": "Учитель", "language": "Язык", "empty": "Пока пусто"},
}


def say(language: str, key: str, **values: object) -> str:
    """The text of ``key`` in ``language`` (``en`` or ``ru``) with ``values`` filled in. Raises KeyError for others."""
    return TEXTS[language][key].format(**values)
