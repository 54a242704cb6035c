"""The texts of the tab "About the model", (English, Russian); see `analytics.words.texts`."""

ABOUT: dict[str, tuple[str, str]] = {
    "about_empty": (
        "The checkpoint's files were not found, so there is nothing to tell. Start the app with a complete "
        "checkpoint folder.",
        "Файлы модели не найдены, рассказать нечего. Запустите приложение с полной папкой модели.",
    ),
    "about_no_evaluation": (
        "This checkpoint carries no evaluation. Run python -m emotion.training.evaluate to make one.",
        "У этой модели нет отчёта о проверке. Запустите python -m emotion.training.evaluate.",
    ),
    "about_what": ("What it is", "Что это"),
    "about_text": (
        "A neural network ({architecture}) that answers, for one face in one picture, how much it resembles eight "
        "posed or "
        "labelled expressions. It does not know what a child feels, why, or what happened before.",
        "Нейронная сеть ({architecture}): для одного лица на одном снимке она отвечает, насколько оно похоже на "
        "восемь выражений. "
        "Она не знает, что ребёнок чувствует, почему и что было раньше.",
    ),
    "about_version": ("Version", "Версия"),
    "about_training": ("Trained on", "Обучена на"),
    "about_data_ferplus": (
        "photographs of faces from the web, each judged by ten people (FER+)",
        "фотографиях лиц из интернета; каждую оценили десять человек (FER+)",
    ),
    "about_data_own": ("photographs of the school's own", "собственных фотографиях школы"),
    "about_data_other": ("see the card of the checkpoint", "см. карточку модели"),
    "about_input": ("Sees", "Видит"),
    "about_seen": (
        "one face, aligned and cut to {crop} × {crop} grey pixels, enlarged to {size} × {size}",
        "одно лицо, выровненное и обрезанное до {crop} × {crop} серых пикселей, увеличенное до {size} × {size}",
    ),
    "about_accuracy": (
        "Right for {percent} % of {faces} test faces; between {low} % and {high} % with 95 % certainty for "
        "faces of this kind. "
        "Another camera or other children may give less.",
        "Права для {percent} % из {faces} проверочных лиц; для лиц этого рода от {low} % до {high} % с "
        "уверенностью 95 %. "
        "С другой камерой или другими детьми может быть меньше.",
    ),
    "about_scores": ("How often it is right", "Как часто она права"),
    "about_class": ("Expression", "Выражение"),
    "about_recall": ("found", "находит"),
    "about_precision": ("right when it says so", "права, когда называет"),
    "about_support": ("test faces", "проверочных лиц"),
    "about_confusion": ("What it takes for what", "Что с чем путает"),
    "about_confusion_help": (
        "Row: what people saw. Column: what the model said. Percent of the row.",
        "Строка: что увидели люди. Столбец: что сказала модель. Проценты по строке.",
    ),
    "about_agreement": ("Agreement with teachers", "Согласие с учителями"),
    "about_agreement_none": (
        "No corrections yet. Correct a span on the tab “Child”, and this page tells how often the model agreed with "
        "you.",
        "Исправлений пока нет. Исправьте отрезок на вкладке «Ребёнок», и здесь появится, как часто модель с вами "
        "согласна.",
    ),
    "about_agreement_row": (
        "agreed in {agreed} of {total} corrected frames ({percent} %)",
        "совпала в {agreed} из {total} исправленных кадров ({percent} %)",
    ),
    "about_signals": ("When it speaks up", "Когда она сообщает"),
    "about_signals_text": (
        "Every frame is compared with how this child's face usually looks, which takes the first minutes of a lesson "
        "to learn: a child who arrives upset is compared with that face at first. "
        "The page says something when the face looks unhappier than that for about 15 seconds: a short frown does not "
        "count. "
        "A failed task makes it say so sooner; a task that failed three times in three minutes, or that takes twice "
        "as long as it took others, is told whatever the face looks like. "
        "After a failed task, or where it takes long, it says “may be stuck”; otherwise “looks distressed” where fear "
        "and sadness lead, else “looks unhappy”. "
        "A child whose face the model reads as neutral may be missed: look around as well.",
        "Каждый кадр сравнивается с тем, как обычно выглядит лицо этого ребёнка; чтобы это узнать, нужны первые "
        "минуты урока: если ребёнок пришёл расстроенным, сначала сравнение идёт с этим лицом. "
        "Страница сообщает, когда лицо около 15 секунд выглядит более невесёлым, чем обычно: короткая гримаса не в "
        "счёт. "
        "После неудачи с заданием она сообщает раньше; о задании, которое не вышло трижды за три минуты или длится "
        "вдвое дольше, чем у других, она сообщает, как бы ни выглядело лицо. "
        "После неудачи или при долгой работе она пишет «задание, похоже, не даётся»; иначе «расстроенный вид», если "
        "преобладают страх и грусть, или «невесёлый вид». "
        "Ребёнка, чьё лицо модель считает спокойным, она может пропустить: поглядывайте на класс и сами.",
    ),
    "about_own": ("A child's own face", "Настройка по лицу ребёнка"),
    "about_own_text": (
        "In the game “Show me a face” a child shows the camera its own expressions, and the network's last layer is "
        "fitted to them, starting from the one that everybody is read by. "
        "Whether that helps is judged on pictures that were left out; where it is not certain, nothing changes. "
        "What is kept are 2,048 numbers of each picture, never the picture, and they are deleted when the consent to "
        "the game is withdrawn.",
        "В игре «Покажи лицо» ребёнок показывает камере свои выражения, и последний слой сети настраивается по ним, "
        "начиная с общего для всех. "
        "Есть ли от этого польза, проверяется на отложенных снимках; если это неясно, ничего не меняется. "
        "Хранятся 2048 чисел на каждый снимок, но не сам снимок, и они удаляются, когда согласие на игру отзывают.",
    ),
    "about_limits": ("What it can not do", "Чего она не может"),
    "about_limits_text": (
        "It was trained mostly on adults' photographs from the web; children, glasses, masks, strong side light and "
        "dark pictures "
        "make it less certain. Rare expressions (disgust, contempt, fear) are found least often. One second says "
        "little: "
        "the page smooths over time and speaks up only when something lasts.",
        "Она обучена в основном на фотографиях взрослых из интернета; дети, очки, маски, резкий боковой свет и "
        "тёмные снимки "
        "снижают точность. Редкие выражения (отвращение, презрение, страх) она находит реже всего. Одна секунда мало "
        "что значит: "
        "страница сглаживает кривые и говорит, только если что-то длится.",
    ),
}
