"""Where Gradio may put uploaded and drawn photographs for the minutes it needs them: in memory, for this user only."""

import atexit
import os
import resource
import shutil
import tempfile
from pathlib import Path

from gradio.utils import get_upload_folder

MEMORY_FOLDER = Path("/dev/shm")  # Linux keeps files of this folder in memory
MINIMUM_FREE_BYTES = 512 * 1024 * 1024  # containers often give this folder 64 MB, too little for a class's uploads
FOLDER_PREFIX = "expression-uploads-"


def use_private_upload_folder() -> Path:
    """Make the folder, let Gradio and `tempfile` use it, and remove it when the process ends.

    To be called before a page is built. Where memory is short or the system has no such folder it lies among the
    temporary files. What a killed process left behind is removed at the next start.
    """
    writable = MEMORY_FOLDER.is_dir() and os.access(MEMORY_FOLDER, os.W_OK)
    in_memory = writable and shutil.disk_usage(MEMORY_FOLDER).free >= MINIMUM_FREE_BYTES
    parent = MEMORY_FOLDER if in_memory else Path(tempfile.gettempdir())
    for left in parent.glob(f"{FOLDER_PREFIX}*"):
        process = left.name.removeprefix(FOLDER_PREFIX).split("-")[0]
        if process.isdigit() and not _is_alive(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-", dir=parent))  # mode 0700
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    tempfile.tempdir = str(folder)
    return folder


def take_file(path: Path, most_bytes: int) -> bytes | None:
    """The bytes of an uploaded file, or None if it has more than ``most_bytes``. The file and its folders are gone
    afterwards. Raises OSError where there is none.
    """
    try:
        return path.read_bytes() if path.stat().st_size <= most_bytes else None
    finally:
        path.unlink(missing_ok=True)
        for folder in (path.parent, path.parent.parent):
            if folder.is_dir() and folder != Path(get_upload_folder()) and not any(folder.iterdir()):
                folder.rmdir()


def forbid_core_dumps() -> None:
    """A crashed process leaves no image of its memory, in which frames may be, on a disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
