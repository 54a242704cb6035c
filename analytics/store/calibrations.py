"""What the network was taught of a child's own face: frames as numbers, and the last layer that was fitted to them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from analytics.store.cache import QueryCache
from analytics.store.database import Database
from analytics.store.erasing import Erasing
from analytics.store.records import Child, storable, time_of
from analytics.store.writer import Writer
from emotion.labels import KEYS

FRAME_COLUMNS = 'calibration_frame.id, burst, label, epoch_us(calibration_frame."at"), network, features, left_out'
HEAD_COLUMNS = (
    'epoch_us("at"), network, frames, shown, recall_before, recall_after, gain_low, gain_high, adopted, in_use, head'
)
OF_CHILD = "JOIN child ON child.number = {table}.child WHERE pseudonym = ?"
LONGEST_LESSON = timedelta(hours=25)  # one that nobody ends closes itself within
NO_SUCH_CHILD = "there is no such child: put its consent on file first"


@dataclass(frozen=True, slots=True)
class CalibrationFrame:
    """One picture, as numbers. ``label``: one of `emotion.labels.KEYS`. ``burst``: of one moment, a whole number from
    0. ``features``: 2,048 half precision numbers, which ``network`` made. ``left_out``: it does not count, by
    the teacher's wish, or because the child has not found it good yet.
    """

    id: str
    burst: int
    label: str
    at: datetime
    network: str
    features: bytes
    left_out: bool = False

    def __post_init__(self) -> None:
        if self.label not in KEYS:
            raise ValueError(f"label {self.label[:40]!r} is unknown: use one of {', '.join(KEYS)}")
        if len(self.features) != 2 * 2048:
            raise ValueError(f"{len(self.features)} bytes of features: there must be 2,048 half precision numbers")


@dataclass(frozen=True, slots=True)
class Calibration:
    """The last layer of one child. ``head``: its bytes (`emotion.personal`), for ``network`` alone. ``frames``: to
    which it was fitted. ``before``, ``after``: mean recall, 0 to 1, on bursts that were left out, of the packaged layer
    and of this one; ``low``, ``high``: the interval by which it was ``adopted`` or not. ``in_use``: the teacher's wish.
    """

    at: datetime
    network: str
    frames: int
    shown: tuple[str, ...]
    before: float
    after: float
    low: float
    high: float
    adopted: bool
    in_use: bool
    head: bytes


class Calibrations:
    """The tables ``calibration_frame``, ``calibration``, ``class_calibration``. ``visible``: the child under a
    pseudonym, or None for one
    that whoever asks may not see, who is answered as if there were none. Thread-safe.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        erasing: Erasing,
        visible: Callable[[str], Child | None],
    ) -> None:
        self._database = database
        self._writer = writer
        self._erasing = erasing
        self._visible = visible
        self._found = QueryCache[Calibration](database)
        self._fitted = QueryCache[frozenset[str]](database)

    def seen_by(self, visible: Callable[[str], Child | None]) -> "Calibrations":
        """The same for somebody who sees fewer children."""
        return Calibrations(self._database, self._writer, self._erasing, visible)

    def add_frame(self, child: str, frame: CalibrationFrame, most_of_burst: int, most: int) -> int | None:
        """Adds a frame of a child (pseudonym); one whose id is known in its burst is left out. Returns how many its
        burst has, or None where the burst has ``most_of_burst`` or the child ``most`` already. Raises ValueError for an
        unknown child, and for a burst that is of another expression.
        """

        def work(cursor: duckdb.DuckDBPyConnection) -> int | None:
            number = _number(cursor, child)
            rows = cursor.execute("SELECT id, burst, label FROM calibration_frame WHERE child = ?", [number]).fetchall()
            burst = [(key, label) for key, place, label in rows if place == frame.burst]
            if frame.id in {key for key, _ in burst}:
                return len(burst)
            if any(label != frame.label for _, label in burst):
                raise ValueError(f"burst {frame.burst} is of another expression: take a new number")
            if len(burst) >= most_of_burst or len(rows) >= most:
                return None
            cursor.execute(
                "INSERT INTO calibration_frame VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    number,
                    frame.id,
                    frame.burst,
                    frame.label,
                    frame.at,
                    frame.network,
                    frame.features,
                    frame.left_out,
                ],
            )
            return len(burst) + 1

        self._require(child)
        return self._writer.run(work)

    def frames(self, child: str) -> list[CalibrationFrame]:
        """All frames of a child, in the order of their bursts and times. Empty for an unknown child."""
        if self._visible(child) is None:
            return []
        with self._database.cursor() as cursor:
            rows = cursor.execute(
                f"SELECT {FRAME_COLUMNS} FROM calibration_frame {OF_CHILD.format(table='calibration_frame')} "
                'ORDER BY burst, calibration_frame."at", id',
                [storable(child)],
            ).fetchall()
        return [
            CalibrationFrame(key, burst, label, time_of(at), network, bytes(features), left_out)
            for key, burst, label, at, network, features, left_out in rows
        ]

    def remove_burst(self, child: str, burst: int) -> int:
        """Deletes a burst; returns how many frames it had. Raises ValueError for an unknown child."""
        return self._change(child, "DELETE FROM calibration_frame WHERE child = $1 AND burst = $2", burst)

    def leave_out(self, child: str, burst: int, left_out: bool) -> int:
        """Whether a burst counts when a layer is fitted; returns how many frames it has. Raises ValueError for an
        unknown child.
        """
        sql = "UPDATE calibration_frame SET left_out = $3 WHERE child = $1 AND burst = $2"
        return self._change(child, sql, burst, left_out)

    def put(self, child: str, calibration: Calibration) -> None:
        """Keeps a fitted layer, or changes the one of the same time. Those before it are kept as long as a lesson may
        run that began with them. Raises ValueError for an unknown child.
        """

        def work(cursor: duckdb.DuckDBPyConnection) -> None:
            _put(cursor, "calibration", "child", _number(cursor, child), calibration)

        self._require(child)
        self._writer.run(work)

    def find(self, child: str, until: datetime | None = None) -> Calibration | None:
        """The layer that was last fitted to a child (pseudonym), ``until`` a time where one is given, adopted or not;
        None without one. Cheap: it is asked for every frame of a lesson.
        """

        def read() -> Calibration | None:
            of_child = "child = (SELECT number FROM child WHERE pseudonym = $1)"
            return self._latest("calibration", of_child, child, until)

        pseudonyms = "SELECT pseudonym FROM calibration JOIN child ON child.number = calibration.child"
        if child not in (self._fitted.get("child", lambda: self._all(pseudonyms)) or ()):
            return None
        return self._found.get(f"child {child} {until}", read) if self._visible(child) is not None else None

    def put_of_class(self, class_name: str, calibration: Calibration) -> None:
        """Keeps a layer for the children of a class, as `put`. ``class_name``: as it is spelled in
        the tables."""
        self._writer.run(lambda cursor: _put(cursor, "class_calibration", "class_name", class_name, calibration))

    def find_of_class(self, class_name: str, until: datetime | None = None) -> Calibration | None:
        """The layer that was last fitted to a class, as `find`."""

        def read() -> Calibration | None:
            return self._latest("class_calibration", "class_name = $1", class_name, until)

        fitted = self._fitted.get("class", lambda: self._all("SELECT class_name FROM class_calibration"))
        return self._found.get(f"class {class_name} {until}", read) if class_name in (fitted or ()) else None

    def remove_of_class(self, class_name: str) -> None:
        """Deletes the layer of a class."""
        self._writer.run(
            lambda cursor: cursor.execute("DELETE FROM class_calibration WHERE class_name = ?", [storable(class_name)])
        )

    def forget(self, child: str) -> int:
        """Deletes frames and layer of a child, and writes the file anew, so that their bytes are gone; a backup that
        is restored later does not bring them back. Returns how many frames there were. Raises ValueError for an unknown
        child, `StoreError` if that could not be done whole; then housekeeping goes on with it.
        """
        self._require(child)
        return self._erasing.forget_calibration(child)

    def _all(self, sql: str) -> frozenset[str]:
        with self._database.cursor() as cursor:
            return frozenset(row[0] for row in cursor.execute(sql).fetchall())

    def _latest(self, table: str, condition: str, key: str, until: datetime | None) -> Calibration | None:
        sql = (
            f'SELECT {HEAD_COLUMNS} FROM {table} WHERE {condition} AND ($2::TIMESTAMPTZ IS NULL OR "at" <= $2) '
            'ORDER BY "at" DESC LIMIT 1'
        )
        with self._database.cursor() as cursor:
            row = cursor.execute(sql, [storable(key), until]).fetchone()
        if row is None:
            return None
        at, network, frames, shown, before, after, low, high, adopted, in_use, head = row
        names = tuple(name for name in shown.split(",") if name)
        return Calibration(time_of(at), network, frames, names, before, after, low, high, adopted, in_use, bytes(head))

    def _require(self, child: str) -> None:
        if self._visible(child) is None:
            raise ValueError(NO_SUCH_CHILD)

    def _change(self, child: str, sql: str, *values: object) -> int:
        def work(cursor: duckdb.DuckDBPyConnection) -> int:
            row = cursor.execute(sql, [_number(cursor, child), *values]).fetchone()
            return int(row[0]) if row else 0

        self._require(child)
        return self._writer.run(work)


def _put(cursor: duckdb.DuckDBPyConnection, table: str, column: str, key: object, calibration: Calibration) -> None:
    cursor.execute(
        f'DELETE FROM {table} WHERE {column} = ? AND ("at" = ? OR "at" < ?)',
        [storable(key), calibration.at, calibration.at - LONGEST_LESSON],
    )
    values = [
        storable(key),
        calibration.at,
        calibration.network,
        calibration.frames,
        ",".join(calibration.shown),
        calibration.before,
        calibration.after,
        calibration.low,
        calibration.high,
        calibration.adopted,
        calibration.in_use,
        calibration.head,
    ]
    cursor.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)


def _number(cursor: duckdb.DuckDBPyConnection, pseudonym: str) -> int:
    row = cursor.execute("SELECT number FROM child WHERE pseudonym = ?", [storable(pseudonym)]).fetchone()
    if row is None:
        raise ValueError(NO_SUCH_CHILD)
    return int(row[0])
