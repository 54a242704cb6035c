"""The texts of the teacher page, (English, Russian); see `analytics.words.texts`."""

PAGE: dict[str, tuple[str, str]] = {
    # above and around the tabs
    "page_title": ("Expressions in class", "Выражения лиц на уроке"),
    "page_lead": (
        "What the camera saw of the children's expressions. An expression is a hint to look, never a fact about a "
        "feeling, "
        "and never a reason for a grade or a reproach.",
        "Что камера увидела в выражениях лиц детей. Выражение лица — повод взглянуть, а не знание о чувстве, "
        "и никогда не повод для оценки или упрёка.",
    ),
    "tab_now": ("Now", "Сейчас"),
    "tab_child": ("Child", "Ребёнок"),
    "tab_lesson": ("Lesson", "Урок"),
    "tab_trends": ("Trends", "Динамика"),
    "tab_report": ("Report", "Отчёт"),
    "tab_class": ("Class and lessons", "Класс и уроки"),
    "tab_about": ("About the model", "О модели"),
    "lesson": ("Lesson", "Урок"),
    "child": ("Child", "Ребёнок"),
    "chart_save": ("Save as a picture", "Сохранить картинкой"),
    "as_table": ("The same as a table", "То же таблицей"),
    "running": ("running", "идёт"),
    "ended": ("ended", "закончен"),
    "left": ("{time} left", "осталось {time}"),
    "code_label": ("Lesson code", "Код урока"),
    "projector": ("Show to the class", "Показать классу"),
    "projector_help": (
        "Point the tablet's camera at the square, or open {address} and type the code.",
        "Наведите камеру планшета на квадрат или откройте {address} и введите код.",
    ),
    "projector_local": (
        "There is no square for the tablets: this page is open at {address}, and that address leads every device to "
        "itself. Ask who looks after the server for its address in the school's network (it looks like "
        "https://192.168.0.10:7860/teacher), and open this page there.",
        "Квадрата для планшетов нет: эта страница открыта по адресу {address}, а он ведёт каждое устройство к нему "
        "самому. Узнайте у того, кто следит за сервером, его адрес в школьной сети (он похож на "
        "https://192.168.0.10:7860/teacher) и откройте страницу по нему.",
    ),
    # now
    "now_nobody": (
        "No child has been seen in this lesson yet. Give the children the lesson code and their own codes.",
        "На этом уроке ещё не видели ни одного ребёнка. Раздайте детям код урока и их собственные коды.",
    ),
    "now_calm": ("All is calm: no signals just now.", "Всё спокойно: сигналов сейчас нет."),
    "watch_title": (
        "No lesson yet? Watch one: ten simulated children, synthetic data.",
        "Урока ещё нет? Посмотрите, как он идёт: десять выдуманных детей, синтетические данные.",
    ),
    "watch_fast": ("Play a lesson, ten times faster", "Показать урок, в десять раз быстрее"),
    "watch_real": ("In real time", "В обычном темпе"),
    "watch_stop": ("Stop the demonstration", "Остановить показ"),
    "played": (
        "Synthetic data, played {speed}: minute {minute} of {minutes}. No child was observed.",
        "Синтетические данные, показ {speed}: минута {minute} из {minutes}. Ни одного ребёнка не наблюдали.",
    ),
    "played_fast": ("ten times faster", "в десять раз быстрее"),
    "played_real": ("in real time", "в обычном темпе"),
    "played_again": (
        "Synthetic data. The lesson is over; in a moment it is played again.",
        "Синтетические данные. Урок закончился; скоро он пойдёт снова.",
    ),
    "playing": ("synthetic, being played", "синтетические данные, идёт показ"),
    "visitor": (
        "Public demonstration: look at everything, nothing can be changed.",
        "Открытая демонстрация: всё можно смотреть, ничего нельзя изменить.",
    ),
    "visitor_login": ("Log in as a teacher", "Войти как учитель"),
    "now_no_signals": ("Signals appear here.", "Здесь появятся сигналы."),
    "now_ended": ("This lesson has ended. You see its last minute.", "Урок закончен. Показана его последняя минута."),
    "sparkline_of": ("Valence of the last minutes: {trend}", "Валентность за последние минуты: {trend}"),
    "trend_rising": ("rising", "растёт"),
    "trend_falling": ("falling", "падает"),
    "trend_steady": ("steady", "ровная"),
    "trend_unknown": ("not known", "неизвестна"),
    "seen": ("Seen", "Вижу"),
    "helped": ("Helped", "Помощь дана"),
    "wrong": ("Wrong", "Неверно"),
    "answer_seen": ("You have seen it.", "Вы это увидели."),
    "answer_helped": ("You have helped.", "Вы помогли."),
    "answer_wrong": ("You called it wrong.", "Вы отметили: неверно."),
    "answer_undone": ("You took your answer back.", "Вы отменили ответ."),
    "undo": ("Undo", "Отменить"),
    "open_child": ("Open {animal}", "Открыть: {animal}"),
    "alerts": (
        "Tell me of a new signal by a sound and in the tab's title",
        "Сообщать о новом сигнале звуком и в заголовке вкладки",
    ),
    "past_answers": ("Signals: {count}. Answered: {answered}.", "Сигналов: {count}. С ответом: {answered}."),
    "past_answers_how": (
        "Signals: {count}. Answered: {answered} ({how}).",
        "Сигналов: {count}. С ответом: {answered} ({how}).",
    ),
    "mood_table": ("Class mood as a table", "Настроение класса таблицей"),
    # child
    "whole_lesson": ("Whole lesson", "Весь урок"),
    "span_title": ("Correct or note a span", "Исправить или пометить отрезок"),
    "span_help": (
        "Drag over the chart to zoom in: the shown span is taken over here. Or type the times.",
        "Выделите отрезок на графике мышью: он увеличится и попадёт сюда. Или впишите время.",
    ),
    "from": ("From", "С"),
    "to": ("To", "До"),
    "label": ("What you saw", "Что вы увидели"),
    "label_none": ("only a note", "только пометка"),
    "note": ("Note", "Пометка"),
    "save": ("Save", "Сохранить"),
    "saved_correction": ("Saved: {span}, {label}.", "Сохранено: {span}, {label}."),
    "no_child": (
        "No child of this lesson yet. Enrol the class under “Class and lessons”.",
        "На этом уроке пока нет детей. Запишите класс на вкладке «Класс и уроки».",
    ),
    "no_child_data": (
        "{animal} was not seen in this lesson: nothing was recorded. Check the child's tablet and code.",
        "{animal}: на этом уроке записей нет. Проверьте планшет и код ребёнка.",
    ),
    "words_seen": (
        "{animal} was seen for {seen} of {total}.",
        "{animal}: лицо было видно {seen} из {total}.",
    ),
    "words_mostly": ("Most of that time: {states}.", "Чаще всего: {states}."),
    "words_no_signals": ("No signal in this lesson.", "Сигналов на этом уроке не было."),
    "words_own_face": ("Read by its own face.", "Лицо читалось с настройкой по нему."),
    "words_class_face": ("Read by the setting of the class.", "Лицо читалось с общей настройкой класса."),
    "words_partly_own_face": (
        "How this face is read changed during the lesson: the dotted line shows where.",
        "За урок способ чтения лица менялся: пунктир показывает, где.",
    ),
    "words_silent": ("No picture arrived for {silent} in all.", "Изображения не было всего {silent}."),
    "words_away": ("Out of the picture for {away} in all.", "Не в кадре всего {away}."),
    # lesson
    "heat_title": ("Who, when", "Кто и когда"),
    "heat_legend_low": ("unpleasant", "неприятное"),
    "heat_legend_middle": ("even", "ровное"),
    "heat_legend_high": ("pleasant", "приятное"),
    "heat_legend_away": ("not in the picture", "не в кадре"),
    "heat_legend_signal": ("a signal lasted here", "здесь был сигнал"),
    "heat_cell": ("{animal}, {time}: {state}, valence {valence}", "{animal}, {time}: {state}, валентность {valence}"),
    "heat_cell_away": ("{animal}, {time}: not in the picture", "{animal}, {time}: не в кадре"),
    "tasks_title": ("Tasks", "Задания"),
    "task": ("Task", "Задание"),
    "children_count": ("Children", "Детей"),
    "solved": ("Solved", "Решено"),
    "failed": ("Failed attempts", "Неудачных попыток"),
    "struggling_count": ("Children who struggled", "Детям было трудно"),
    "task_change": ("Valence after a failure", "Валентность после неудачи"),
    "change_down": ("less pleasant ({difference})", "менее приятная ({difference})"),
    "change_up": ("more pleasant ({difference})", "более приятная ({difference})"),
    "change_none": ("hardly changed ({difference})", "почти не изменилась ({difference})"),
    "median_time": ("Middle time to solve", "Срединное время решения"),
    "hardest": ("hardest", "труднее всех"),
    "no_tasks": (
        "No task was reported in this lesson. Programs report tasks through the endpoint log_event.",
        "Заданий на этом уроке не отмечено. Программы сообщают о них через точку входа log_event.",
    ),
    "moments_title": ("Moments worth remembering", "Моменты, которые стоит вспомнить"),
    "no_moments": ("No signal and no note in this lesson.", "На этом уроке нет ни сигналов, ни пометок."),
    "moments_help": (
        "Choose a moment to see it in the child's timeline.",
        "Выберите момент, чтобы увидеть его на графике ребёнка.",
    ),
    # trends
    "trends_caution": (
        "{count} lessons are few: bars overlap easily by chance, so look for what several lessons in a row agree on. "
        "Light, camera and the kind of task change expressions too.",
        "Уроков мало ({count}): полосы легко пересекаются случайно, поэтому смотрите, что повторяется несколько "
        "уроков подряд. "
        "Освещение, камера и вид задания тоже меняют выражение лица.",
    ),
    "trends_one": (
        "One lesson is not a trend. Come back after the second one.",
        "Один урок — ещё не динамика. Возвращайтесь после второго.",
    ),
    "slope_few": (
        "How steeply it changes, and how sure that is, can be said from {least} lessons on.",
        "Насколько быстро меняется показатель и насколько это надёжно, можно сказать начиная с {least} уроков.",
    ),
    "slope_rises": (
        "It rises by about {middle} from lesson to lesson (95 % interval: {low} to {high}).",
        "Показатель растёт примерно на {middle} за урок (95-процентный интервал: от {low} до {high}).",
    ),
    "slope_falls": (
        "It falls by about {middle} from lesson to lesson (95 % interval of the change: {low} to {high}).",
        "Показатель падает примерно на {middle} за урок (95-процентный интервал изменения: от {low} до {high}).",
    ),
    "slope_unclear": (
        "No clear rise or fall over {count} lessons: the change from lesson to lesson lies between {low} and {high}, "
        "zero included.",
        "За {count} уроков нет ни явного роста, ни явного падения: изменение за урок лежит между {low} и {high}, "
        "ноль не исключён.",
    ),
    "percent_points": ("{value} points of percent", "{value} п. п."),
    "trends_measure": ("Measure", "Показатель"),
    "measure_valence": ("valence (unpleasant to pleasant)", "валентность (от неприятного к приятному)"),
    "measure_expressiveness": ("expressiveness", "выразительность"),
    "measure_face": ("share of time in the picture", "доля времени в кадре"),
    "date": ("Date", "Дата"),
    "mean": ("Mean", "Среднее"),
    "interval_low": ("Interval from", "Интервал от"),
    "interval_high": ("Interval to", "Интервал до"),
    # report and export
    "report_title": ("Report", "Отчёт"),
    "report_help": (
        "One page that explains itself, to print or keep: open it and print (as PDF too) from the browser.",
        "Одна понятная страница для печати или архива: откройте её и распечатайте из браузера (можно и в PDF).",
    ),
    "report_save": ("Save as a file", "Сохранить файлом"),
    "report_whose": ("About", "О ком"),
    "report_whole": ("the whole lesson", "весь урок"),
    "report_print": ("Print", "Печать"),
    "report_foot": (
        "Expressions were estimated by a computer model and may be wrong. They are a hint to look and talk, not a "
        "diagnosis, "
        "not a grade, not a reason for discipline. Children appear under pseudonyms.",
        "Выражения лиц оценены компьютерной моделью и могут быть ошибочны. Это повод взглянуть и поговорить, а не "
        "диагноз, "
        "не оценка и не повод для взысканий. Дети названы псевдонимами.",
    ),
    "report_course": ("How the lesson went", "Как шёл урок"),
    "report_children": ("Children", "Дети"),
    "report_length": ("It lasted {time}; {count} children took part.", "Длительность: {time}; детей: {count}."),
    "report_started": ("Started {date}.", "Начало: {date}."),
    "export_title": ("Export the data", "Выгрузить данные"),
    "export_help": (
        "Pseudonymised rows with a data dictionary. Every export is written into the audit log.",
        "Псевдонимизированные строки со словарём данных. Каждая выгрузка записывается в журнал.",
    ),
    "export_name": ("lesson", "урок"),
    "export_format": ("Format", "Формат"),
    "export_make": ("Export", "Выгрузить"),
    "export_file": ("File", "Файл"),
    # class and lessons
    "start_title": ("Start a lesson", "Начать урок"),
    "title": ("Title", "Тема"),
    "title_placeholder": ("for example: Loops, part 2", "например: Циклы, часть 2"),
    "class_name": ("Class", "Класс"),
    "class_info": ("pick one, or type the name of a new class", "выберите или впишите название нового"),
    "minutes_label": ("Length in minutes", "Длительность, минут"),
    "start": ("Start the lesson", "Начать урок"),
    "start_empty": ("Start without children", "Начать без детей"),
    "start_not": ("Not yet", "Пока не начинать"),
    "end": ("End the lesson", "Закончить урок"),
    "end_sure": ("Yes, stop all tablets", "Да, остановить все планшеты"),
    "end_not": ("Go on with the lesson", "Продолжить урок"),
    "consent_sample": ("no child: a sample", "не дети: образец"),
    "started": ("The lesson runs. Its code: {code}", "Урок идёт. Его код: {code}"),
    "lesson_ended_note": ("The lesson has ended.", "Урок закончен."),
    "lessons_title": ("Lessons", "Уроки"),
    "when": ("When", "Когда"),
    "state": ("State", "Состояние"),
    "code": ("Code", "Код"),
    "roster_title": ("Enrol children", "Записать детей"),
    "roster_help": (
        "Only children whose parents gave consent on paper. Each child gets a code that is shown once and stored "
        "nowhere: "
        "print the list now and write the names by hand. The paper stays with you.",
        "Только те дети, чьи родители дали согласие на бумаге. Каждый ребёнок получает код: он показывается один раз "
        "и нигде "
        "не хранится. Распечатайте список сейчас и впишите имена от руки. Бумага остаётся у вас.",
    ),
    "roster_count": ("How many children", "Сколько детей"),
    "roster_role": ("Who gave consent", "Кто дал согласие"),
    "role_parent": ("parent", "родитель"),
    "role_guardian": ("guardian", "опекун"),
    "role_adult": ("the person (adult)", "сам участник (взрослый)"),
    "roster_days": ("Consent is valid for days", "Согласие действует, дней"),
    "roster_confirm": ("Signed consent of every child is on file", "Подписанное согласие на каждого ребёнка есть"),
    "roster_make": ("Enrol and show the codes", "Записать и показать коды"),
    "roster_list": ("Codes of class {class_name}", "Коды класса {class_name}"),
    "roster_name": ("Name (by hand)", "Имя (от руки)"),
    "roster_animal": ("Shown as", "Показывается как"),
    "roster_qr": ("QR code", "QR-код"),
    "roster_qr_help": (
        "A tablet's camera reads the square and opens the lesson with the child's code. Keep it like the code.",
        "Камера планшета читает квадрат и открывает урок с кодом ребёнка. Храните его, как и сам код.",
    ),
    "roster_qr_local": (
        "The squares lead nowhere from a tablet, because this page is open at an address that every device takes for "
        "itself (“localhost”). The codes work all the same: on a tablet they are typed.",
        "С планшета квадраты никуда не приведут: страница открыта по адресу, который каждое устройство считает собой "
        "(«localhost»). Сами коды действуют: на планшете их надо ввести.",
    ),
    "roster_start": ("Start a lesson with them", "Начать с ними урок"),
    "roster_started": (
        "The lesson runs. Its code: {code}. The squares on this screen open it with both codes.",
        "Урок идёт. Его код: {code}. Квадраты на этом экране открывают его сразу с обоими кодами.",
    ),
    "untitled": ("Lesson", "Урок"),
    "roster_close": ("Close", "Закрыть"),
    "roster_leave": (
        "These codes are stored nowhere and cannot be shown again. Is the list printed?",
        "Эти коды нигде не хранятся, и показать их снова нельзя. Список распечатан?",
    ),
    "roster_leave_sure": ("Yes, close the list", "Да, закрыть список"),
    "roster_leave_not": ("Back to the list", "Вернуться к списку"),
    "roster_print": ("Print the list", "Распечатать список"),
    "enrolled_title": ("Children of the class", "Дети класса"),
    "enrolled_none": (
        "No child is enrolled in this class yet.",
        "В этом классе пока никто не записан.",
    ),
    "consent": ("Consent", "Согласие"),
    "consent_until": ("until {date}", "до {date}"),
    "consent_withdrawn": ("withdrawn {date}", "отозвано {date}"),
    "consent_expired": ("expired {date}", "истекло {date}"),
    "consent_none": ("none", "нет"),
    "consent_withdraw": ("Withdraw consent", "Отозвать согласие"),
    "consent_renew": ("Renew consent", "Продлить согласие"),
    "child_data": ("All that is held about the child", "Всё, что хранится о ребёнке"),
    "erase": ("Erase all data of the child", "Стереть все данные ребёнка"),
    "erase_confirm": ("Type the word ERASE to confirm", "Впишите слово СТЕРЕТЬ для подтверждения"),
    "erase_word": ("ERASE", "СТЕРЕТЬ"),
    "erasing_left_one": (
        "Erasing, 1 step left: {what}. The program goes on by itself, also after a restart; if it stays so, the "
        "server's log says what is in the way.",
        "Стирание: остался 1 шаг: {what}. Программа продолжит сама, и после перезапуска тоже; если так и останется, "
        "причина в журнале сервера.",
    ),
    "erasing_left": (
        "Erasing, {steps} steps left: {what}. The program goes on by itself, also after a restart; if it stays so, the "
        "server's log says what is in the way.",
        "Стирание: осталось шагов: {steps} ({what}). Программа продолжит сама, и после перезапуска тоже; если так и "
        "останется, причина в журнале сервера.",
    ),
    "step_rows": ("the rows in the database", "строки в базе"),
    "step_exports": ("exported files", "выгруженные файлы"),
    "step_leftovers": ("copies that were not finished", "незаконченные копии"),
    "step_file": ("the bytes of the database's file", "содержимое файла базы"),
    "step_copies": ("copies of the database ({count})", "копии базы ({count})"),
    "step_hub": ("the copy on the Hub", "копия на Hub"),
    "step_unreadable": ("a list of steps that cannot be read", "список шагов, который не читается"),
    "closes": ("time is over · closes by itself in {time}", "время вышло · закроется само через {time}"),
    "erased": ("Erased: {rows} rows of {animal}.", "Стёрто: {rows} строк, {animal}."),
    "consent_set": ("Done: {animal}, consent {state}.", "Готово: {animal}, согласие {state}."),
}
