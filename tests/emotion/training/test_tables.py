"""Tables as people keep them in Excel: read, or refused with file, line, column and encoding."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion.training.command_line import DataError
from emotion.training.tables import read_column, read_table_file


def table(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "groups.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


GOOD = {
    "plain": "image,age,glasses\nsad/a.png,7,no\nfear/b.png,8,yes\n",
    "semicolons of a Russian Excel": "image;age;glasses\nsad/a.png;7;no\nfear/b.png;8;yes\n",
    "tabs": "image\tage\tglasses\nsad/a.png\t7\tno\nfear/b.png\t8\tyes\n",
    "Excel's line of its own": "sep=;\r\nimage;age;glasses\r\nsad/a.png;7;no\r\nfear/b.png;8;yes\r\n",
    "a mark and Windows' line ends": "\ufeffimage,age,glasses\r\nsad/a.png,7,no\r\nfear/b.png,8,yes\r\n",
    "UTF-16": "image\tage\tglasses\nsad/a.png\t7\tno\nfear/b.png\t8\tyes\n".encode("utf-16"),
    "blanks": " image , age,\tglasses\u00a0\n sad/a.png , 7,no \nfear/b.png,8 ,yes\n",
    "capitals": "Image,age,glasses\nsad/a.png,7,no\nfear/b.png,8,yes\n",
    "empty columns and rows at the end": "image,age,glasses,,\nsad/a.png,7,no,,\n,,,,\nfear/b.png,8,yes,,\n\n,,,,\n",
    "backslashes of Windows": "image,age,glasses\nsad\\a.png,7,no\n.\\fear\\b.png,8,yes\n",
    "columns in another order": "glasses,image,age\nno,sad/a.png,7\nyes,fear/b.png,8\n",
    "a row twice": "image,age,glasses\nsad/a.png,7,no\nfear/b.png,8,yes\nsad/a.png,7,no\n",
    "quotation marks": '"image","age","glasses"\n"sad/a.png","7","no"\n"fear/b.png","8","yes"\n',
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_table_is_read_however_it_was_saved(tmp_path, kind):
    path = table(tmp_path, GOOD[kind])
    assert read_column(path, np.array(["fear/b.png", "sad/a.png"]), "age").tolist() == ["8", "7"]
    assert set(read_table_file(path).columns) == {"age", "glasses"}


BAD = {
    "short row": ("image,age,sex\na.png,7,no\nb.png,7\n", r"groups\.csv, line 3: there are 2 cells.*'sex' is missing"),
    "long row": ("image,age\na.png,7,no\n", r"groups\.csv, line 2: there are 3 cells"),
    "code page": (
        "image,свет\na.png,темно\n".encode("cp1251"),
        r"groups\.csv, line 1, column 'number 2'.*not UTF-8.*Windows-1251.*свет.*CSV UTF-8",
    ),
    "code page in a cell": (
        b"image,light\na.png,ok\nb.png," + "темно".encode("cp1251") + b"\n",
        r"groups\.csv, line 3, column 'light'.*not UTF-8.*'темно'",
    ),
    "no name": ("image,,age\na.png,x,7\n", r"groups\.csv, line 1: column number 2 has no name"),
    "same name": ("image,age,Age \na.png,7,8\n", r"groups\.csv, line 1: there are two columns 'Age'"),
    "no image column": ("picture,age\na.png,7\n", r"groups\.csv, line 1: there is no column 'image'"),
    "no image": ("image,age\n ,7\n", r"groups\.csv, line 2, column 'image'"),
    "two opinions": ("image,age\na.png,7\nb.png,8\na.png,8\n", r"groups\.csv, line 4: 'a\.png' stands in line 2"),
    "open quotation": ('image,age\n"a.png,7\n', r"groups\.csv, line 2: .*quotation"),
    "empty": ("", r"groups\.csv is empty"),
    "blank": ("\n\n,,\n", r"groups\.csv is empty"),
    "half of UTF-16": ("image".encode("utf-16")[:-1], r"groups\.csv is not whole UTF-16"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_a_table_that_does_not_fit_is_refused_with_its_place(tmp_path, kind):
    content, words = BAD[kind]
    with pytest.raises(DataError, match=words):
        read_table_file(table(tmp_path, content))


def test_names_are_compared_as_composed_letters(tmp_path):
    path = table(tmp_path, unicodedata.normalize("NFC", "image,age\nsad/йога.png,7\n"))
    decomposed = unicodedata.normalize("NFD", "sad/йога.png")
    assert read_column(path, np.array([decomposed]), "age").tolist() == ["7"]


def test_rows_of_no_image_are_counted_and_named(tmp_path, capsys):
    read_table_file(table(tmp_path, "image,age\na.png,7\nz.png,8\n")).warn_of_others(["a.png"])
    assert "1 rows of no image here, first 'z.png'" in capsys.readouterr().err


@given(st.binary(max_size=200) | st.text(alphabet='image,;\t"\n\r ag7é', max_size=200).map(str.encode))
@settings(deadline=None, max_examples=300)
def test_any_file_is_a_table_or_is_refused_but_nothing_else_happens(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    try:
        found = read_table_file(path)
    except DataError as error:
        assert str(path) in str(error)  # noqa: PT017 - either is right
    else:
        assert all(set(row) == set(found.columns) for row in found.rows.values())


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).map(str.strip).filter(bool)


@given(
    rows=st.dictionaries(st.integers(0, 99).map("happy/{}.png".format), cells, min_size=1), mark=st.sampled_from(",;\t")
)
@settings(deadline=None, max_examples=60)
def test_what_a_program_writes_is_read_back(tmp_path_factory, rows, mark):
    import csv

    path = tmp_path_factory.getbasetemp() / "written.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=mark)
        writer.writerows([("image", "light"), *rows.items()])
    expected = [value.replace("\ufeff", "").strip() for value in rows.values()]
    assert read_column(path, np.array(list(rows)), "light").tolist() == expected
