"""Codes instead of names: what a child and a lesson are called on paper, and the pseudonym under which rows are stored.

A child's code is an animal and four characters, ``fox-4k7p`` (in Russian ``лиса-4k7p``, the same code); a lesson's is
six characters, ``7mq3ad``. Both use the 31 letters and digits that are hard to mistake for one another: no 0 and o, no
1, i and l.

How hard guessing is. A station must name a lesson that is open and a child of its class, and one client (an address,
or the 64 bits of an IPv6 network) may name a hundred unknown codes at once and then one every two seconds
(`emotion.station.code_door`), at all doors together: 1,450 in a lesson of 45 minutes. Lesson codes: 31⁶ = 887,503,681,
so one client finds one of 20 open lessons with a chance of 0.0033 % in that time, a thousand with 3.3 %. A child's
code, once the lesson's is known: 31⁴ = 923,521 for each animal, so a client that knows which animals there are hits one
with a chance of 1,550 / 923,521 = 0.17 % in a lesson (another hundred from when somebody takes part at its address).
All clients at addresses where nobody takes part in it, however many, have 6,400 / 923,521 = 0.69 % together. What is
gained by a hit is to add false rows: a station can read nothing.

The pseudonym is HMAC-SHA-256 of class and code under a secret that is kept outside the database, cut to 80 bits (20
hexadecimal digits). Among n children two meet with a probability of about n² / 2⁸¹: 4e-15 for 100,000. Who has the
database and not the secret cannot try codes; who has both can (there are only about 40 × 31⁴ codes in a class), so
they must not be kept together.
"""

import codecs
import hmac
import os
import secrets
import stat
import unicodedata
from collections.abc import Callable, Collection
from pathlib import Path

from analytics.access.files import LinkError, finish_placing, resolved, write_whole
from analytics.access.spelling import LOOK_ALIKES
from analytics.classroom.animals import ANIMALS, RUSSIAN_NAMES
from analytics.store.records import StoreError

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
CHILD_LETTERS = 4
LESSON_LETTERS = 6
CALIBRATION_LETTERS = 10  # of a link that holds an hour: nobody types it, and 31¹⁰ are not guessed in that time
PSEUDONYM_DIGITS = 20
SECRET_BYTES = 32  # as long as SHA-256's output, beyond which HMAC gains nothing
MINIMUM_SECRET = 16  # characters of a secret given by hand: 16 random characters of this alphabet carry 79 bits


def load_secret(value: str | None, file: Path) -> bytes:
    """The secret: ``value`` (from the environment) if there is one, else that of ``file``, which is generated at the
    first start.

    The file can be read by its owner only. Raises `StoreError` for a value that is too short, or a file that others
    may read or that holds no secret.
    """
    if value:
        if len(value.strip()) < MINIMUM_SECRET:
            raise StoreError(
                f"EMOTION_SECRET has {len(value.strip())} characters: give at least {MINIMUM_SECRET}, for example "
                f"the output of "
                "python -c 'import secrets; print(secrets.token_hex(32))'"
            )
        return value.strip().encode()
    try:
        file = resolved(file)
        finish_placing(file)
        if file.exists():
            return _read_secret(file)
        text = secrets.token_hex(SECRET_BYTES)
        write_whole(file, text + "\n")
    except LinkError as error:
        raise StoreError(f"the secret cannot be reached: {error}; or set EMOTION_SECRET instead") from error
    except OSError as error:
        raise StoreError(f"the secret {file} cannot be made ({error.strerror}): set EMOTION_SECRET instead") from error
    return text.encode()


def _read_secret(file: Path) -> bytes:
    try:
        mode = file.stat().st_mode
        text = file.read_bytes().removeprefix(codecs.BOM_UTF8).decode("ascii").strip()  # a Windows editor adds the mark
    except OSError as error:
        raise StoreError(
            f"the secret {file} cannot be read ({error.strerror}): give its owner the right to, or set EMOTION_SECRET"
        ) from error
    except UnicodeDecodeError as error:
        raise StoreError(
            f"the secret {file} holds more than letters and digits: restore it from where you keep it, as it was"
        ) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StoreError(f"others may read the secret {file}: run chmod 600 on it, or set EMOTION_SECRET")
    if len(text) < MINIMUM_SECRET:
        raise StoreError(
            f"the secret {file} holds {len(text)} characters: restore it from where you keep it, or delete it and "
            f"enrol every "
            "child anew"
        )
    return text.encode()


def pseudonym(secret: bytes, class_name: str, child_code: str) -> str:
    """20 hexadecimal digits for a child of a class; the same for every spelling of the code. Raises ValueError for
    no code.
    """
    code = normalise_child_code(child_code)
    return hmac.digest(secret, f"{class_name}\0{code}".encode(), "sha256").hex()[:PSEUDONYM_DIGITS]


def new_lesson_code() -> str:
    """Six random characters."""
    return _letters(LESSON_LETTERS)


def new_child_code(taken: Collection[str]) -> str:
    """An animal that is not in ``taken`` and four random characters. Raises ValueError when no animal is left."""
    free = [animal for animal in ANIMALS if animal not in taken]
    if not free:
        raise ValueError(
            f"all {len(ANIMALS)} animals of this class are given away: split the class, or erase children who left"
        )
    return f"{secrets.choice(free)}-{_letters(CHILD_LETTERS)}"


def normalise_child_code(text: str) -> str:
    """``fox-4k7p`` for any spelling: case, spaces, kinds of dash and Cyrillic look-alikes are forgiven, and the animal
    may be named in Russian, with ё or with е.

    Raises ValueError for what cannot be a child's code.
    """
    letters = "".join(letter for letter in _plain(text) if letter.isalnum())
    typed, tail = letters[:-CHILD_LETTERS], letters[-CHILD_LETTERS:]
    animal = ANIMAL_OF_RUSSIAN.get(_without_dots(typed), typed)
    if animal not in ANIMALS or any(letter not in ALPHABET for letter in tail):
        raise ValueError("this is no child's code: it looks like fox-4k7p")
    return f"{animal}-{tail}"


def normalise_lesson_code(text: str) -> str:
    """Six lower-case characters for any spelling. Raises ValueError for what cannot be a lesson's code."""
    letters = "".join(letter for letter in _plain(text) if letter.isalnum())
    if len(letters) != LESSON_LETTERS or any(letter not in ALPHABET for letter in letters):
        raise ValueError("this is no lesson's code: it has six letters and digits, for example 7mq3ad")
    return letters


def new_calibration_code() -> str:
    """Ten random characters."""
    return _letters(CALIBRATION_LETTERS)


def normalise_calibration_code(text: str) -> str:
    """Ten lower-case characters for any spelling. Raises ValueError for what cannot be a calibration link's code."""
    letters = "".join(letter for letter in _plain(text) if letter.isalnum())
    if len(letters) != CALIBRATION_LETTERS or any(letter not in ALPHABET for letter in letters):
        raise ValueError("this is no code of a calibration link: it has ten letters and digits")
    return letters


def plain_code(text: str, normalise: Callable[[str], str]) -> str:
    """A code as ``normalise`` writes it; what cannot be one (the id of a lesson, say) without blanks around it."""
    try:
        return normalise(text)
    except ValueError:
        return text.strip()


def animal_of(child_code: str) -> str:
    """The animal of a child's code. Raises ValueError for what cannot be a code."""
    return normalise_child_code(child_code).rpartition("-")[0]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text[:100]).casefold().translate(LOOK_ALIKES)


def _without_dots(name: str) -> str:
    # Behind `_plain`, where a Cyrillic е is a Latin one already; the second is the Latin letter with dots.
    return name.replace("\N{CYRILLIC SMALL LETTER IO}", "e").replace("\N{LATIN SMALL LETTER E WITH DIAERESIS}", "e")


def _letters(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


# As the names read behind `_plain`.
ANIMAL_OF_RUSSIAN = {_without_dots(_plain(russian)): animal for animal, russian in RUSSIAN_NAMES.items()}
