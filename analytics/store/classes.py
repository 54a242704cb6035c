"""Classes and their children: a class is found by any spelling of its name, and keeps the spellings that it has."""

from dataclasses import astuple

import duckdb

from analytics.access.spelling import fold
from analytics.store.cache import QueryCache
from analytics.store.database import Database
from analytics.store.records import Child


class ClassNames:
    """The spellings of each class in the tables, known until something but an observation is written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: QueryCache[dict[str, tuple[str, ...]]] = QueryCache(database)

    def spellings(self, class_name: str) -> tuple[str, ...]:
        """See `LessonStore.class_spellings`."""
        return (self._known.get("", self._read) or {}).get(fold(class_name), ())

    def names(self) -> list[str]:
        """See `LessonStore.class_names`."""
        return [spellings[0] for spellings in (self._known.get("", self._read) or {}).values()]

    def _read(self) -> dict[str, tuple[str, ...]]:
        with self._database.cursor() as cursor:
            return all_spellings(cursor)


def all_spellings(cursor: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, ...]]:
    """`fold` of a class -> its spellings in the tables. First that of its first child, under which new children and
    lessons are put; else that of its first lesson.
    """
    rows = cursor.execute(
        "SELECT class_name FROM (SELECT class_name, 0 AS place, min(number) AS number FROM child GROUP BY class_name "
        "UNION ALL SELECT class_name, 1, min(number) FROM lesson GROUP BY class_name) ORDER BY place, number"
    ).fetchall()
    found: dict[str, dict[str, None]] = {}
    for (name,) in rows:
        found.setdefault(fold(name), {})[name] = None
    return {key: tuple(names) for key, names in found.items()}


def put_child(cursor: duckdb.DuckDBPyConnection, child: Child) -> None:
    """See `LessonStore.put_child`. A child that is there already keeps its animal, even where another spelling of its
    class, from before spellings were one class, has the same.
    """
    consent = astuple(child.consent) if child.consent else (None,) * 5
    values = [child.class_name, child.animal, *consent, child.calibration_consent, child.pseudonym]
    known = cursor.execute("SELECT 1 FROM child WHERE pseudonym = ?", [values[-1]]).fetchone()
    names = () if known else all_spellings(cursor).get(fold(child.class_name), ())
    rival = cursor.execute(
        "SELECT 1 FROM child WHERE list_contains(?::VARCHAR[], class_name) AND animal = ? AND pseudonym <> ?",
        [[*names, values[0]], values[1], values[-1]],
    ).fetchone()
    if rival:
        raise ValueError(f"{child.animal!r} stands for another child of {child.class_name!r}: choose another animal")
    if known:
        cursor.execute(
            "UPDATE child SET class_name = ?, animal = ?, consent_version = ?, consent_role = ?, consent_given_at = ?, "
            "consent_expires_at = ?, consent_withdrawn_at = ?, calibration_consent_at = ? WHERE pseudonym = ?",
            values,
        )
    else:
        cursor.execute(
            "INSERT INTO child (number, class_name, animal, consent_version, consent_role, consent_given_at, "
            "consent_expires_at, consent_withdrawn_at, calibration_consent_at, pseudonym) "
            "SELECT (SELECT coalesce(max(number), 0) + 1 FROM child), ?, ?, ?, ?, ?, ?, ?, ?, ?",
            values,
        )
