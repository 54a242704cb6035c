"""From probabilities to insight: the lesson store, timelines, support signals, and the teacher page.

    from analytics import LessonStore

Wings, from the ground up; each imports only those before it: `access`, `store`, `classroom`, `signals`, `simulation`,
`insight`, `words`, `charts`, `teacher`. Of `emotion` they know the labels and the plain `Prediction` alone.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analytics.store.lesson_store import LessonStore

__all__ = ["LessonStore"]

# `python -m analytics.accounts` and `analytics.backup` go on for one release.
__path__.append(str(Path(__file__).with_name("former_commands")))


def __getattr__(name: str) -> Any:
    """The public name, loaded when it is first used."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("analytics.store.lesson_store"), name)
