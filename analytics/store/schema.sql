-- The tables of the lesson store. Each part below brings a file from the version before to the version it names: a fresh
-- file runs them all, an older one only those it has not seen. A part that has been released is never edited; a change
-- is a new part at the end.
--
-- Lessons and children get small numbers in order of arrival, and the wide table refers to them by number. So the row
-- groups of `observation`, which is filled in order of time, span few lessons each, and DuckDB's minimum and maximum per
-- row group let a query of one lesson skip all others without an index. And a pseudonym is written in one place only.
-- There are no primary keys: one thread writes, and it checks before it inserts; DuckDB's indexes would have to be held
-- in memory for every row of a year.

-- version 1

CREATE TABLE lesson (
    number          INTEGER NOT NULL,
    id              VARCHAR NOT NULL,      -- uuid4 as 32 hexadecimal digits, or 'sample'
    code            VARCHAR NOT NULL,      -- what a child types: unique among all lessons
    title           VARCHAR NOT NULL,
    class_name      VARCHAR NOT NULL,
    started_at      TIMESTAMPTZ NOT NULL,
    planned_minutes DOUBLE NOT NULL,
    ended_at        TIMESTAMPTZ,           -- NULL while the lesson runs
    synthetic       BOOLEAN NOT NULL       -- made up by a program, never mixed with what was measured
);

CREATE TABLE child (
    number               INTEGER NOT NULL,
    pseudonym            VARCHAR NOT NULL, -- analytics.classroom.pseudonyms: never a name, never the child's code
    class_name           VARCHAR NOT NULL,
    animal               VARCHAR NOT NULL, -- how the teacher's pages call the child: unique in the class
    consent_version      VARCHAR,          -- which text was agreed to; NULL: no consent was ever given
    consent_role         VARCHAR,          -- who agreed, as a role (for example 'parent'), not a name
    consent_given_at     TIMESTAMPTZ,
    consent_expires_at   TIMESTAMPTZ,
    consent_withdrawn_at TIMESTAMPTZ
);

CREATE TABLE observation (
    lesson       INTEGER NOT NULL,
    child        INTEGER NOT NULL,
    "at"         TIMESTAMPTZ NOT NULL,
    fingerprint  UBIGINT NOT NULL,         -- of the observation's id: see analytics.store.records
    surprise     FLOAT,                    -- all eight NULL: no face was seen
    disgust      FLOAT,
    sad          FLOAT,
    angry        FLOAT,
    fear         FLOAT,
    happy        FLOAT,
    contempt     FLOAT,
    neutral      FLOAT,
    face_quality FLOAT,
    faces_seen   UTINYINT NOT NULL,
    source       VARCHAR NOT NULL,
    model        VARCHAR NOT NULL
);

CREATE TABLE event (
    id     VARCHAR NOT NULL,
    lesson INTEGER NOT NULL,
    child  INTEGER,                        -- NULL: the whole class
    "at"   TIMESTAMPTZ NOT NULL,
    kind   VARCHAR NOT NULL,
    detail VARCHAR NOT NULL
);

CREATE TABLE audit (
    "at"   TIMESTAMPTZ NOT NULL,
    actor  VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    detail VARCHAR NOT NULL
);

-- version 2

CREATE TABLE correction (
    id      VARCHAR NOT NULL,
    lesson  INTEGER NOT NULL,
    child   INTEGER NOT NULL,
    "start" TIMESTAMPTZ NOT NULL,
    "end"   TIMESTAMPTZ NOT NULL,
    label   VARCHAR NOT NULL,              -- the teacher's own judgement of the span; '' where there is only a note
    note    VARCHAR NOT NULL,
    "at"    TIMESTAMPTZ NOT NULL           -- when it was written down
);

-- version 3

ALTER TABLE lesson ADD COLUMN teacher VARCHAR DEFAULT '';  -- the account that started it; '' where nobody knows

-- version 4

ALTER TABLE child ADD COLUMN calibration_consent_at TIMESTAMPTZ;  -- NULL: the network may not be fitted to its face

CREATE TABLE calibration_frame (           -- one picture of a child that shows an expression, as numbers
    child    INTEGER NOT NULL,
    id       VARCHAR NOT NULL,
    burst    INTEGER NOT NULL,             -- frames of one moment, which are one witness together
    label    VARCHAR NOT NULL,             -- the expression that was asked for
    "at"     TIMESTAMPTZ NOT NULL,
    network  VARCHAR NOT NULL,             -- weights and runtime that made the features
    features BLOB NOT NULL,                -- 2,048 numbers, half precision, little endian
    left_out BOOLEAN NOT NULL              -- the teacher does not count the burst
);

CREATE TABLE calibration (                 -- the last layer of one child: a lesson is read by the newest before its start
    child      INTEGER NOT NULL,
    "at"       TIMESTAMPTZ NOT NULL,
    network    VARCHAR NOT NULL,
    frames     INTEGER NOT NULL,
    shown      VARCHAR NOT NULL,           -- the expressions it was fitted to, separated by commas
    recall_before DOUBLE NOT NULL,         -- mean recall of bursts that were left out, packaged layer
    recall_after  DOUBLE NOT NULL,         -- and this one
    gain_low   DOUBLE NOT NULL,            -- interval of the gain by which adoption is decided
    gain_high  DOUBLE NOT NULL,
    adopted    BOOLEAN NOT NULL,           -- whether it may be used
    in_use     BOOLEAN NOT NULL,           -- whether the teacher lets it be
    head       BLOB NOT NULL
);

CREATE TABLE class_calibration (           -- one last layer for the children of a class who have none of their own
    class_name VARCHAR NOT NULL,           -- as the class's first child spells it
    "at"       TIMESTAMPTZ NOT NULL,
    network    VARCHAR NOT NULL,
    frames     INTEGER NOT NULL,
    shown      VARCHAR NOT NULL,
    recall_before DOUBLE NOT NULL,         -- of children who were left out
    recall_after  DOUBLE NOT NULL,
    gain_low   DOUBLE NOT NULL,
    gain_high  DOUBLE NOT NULL,
    adopted    BOOLEAN NOT NULL,
    in_use     BOOLEAN NOT NULL,
    head       BLOB NOT NULL
);
