"""The texts that travel with an export, (English, Russian); see `analytics.words.texts`.

The lines of code are run as they stand here by ``tests/analytics/teacher/test_export.py``.
"""

_CAUTION = (
    "Probabilities of facial expressions, estimated by a program. An expression is not a feeling; never use them for\n"
    "grades or discipline. The data are pseudonymised and remain personal data.\n\n",
    "Вероятности выражений лица, оценённые программой. Выражение лица — не чувство; не используйте их для оценок\n"
    "и взысканий. Данные псевдонимизированы и остаются персональными.\n\n",
)

# `dtype`: "007" and "1e5" are names of tasks too. `na_values`: a child may have written "NA".
_PANDAS = """
    import pandas
    texts = dict.fromkeys(
        ["id", "child", "animal", "kind", "detail", "label", "note", "title", "class_name", "source", "model", "frame"],
        str)
    events = pandas.read_csv("events.csv", sep="{separator}", decimal="{decimal}", encoding="utf-8-sig",
                             dtype=texts, keep_default_na=False, na_values=[""])
    events["at"] = pandas.to_datetime(events["at"])

"""
_R = """
    events <- read.csv("events.csv", sep = "{separator}", dec = "{decimal}", fileEncoding = "UTF-8-BOM",
                       na.strings = "", colClasses = c(id = "character", child = "character", detail = "character"))
    events$at <- as.POSIXct(events$at, format = "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC")
"""
_PARQUET = """
    import pandas
    events = pandas.read_parquet("events.parquet")

"""

EXPORT: dict[str, tuple[str, str]] = {
    "export_readme_csv": (
        _CAUTION[0] + "dictionary.csv says what each column means. Take all files out of the archive first.\n\n"
        "Excel opens them with a double click: UTF-8, “{separator}” between cells, “{decimal}” in numbers. An export "
        "that is made in\nRussian is for a Russian Excel, any other for an English one. Times are UTC (ISO 8601). An "
        "empty cell is a missing\nvalue. A text that a spreadsheet could take for a formula has an apostrophe before "
        "it.\n\n"
        "pandas, here of one table; “NA”, “007” and “1e5” stay the texts that somebody wrote:\n"
        + _PANDAS
        + "R, likewise:\n"
        + _R,
        _CAUTION[1] + "dictionary.csv объясняет каждый столбец. Сначала распакуйте архив.\n\n"
        "Excel открывает файлы двойным щелчком: UTF-8, «{separator}» между ячейками, «{decimal}» в числах. Выгрузка, "
        "сделанная по-русски,\nрассчитана на русский Excel, любая другая — на английский. Время — UTC (ISO 8601). "
        "Пустая ячейка — значения нет.\nПеред текстом, который таблица могла бы принять за формулу, стоит апостроф.\n\n"
        "pandas, на примере одной таблицы; «NA», «007» и «1e5» остаются текстами, как их написали:\n"
        + _PANDAS
        + "R — так же:\n"
        + _R,
    ),
    "export_readme_parquet": (
        _CAUTION[0] + "dictionary.csv says what each column means. Take all files out of the archive first. Times are "
        "UTC.\nAny program that knows Parquet reads them, for example pandas:\n" + _PARQUET,
        _CAUTION[1] + "dictionary.csv объясняет каждый столбец. Сначала распакуйте архив. Время — UTC.\n"
        "Файлы читает любая программа, которая знает Parquet, например pandas:\n" + _PARQUET,
    ),
}
