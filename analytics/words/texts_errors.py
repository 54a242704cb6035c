"""The texts of errors, (English, Russian); see `analytics.words.texts`."""

ERRORS: dict[str, tuple[str, str]] = {
    "error_lesson": (
        "There is no lesson “{lesson}”. Check the code or take one from list_lessons.",
        "Урока «{lesson}» нет. Проверьте код или возьмите его из list_lessons.",
    ),
    "error_child": (
        "There is no child “{child}” in this class. Check the code or enrol the child first.",
        "Ребёнка «{child}» в этом классе нет. Проверьте код или сначала запишите ребёнка.",
    ),
    "error_no_child": ("Choose a child first.", "Сначала выберите ребёнка."),
    "error_text": (
        "“{field}” is text: put it into quotation marks.",
        "«{field}» — это текст: возьмите его в кавычки.",
    ),
    "error_empty": ("“{field}” is empty. Fill it in.", "Поле «{field}» пусто. Заполните его."),
    "error_long": (
        "“{field}” is longer than {limit} characters. Shorten it.",
        "Поле «{field}» длиннее {limit} знаков. Сократите его.",
    ),
    "error_number": (
        "“{field}” must be a number from {low} to {high}, not “{value}”.",
        "«{field}» — число от {low} до {high}, а не «{value}».",
    ),
    "error_language": ("The language is “en” or “ru”, not “{value}”.", "Язык — «en» или «ru», а не «{value}»."),
    "error_time": (
        "“{value}” is not a time with a zone. Write ISO 8601, for example 2026-09-01T10:15:00+03:00.",
        "«{value}» — не время с часовым поясом. Пишите по ISO 8601, например 2026-09-01T10:15:00+03:00.",
    ),
    "error_clock": (
        "“{value}” is not a time. Write hours:minutes:seconds, for example 10:15:00.",
        "«{value}» — не время. Пишите часы:минуты:секунды, например 10:15:00.",
    ),
    "error_span": (
        "The span ends before it starts, or lies outside the lesson. Check both times.",
        "Отрезок кончается раньше начала или лежит вне урока. Проверьте оба времени.",
    ),
    "error_label": (
        "“{label}” is none of the expressions. Use one of: {labels}.",
        "«{label}» — не одно из выражений. Возможные: {labels}.",
    ),
    "error_format": (
        "The format is csv, parquet or json, not “{value}”.",
        "Формат — csv, parquet или json, а не «{value}».",
    ),
    "error_export": (
        "The file could not be written; nothing else is lost. Free some space on the server's disk and in its memory, "
        "then export again.",
        "Файл не удалось записать; остальное цело. Освободите место на диске и в памяти сервера и повторите выгрузку.",
    ),
    "error_download": (
        "There is no such file here: it was made for somebody else, or more than two minutes ago. Export it again.",
        "Такого файла здесь нет: он создан для другого человека или больше двух минут назад. Выгрузите его ещё раз.",
    ),
    "error_cursor": (
        "“{value}” is not a cursor of this endpoint. Leave it empty to start from the beginning.",
        "«{value}» — не указатель этой точки входа. Оставьте его пустым, чтобы начать сначала.",
    ),
    "error_confirm": ("Tick the box first: consent must be on file.", "Сначала отметьте, что согласие есть."),
    "error_erase": ("Type the word {word} to confirm.", "Впишите слово {word}, чтобы подтвердить."),
    "error_synthetic": (
        "The sample lesson can not be changed. Start a lesson of your own.",
        "Урок-пример изменить нельзя. Начните собственный урок.",
    ),
    "error_played": (
        "This lesson is synthetic and only played: it can be neither changed, answered nor exported. The sample lesson "
        "can be exported.",
        "Этот урок синтетический и только показывается: его нельзя изменить, ответить на нём или выгрузить. Выгрузить "
        "можно урок-пример.",
    ),
    "error_visitor": (
        "This is a public demonstration of synthetic lessons: everything can be looked at, nothing can be changed or "
        "exported.",
        "Это открытая демонстрация синтетических уроков: всё можно смотреть, ничего нельзя изменить или выгрузить.",
    ),
    "erasure_offered": (
        "Nothing more is recorded for {animal}. What was recorded before is still stored: to erase it too, type {word} "
        "under “Class and lessons” and erase the child.",
        "{animal}: запись прекращена. Записанное раньше ещё хранится: чтобы стереть и его, впишите {word} на вкладке "
        "«Класс и уроки» и сотрите данные.",
    ),
    "erasure_call": ("A program calls erase_child.", "Программа вызывает erase_child."),
    "error_class": (
        "“{class_name}” is not one of your classes ({classes}). Who looks after the accounts can add it: "
        "python -m analytics.access.accounts classes NAME CLASS,CLASS",
        "«{class_name}» не входит в ваши классы ({classes}). Добавить его может тот, кто ведёт учётные записи: "
        "python -m analytics.access.accounts classes ИМЯ КЛАСС,КЛАСС",
    ),
    "two_tablets": (
        "{names}: the code was entered on a second tablet. Only one at a time records; look who sits where.",
        "{names}: код введён и на втором планшете. Записывает только один из них; посмотрите, кто где сидит.",
    ),
    "class_without_children": (
        "No child is enrolled in class “{class_name}” yet, so nobody can take part: check its name, or enrol the "
        "children first.",
        "В классе «{class_name}» пока никто не записан, поэтому участвовать некому: проверьте название или сначала "
        "запишите детей.",
    ),
    "error_lessons_open": (
        "You have {limit} lessons open already, the most there may be. End one first.",
        "У вас уже открыто уроков: {limit}, больше нельзя. Сначала закончите один из них.",
    ),
    "error_characters": (
        "“{field}” holds a character that can't be stored. Type it anew.",
        "В поле «{field}» есть знак, который нельзя сохранить. Впишите его заново.",
    ),
    "error_animals": (
        "{count} more children, but only {free} of the {limit} animals of this class are free. Enrol fewer, split the "
        "class, or erase children who left.",
        "Новых детей: {count}, а свободных животных в классе: {free} из {limit}. Запишите меньше, разделите класс или "
        "сотрите данные ушедших детей.",
    ),
    "error_busy": (
        "Many calls are waiting. Try again in some seconds, with fewer at a time.",
        "Сейчас ждёт много вызовов. Повторите через несколько секунд и присылайте меньше сразу.",
    ),
    "error_unexpected": (
        "Something went wrong that nobody foresaw; nothing that was recorded is lost. Try again, or tell who looks "
        "after the server: its log says more.",
        "Произошло непредвиденное; записанное не потеряно. Попробуйте ещё раз или скажите тому, кто следит за "
        "сервером: подробности в его журнале.",
    ),
    "error_store_down": (
        "The lessons can't be read or written at the moment; nothing that was recorded is lost. Try again, or ask who "
        "looks after the server: its log says why.",
        "Сейчас уроки нельзя ни прочитать, ни записать; записанное не потеряно. Попробуйте ещё раз или спросите того, "
        "кто следит за сервером: причина в его журнале.",
    ),
}
