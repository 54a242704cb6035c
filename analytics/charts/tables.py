"""A data frame as an HTML table that a screen reader can walk through."""

import pandas as pd
from markupsafe import Markup

from analytics.words.templates import render
from analytics.words.texts import decimal

MAXIMUM_ROWS = 400  # a longer table is an export, not reading matter


def table_html(table: pd.DataFrame, language: str) -> Markup:
    """``table`` with its column names as headers; numbers to the right; an empty cell as a dash. At most
    `MAXIMUM_ROWS` rows."""
    columns = [(str(name), pd.api.types.is_numeric_dtype(table[name])) for name in table.columns]
    rows = [[_text(value, language) for value in row] for row in table.head(MAXIMUM_ROWS).itertuples(index=False)]
    return render("charts/table.html", language, columns=columns, rows=rows)


def _text(value: object, language: str) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    return decimal(language, f"{value:g}").replace("-", "\N{MINUS SIGN}") if isinstance(value, float) else str(value)
