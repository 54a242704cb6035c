"""All that is held about one child as one JSON file, for whoever answers its parents (GDPR, articles 15 and 20).

Nothing of it stays here: it is written for whoever asked to fetch it within two minutes.
"""

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from analytics.store.lesson_store import LessonStore
from analytics.store.records import Child, Lesson
from analytics.teacher.export import CAUTION, PROBABILITY
from analytics.teacher.export_formats import StreamedTable, write_json
from emotion.labels import KEYS

_TEXT, _TIME = pa.string(), pa.timestamp("us", tz="UTC")
_LAYER = ("before", "after", "low", "high", "in_use", "adopted")
# Table -> column -> (type, meaning).
COLUMNS: dict[str, dict[str, tuple[pa.DataType, str]]] = {
    "child": {
        "pseudonym": (_TEXT, "20 hexadecimal digits, the same in all lessons; the child's code is stored nowhere"),
        "class_name": (_TEXT, "class"),
        "animal": (_TEXT, "how the teacher's pages call the child"),
        "consent_version": (_TEXT, "of the form that was agreed to; empty: there is no consent"),
        "consent_role": (_TEXT, "who agreed, never a name"),
        "consent_given_at": (_TIME, "since when recording is agreed to, UTC"),
        "consent_expires_at": (_TIME, "until when, UTC"),
        "consent_withdrawn_at": (_TIME, "when it was withdrawn, UTC"),
        "calibration_consent_at": (_TIME, "since when the network may be fitted to the child's face, UTC"),
    },
    "lessons": {
        "id": (
            _TEXT,
            "identifier of a lesson in which the child was seen, or of which there is an event or correction",
        ),
        "title": (_TEXT, "title"),
        "class_name": (_TEXT, "class"),
        "started_at": (_TIME, "start, UTC"),
        "ended_at": (_TIME, "end, UTC; null while the lesson runs"),
    },
    "observations": {
        "lesson": (_TEXT, "identifier of the lesson"),
        "at": (_TIME, "time of the frame, UTC"),
        **{key: (pa.float32(), PROBABILITY.format(key=key)) for key in KEYS},
        "face_quality": (pa.float32(), "how well the face could be seen, 0 to 1"),
        "faces_seen": (pa.uint8(), "number of faces in the frame"),
        "source": (_TEXT, "what sent the frame"),
        "model": (_TEXT, "version of the classifier that answered"),
    },
    "events": {
        "lesson": (_TEXT, "identifier of the lesson"),
        "at": (_TIME, "time of the event, UTC"),
        "kind": (_TEXT, "kind of event"),
        "detail": (_TEXT, "free text, for example the name of the task"),
        "whole_class": (pa.bool_(), "true: an event of the whole class"),
    },
    "corrections": {
        "lesson": (_TEXT, "identifier of the lesson"),
        "start": (_TIME, "start of the span that the teacher judged, UTC"),
        "end": (_TIME, "its end, UTC"),
        "label": (_TEXT, "the teacher's own label"),
        "note": (_TEXT, "free text of the teacher"),
        "at": (_TIME, "when it was written, UTC"),
    },
    "own_face_frames": {
        "burst": (pa.int32(), "frames of one moment have one number"),
        "label": (_TEXT, "the expression that was asked for"),
        "at": (_TIME, "time of the picture, UTC; the picture itself was not kept"),
        "network": (_TEXT, "what made the numbers"),
        "features": (_TEXT, "2,048 numbers of two bytes each (IEEE half precision, little endian), as base64"),
        "left_out": (pa.bool_(), "true: it does not count"),
    },
    "own_face_layer": {
        "at": (_TIME, "when it was fitted, UTC"),
        "network": (_TEXT, "of which network it is the last layer"),
        "frames": (pa.int32(), "to how many pictures it was fitted"),
        "shown": (_TEXT, "the expressions that it was fitted to, separated by commas"),
        "before": (pa.float64(), "mean recall of the packaged layer on moments that were left out, 0 to 1"),
        "after": (pa.float64(), "mean recall of this layer there"),
        "low": (pa.float64(), "lower end of the interval that decides"),
        "high": (pa.float64(), "upper end"),
        "in_use": (pa.bool_(), "whether the teacher lets it be used"),
        "adopted": (pa.bool_(), "whether it may be used"),
        "head": (_TEXT, "the layer itself, as base64"),
    },
}
SCHEMAS = {
    table: pa.schema([(name, kind) for name, (kind, _) in columns.items()]) for table, columns in COLUMNS.items()
}


def write_child(store: LessonStore, child: Child, target: Path, actor: str) -> None:
    """Writes all that is held about a child into the file ``target``. Raises `analytics.store.records.StoreError` or
    OSError if it cannot be read or written.
    """
    dictionary = {
        table: {name: meaning for name, (_, meaning) in columns.items()} for table, columns in COLUMNS.items()
    }
    with target.open("wb") as stream:
        write_json(stream, {"caution": CAUTION, "dictionary": dictionary}, _tables(store, child))
    store.audit("export", actor, f"{child.class_name}: {child.animal}, all that is held")


def _tables(store: LessonStore, child: Child) -> dict[str, StreamedTable]:
    consent = child.consent
    agreed: tuple[object, ...] = (None,) * 5
    if consent is not None:
        agreed = (consent.version, consent.role, consent.given_at, consent.expires_at, consent.withdrawn_at)
    rows: dict[str, list[tuple[object, ...]]] = {
        "child": [
            (
                child.pseudonym,
                child.class_name,
                child.animal,
                *agreed,
                child.calibration_consent,
            )
        ],
        "lessons": [],
        "events": [],
        "corrections": [],
        "own_face_frames": [
            (
                frame.burst,
                frame.label,
                frame.at,
                frame.network,
                base64.b64encode(frame.features).decode(),
                frame.left_out,
            )
            for frame in store.calibrations.frames(child.pseudonym)
        ],
        "own_face_layer": [],
    }
    attended = []
    for lesson in store.lessons(child.class_name):
        events, corrections = store.events(lesson.id, child.pseudonym), store.corrections(lesson.id, child.pseudonym)
        own = [event for event in events if event.child is not None]
        seen = not store.observations(lesson.id, child.pseudonym).empty
        if not (own or corrections or seen):
            continue
        attended.append(lesson)
        rows["lessons"].append((lesson.id, lesson.title, lesson.class_name, lesson.started_at, lesson.ended_at))
        rows["events"] += [(lesson.id, event.at, event.kind, event.detail, event.child is None) for event in events]
        rows["corrections"] += [
            (lesson.id, found.start, found.end, found.label, found.note, found.at) for found in corrections
        ]
    layer = store.calibrations.find(child.pseudonym)
    if layer is not None:
        judged = [getattr(layer, name) for name in _LAYER]
        fitted = (layer.at, layer.network, layer.frames, ",".join(layer.shown))
        rows["own_face_layer"].append((*fitted, *judged, base64.b64encode(layer.head).decode()))
    tables = {name: StreamedTable(SCHEMAS[name], [_table(SCHEMAS[name], found)]) for name, found in rows.items()}
    observations = StreamedTable(SCHEMAS["observations"], _observations(store, child, attended))
    return {name: tables.get(name, observations) for name in COLUMNS}


def _table(schema: pa.Schema, rows: Sequence[tuple[object, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _observations(store: LessonStore, child: Child, lessons: Sequence[Lesson]) -> Iterator[pa.Table]:
    """The observations of the child, lesson by lesson."""
    schema = SCHEMAS["observations"]
    for lesson in lessons:
        found = store.observations(lesson.id, child.pseudonym).assign(lesson=lesson.id)
        yield pa.Table.from_pandas(found[schema.names], schema=schema, preserve_index=False)
