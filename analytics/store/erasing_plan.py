"""What an erasing, or a retention, has still to do: a small file beside the database for each, gone when all is done.

It is written before the first step, so whatever stops the program, the rest is known at the next start. Of a child it
holds the pseudonym, by which the rest is found, and the class, whose teachers are told how far it is.
"""

import json
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from analytics.access.files import FINISHED, write_whole
from analytics.store.records import StoreError

# The steps. Each may be done again at any time.
ROWS = "rows"  # in the tables
EXPORTS = "exports"  # files in the folder of exports
LEFTOVERS = "leftovers"  # copies that a killed process has not finished
COPIES = "copies"  # backups and files kept aside that are older than what is kept (retention)
SEARCH = "search:"  # a copy, by its path, that may know the child
REWRITE = "rewrite:"  # a copy that knows the child, or knew it until its rows were deleted: its bytes must go
FILE = "file"  # the bytes of the database and its log
HUB = "hub"  # the copy in a data set of the Hub
UNREADABLE = "unreadable"  # somebody changed the plan: what it said has to be found out by a person


@dataclass(frozen=True, slots=True)
class Plan:
    """``name``: of its file. ``pseudonym`` of the child to erase, or "" and ``before``, an ISO 8601 time, for what is
    older than what is kept. ``steps``: still due, in their order. ``actor``: for the audit.
    """

    name: str
    steps: tuple[str, ...]
    actor: str = ""
    pseudonym: str = ""
    class_name: str = ""
    before: str = ""

    @property
    def moment(self) -> datetime:
        """``before`` as a time."""
        return datetime.fromisoformat(self.before)

    def without(self, *steps: str) -> "Plan":
        """The plan after these steps are done."""
        return replace(self, steps=tuple(step for step in self.steps if step not in steps))


class PlanFiles:
    """The plans of the database at ``path``."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._prefix = f"{path.name}.erasing-"

    def new_name(self) -> str:
        """A name for the plan of a child, which says nothing of the child."""
        return f"{self._prefix}{secrets.token_hex(4)}.json"

    @property
    def retention_name(self) -> str:
        """The name of the one plan that deletes what is old."""
        return f"{self._prefix}old.json"

    def unfinished(self) -> list[Plan]:
        """All plans. One that cannot be read is there with the step `UNREADABLE`. Raises `StoreError`."""
        try:
            names = sorted(
                entry.name
                for entry in self._folder.iterdir()
                if entry.name.startswith(self._prefix) and entry.name.endswith(".json")
            )
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"the folder {self._folder} cannot be read ({error.strerror})") from error
        return [plan for plan in map(self._read, names) if plan.steps]

    def write(self, plan: Plan) -> None:
        """Puts a plan on the disk in the place of its earlier state; one without steps is taken away. Raises
        `StoreError`.
        """
        try:
            if plan.steps:
                write_whole(self.path_of(plan), json.dumps(asdict(plan), ensure_ascii=False))
            else:
                self.path_of(plan).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                f"{self.path_of(plan)}, the list of what is still to be erased, cannot be written ({error.strerror}): "
                "free some space, or give the right to write in its folder"
            ) from error

    def remove_drafts(self) -> None:
        """Removes plans that a killed process had not finished writing, so nothing was done of them. Raises
        `StoreError`.
        """
        try:
            for entry in list(self._folder.iterdir()):
                if entry.name.startswith(self._prefix) and entry.name.endswith((".new", FINISHED)):
                    entry.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{error.filename} cannot be deleted ({error.strerror}): delete it yourself") from error

    def path_of(self, plan: Plan) -> Path:
        """The file of a plan."""
        return self._folder / plan.name

    def _read(self, name: str) -> Plan:
        try:
            found = json.loads((self._folder / name).read_text(encoding="utf-8"))
            plan = Plan(**{**found, "name": name, "steps": tuple(map(str, found["steps"]))})
            if not all(isinstance(value, str) for value in (plan.pseudonym, plan.before, plan.actor, plan.class_name)):
                raise TypeError(name)
            if not plan.pseudonym:
                plan.moment.astimezone()
        except FileNotFoundError:  # finished meanwhile
            return Plan(name, ())
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return Plan(name, (UNREADABLE,))
        return plan
