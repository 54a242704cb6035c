"""Files that are whole at every moment, wherever their names lead.

A file is written beside the one that it replaces and takes its name at the end. A symbolic link is followed first, or
the new file would stand in the place of the link and the old one would live on behind it. A name that cannot be taken
(a file that is mounted by itself, or that has further names by hard links) keeps its file, and the bytes in it are
overwritten; the finished file lies beside it until that is done, so a stop in the middle loses nothing.
"""

import errno
import logging
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

LOG = logging.getLogger(__name__)
FINISHED = ".finished"
# What renaming answers where a name cannot be taken: a mount point, another file system, a folder with other rules.
NAME_IS_KEPT = {errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM}


class LinkError(OSError):
    """A symbolic link leads to no place where a file could be. The message says which and what to do."""


def resolved(path: Path) -> Path:
    """Where ``path`` leads, absolute and without symbolic links; the file itself need not exist yet.

    Raises `LinkError` for links that lead in a circle or into a folder that is not there (a disk that is not mounted):
    a file that was made in its stead would be another one.
    """
    try:
        found = path.resolve()
        circle = found.is_symlink()
    except (OSError, RuntimeError):
        circle = True
    if circle:
        raise LinkError(f"{path} leads to no file: its links lead in a circle; mend them")
    if path.is_symlink() and not found.parent.is_dir():
        raise LinkError(f"{path} is a link to {found}, whose folder is not there: mount its disk, or mend the link")
    return found


def finished_of(target: Path) -> Path:
    """The finished file that waits to take the place of ``target``; there for a moment only."""
    return target.with_name(target.name + FINISHED)


def place(fresh: Path, target: Path, remove: Sequence[Path] = (), keep_mode: bool = True) -> None:
    """Puts ``fresh``, a file beside ``target`` with all links followed, in the place of ``target``.

    ``remove``: files that belong to the old one and go with it, its log for example. The owner stays, and with
    ``keep_mode`` the rights too. Raises OSError; if the finished file has been put beside the target by then,
    `finish_placing` goes on.
    """
    sync(fresh)
    if target.exists():
        take_over(fresh, target, keep_mode)
    fresh.replace(finished_of(target))
    sync_folder(target.parent)
    finish_placing(target, remove)


def finish_placing(target: Path, remove: Sequence[Path] = ()) -> None:
    """Goes on with what `place` began, if it was stopped; to be called before ``target`` is opened. Raises OSError."""
    finished = finished_of(target)
    if not finished.exists():
        return
    for belonging in remove:
        belonging.unlink(missing_ok=True)
    if not target.exists() or target.stat().st_nlink == 1:
        try:
            finished.replace(target)
        except OSError as error:
            if error.errno not in NAME_IS_KEPT:
                raise
        else:
            sync_folder(target.parent)
            return
    with finished.open("rb") as source, target.open("r+b") as sink:
        shutil.copyfileobj(source, sink, 1 << 20)
        sink.truncate()
        sink.flush()
        os.fsync(sink.fileno())
    finished.unlink()
    sync_folder(target.parent)


def write_whole(target: Path, text: str) -> None:
    """Writes a text file that only its owner can read, whole or not at all. Raises OSError."""
    target = resolved(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(target.name + ".new")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text)
        place(draft, target, keep_mode=False)
    finally:
        discard(draft)


def keep_aside(path: Path, kept: Path, leave: bool = False) -> Path:
    """Moves what lies at ``path`` to the new name ``kept`` and returns that.

    A file whose name cannot be taken away, or that has others, is copied, and then emptied, or with ``leave`` left as
    it is. Raises OSError, and then ``path`` is untouched.
    """
    if path.stat().st_nlink == 1:
        try:
            return path.rename(kept)
        except OSError as error:
            if error.errno not in NAME_IS_KEPT:
                raise
    partial = kept.with_name(kept.name + ".partial")
    try:
        shutil.copyfile(path, partial)
        sync(partial)
        take_over(partial, path, keep_mode=True)
        partial.rename(kept)
    finally:
        discard(partial)
    if not leave:
        os.truncate(path, 0)
    return kept


def discard(*leftovers: Path) -> None:
    """Deletes what is left of something that failed. If this fails too it is logged, and the first failure is told."""
    for leftover in leftovers:
        try:
            leftover.unlink(missing_ok=True)
        except OSError as error:
            LOG.warning("%s is left and cannot be deleted (%s)", leftover, error.strerror)


def sync(file: Path) -> None:
    """Returns when the file's bytes are on the disk. Not for a database that is open: see `Database`."""
    descriptor = os.open(file, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Returns when the folder's names are on the disk, where the system can say that (Windows cannot)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def take_over(fresh: Path, old: Path, keep_mode: bool = True) -> None:
    """Gives the owner of ``old``, and its rights, to ``fresh``: who opened the old file can open the new one."""
    found = old.stat()
    if keep_mode:
        fresh.chmod(found.st_mode & 0o777)
    if os.name == "posix" and (found.st_uid, found.st_gid) != (fresh.stat().st_uid, fresh.stat().st_gid):
        with suppress(PermissionError):  # only root may give a file away: for anybody else it stays one's own
            os.chown(fresh, found.st_uid, found.st_gid)
