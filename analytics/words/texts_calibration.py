"""The texts about a child's own face, (English, Russian); see `analytics.words.texts`."""

CALIBRATION: dict[str, tuple[str, str]] = {
    "calibration_title": ("This child's own face", "Настройка по лицу ребёнка"),
    "calibration_help": (
        "Faces differ, at rest and in every smile. In the game “Show me a face” a child shows the camera its own faces "
        "for two minutes; from the next lesson on it is read by them. The game needs a consent of its own.",
        "Лица разные: и спокойные, и улыбки. В игре «Покажи лицо» ребёнок две минуты показывает камере свои "
        "выражения, и со следующего урока программа читает его лицо с их учётом. На игру нужно отдельное согласие.",
    ),
    "calibration_consent_give": ("Put consent to the game on file", "Отметить согласие на игру"),
    "calibration_consent_withdraw": ("Withdraw consent to the game", "Отозвать согласие на игру"),
    "calibration_consent": ("Consent to the game", "Согласие на игру"),
    "calibration_consent_given": (
        "Consent to the game “Show me a face” of {animal} is on file.",
        "Согласие на игру «Покажи лицо» отмечено: {animal}.",
    ),
    "calibration_consent_withdrawn": (
        "Withdrawn, and all that was taught of the face of {animal} is deleted.",
        "Согласие отозвано, и всё, что программа узнала о лице, удалено: {animal}.",
    ),
    "calibration_link": ("Link to the game “Show me a face”", "Ссылка на игру «Покажи лицо»"),
    "calibration_link_title": ("“Show me a face”: {animal}", "«Покажи лицо»: {animal}"),
    "calibration_link_help": (
        "Scan this with the child's tablet, or open the link there. It is this child's alone and works until {until}.",
        "Наведите на код камеру планшета этого ребёнка или откройте там ссылку. Она только для него, до {until}.",
    ),
    "calibration_none": (
        "This child has not played the game yet. Make a link under “Class and lessons”.",
        "Этот ребёнок ещё не играл. Ссылка на игру — на вкладке «Класс и уроки».",
    ),
    "calibration_by_class": (
        "This child has not played the game; in its next lessons it is read by what others of its class showed.",
        "Этот ребёнок не играл; на следующих уроках его лицо читается с учётом снимков других детей класса.",
    ),
    "calibration_frames_only": (
        "{frames} pictures were shown, none is used yet. Press “Fit anew”.",
        "Показано снимков: {frames}, пока не используются. Нажмите «Настроить заново».",
    ),
    "calibration_used": (
        "In lessons since {when} this child is read by its own face ({frames} pictures of {shown}).",
        "На уроках с {when} лицо читается по его собственным снимкам ({frames}: {shown}).",
    ),
    "calibration_paused": (
        "Switched off: the game makes no difference to how this child is read. What it showed until {when} ({frames} "
        "pictures) is kept.",
        "Выключено: лицо читается как у всех. Снимки до {when} ({frames}) сохранены.",
    ),
    "calibration_refused": (
        "Fitted on {when} to {frames} pictures, and not used: it is not certain that this child would be read better. "
        "Leave out pictures that show something else, or let the child play again.",
        "Настроено {when} (снимков: {frames}), но не используется: неясно, станет ли точнее. "
        "Снимите отметку с моментов, где видно другое, или пусть ребёнок сыграет ещё раз.",
    ),
    "calibration_outdated": (
        "The program's network has changed since {when}: this child is read as everybody is until it plays again.",
        "С {when} сеть программы сменилась: лицо читается как у всех, пока ребёнок не сыграет ещё раз.",
    ),
    "calibration_measured": (
        "Tried on moments that were left out: {before} % right before, {after} % right with the own face. On average "
        "the program is surer of the right expression by {low} to {high} points.",
        "Проверка на отложенных моментах: верно {before} % до и {after} % после настройки. Уверенность в верном "
        "выражении меняется в среднем на {low} … {high} пунктов.",
    ),
    "calibration_bursts": ("Moments of the game that count", "Какие моменты игры учитывать"),
    "calibration_bursts_help": (
        "Each line is one moment. A line that disagrees with the others may show another face than was asked for.",
        "Каждая строка — один момент. Если она расходится с остальными, на лице могло быть другое выражение.",
    ),
    "calibration_burst": (
        "{label}, moment {burst} (pictures: {frames})",
        "{label}, момент {burst} (снимков: {frames})",
    ),
    "calibration_burst_alone": (
        "{label}, moment {burst} (pictures: {frames}) – not used: shown at one moment only",
        "{label}, момент {burst} (снимков: {frames}) — не учитывается: показано только один раз",
    ),
    "calibration_burst_disagrees": (
        "{label}, moment {burst} (pictures: {frames}) – disagrees with the others",
        "{label}, момент {burst} (снимков: {frames}) — расходится с остальными",
    ),
    "calibration_fit": ("Fit anew", "Настроить заново"),
    "calibration_use": ("Switch on", "Включить"),
    "calibration_pause": ("Switch off", "Выключить"),
    "calibration_forget": ("Remove all that was shown", "Удалить всё показанное"),
    "calibration_forget_sure": ("Yes, remove it for good", "Да, удалить навсегда"),
    "calibration_withdraw_sure": ("Yes, withdraw and remove", "Да, отозвать и удалить"),
    "keep_it": ("Keep it", "Оставить"),
    "class_calibration_forget": ("Remove the class's setting", "Удалить настройку класса"),
    "class_calibration_forgotten": (
        "The setting of {class_name} is removed.",
        "Настройка класса {class_name} удалена.",
    ),
    "calibration_forgotten_too": (
        "The setting of the class, which may have been made of it too, is removed as well: fit it anew.",
        "Настройка класса, в которой могли быть и эти снимки, тоже удалена: настройте её заново.",
    ),
    "calibration_forgotten": ("Removed: {frames} pictures of {animal}.", "Удалено снимков: {frames} ({animal})."),
    "calibration_fitted": (
        "Done: {animal} is read by its own face from the next lesson on.",
        "Готово: {animal}, настройка действует со следующего урока.",
    ),
    "calibration_not_fitted": (
        "Kept, but not used: it is not certain that {animal} would be read better.",
        "Сохранено, но не используется: неясно, станет ли точнее ({animal}).",
    ),
    "class_calibration_help": (
        "**One setting for the class.** When at least three children have played, the others can be read by what they "
        "showed, if that reads children better whose own pictures were left out.",
        "**Общая настройка класса.** Когда сыграли хотя бы трое, остальных можно читать с учётом их снимков — если "
        "детей, чьи снимки отложены, это читает точнее.",
    ),
    "class_calibration_fit": ("Fit to the class", "Настроить на класс"),
    "class_calibration_none": ("Nothing is fitted to {class_name}.", "Для класса {class_name} ничего не настроено."),
    "class_calibration_used": (
        "In lessons since {when} the children of {class_name} without an own setting are read by what the others "
        "showed ({moments} moments).",
        "На уроках с {when} дети класса {class_name} без своей настройки читаются по {moments} сериям остальных.",
    ),
    "class_calibration_refused": (
        "Tried on {when} and not used: it is not certain that {class_name} would be read better.",
        "Проверено {when} и не используется: неясно, станет ли для класса {class_name} точнее.",
    ),
    "class_calibration_outdated": (
        "The program's network has changed since {when}: nothing is used for {class_name} until it is fitted anew.",
        "С {when} сеть программы сменилась: для класса {class_name} ничего не используется, пока не настроить заново.",
    ),
    "error_class_calibration_few": (
        "Too few children have played: at least three are needed, with four faces each at two moments.",
        "Сыграло слишком мало детей: нужно хотя бы трое, у каждого четыре лица не меньше двух раз.",
    ),
    "error_calibration_consent": (
        "There is no consent to the game “Show me a face” for this child. Put it on file under “Class and lessons”.",
        "Согласия на игру «Покажи лицо» для этого ребёнка нет. Отметьте его на вкладке «Класс и уроки».",
    ),
    "error_recording_consent": (
        "There is no consent to record this child. Put that on file first.",
        "Согласия на запись этого ребёнка нет. Сначала отметьте его.",
    ),
    "error_calibration_few": (
        "Too few moments count: a calm, a happy and two other faces are needed, each at two moments. Tick more, or let "
        "the child play on. Nothing was changed.",
        "Учитывается слишком мало: нужны спокойное, весёлое и ещё два разных лица, каждое не меньше двух раз. Отметьте "
        "больше или пусть ребёнок поиграет ещё. Ничего не изменено.",
    ),
    "error_calibration_none": (
        "Nothing was taught of this child's face yet. Make a link for it under “Class and lessons”.",
        "Настройки по лицу этого ребёнка ещё нет. Создайте для него ссылку на вкладке «Класс и уроки».",
    ),
    "error_purpose": (
        "The purpose is “recording” or “calibration”, not “{value}”.",
        "Цель — «recording» или «calibration», а не «{value}».",
    ),
}
