"""A data frame as an HTML table that a screen reader can walk through. Everything is escaped."""

from html import escape

import pandas as pd

from analytics.words.texts import decimal

MAXIMUM_ROWS = 400  # a longer table is an export, not reading matter


def table_html(table: pd.DataFrame, language: str) -> str:
    """``table`` with its column names as headers; numbers to the right; an empty cell as a dash. At most
    `MAXIMUM_ROWS` rows."""
    numeric = [pd.api.types.is_numeric_dtype(table[column]) for column in table.columns]
    head = "".join(
        f'<th scope="col"{_side(number)}>{escape(str(name))}</th>'
        for name, number in zip(table.columns, numeric, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{_side(number)}>{escape(_text(value, language))}</td>"
            for value, number in zip(row, numeric, strict=True)
        )
        + "</tr>"
        for row in table.head(MAXIMUM_ROWS).itertuples(index=False)
    )
    return f'<div class="teacher scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _side(number: bool) -> str:
    return ' class="number"' if number else ""


def _text(value: object, language: str) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    return decimal(language, f"{value:g}").replace("-", "\N{MINUS SIGN}") if isinstance(value, float) else str(value)
