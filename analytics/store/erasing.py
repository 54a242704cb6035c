"""Erasing and retention, step by step: what was begun is finished, whatever stops the program in between.

A plan is written before the first step and struck off after each. The steps that remain are tried by whoever asks
again, by housekeeping, and at the start; every step may be done twice. See `analytics.store.erasing_plan`.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from analytics.store import kept_copies, upkeep
from analytics.store.database import Database
from analytics.store.erasing_plan import (
    COPIES,
    EXPORTS,
    FILE,
    HUB,
    LEFTOVERS,
    REWRITE,
    ROWS,
    SEARCH,
    UNREADABLE,
    Plan,
    PlanFiles,
)
from analytics.store.records import StoreError, utc_now
from analytics.store.revocations import Revocations
from analytics.store.upkeep import RemovedRows
from analytics.store.writer import Writer

LOG = logging.getLogger(__name__)
NOTHING = RemovedRows(0, 0, 0)


class Erasing:
    """Works for one open database. ``copying`` is held by whoever reads rows and writes them elsewhere (a backup, an
    export), and while rows are erased: so nothing that was read before is written after.
    """

    def __init__(self, database: Database, writer: Writer, revocations: Revocations) -> None:
        self._database = database
        self._writer = writer
        self._plans = PlanFiles(database.path)
        self._revocations = revocations
        self._told: set[str] = set()
        self.copying = threading.RLock()

    def unfinished(self) -> list[Plan]:
        """All that is still due, of erasings and of the retention. Raises `StoreError`."""
        return self._plans.unfinished()

    def erase_child(self, pseudonym: str, actor: str) -> RemovedRows:
        """See `LessonStore.erase_child`."""
        with self.copying:
            plan = next((plan for plan in self.unfinished() if plan.pseudonym == pseudonym), None)
            class_name = self._class_of(pseudonym)
            if plan is None and class_name is None:
                raise ValueError(upkeep.NO_SUCH_CHILD)
            if class_name is not None and (plan is None or ROWS not in plan.steps):
                earlier = plan  # and the child was enrolled again meanwhile
                begun = earlier.steps if earlier else ()
                plan = self._begun(Plan(self._plans.new_name(), begun, actor, pseudonym, class_name))
                if earlier is not None:
                    self._plans.write(replace(earlier, steps=()))
            assert plan is not None
            return self._carry_out(plan)

    def delete_before(self, moment: datetime, actor: str) -> RemovedRows:
        """See `LessonStore.delete_before`."""
        with self.copying:
            name = self._plans.retention_name
            began_before = any(plan.name == name for plan in self.unfinished())
            plan = self._begun(Plan(name, (), actor, before=moment.isoformat()))
            # Only who knows that no row was deleted may leave the bytes as they are.
            return self._carry_out(plan, spare_file=not began_before)

    def forget_calibration(self, pseudonym: str) -> int:
        """See `analytics.store.calibrations.Calibrations.forget`."""
        with self.copying:
            moment = utc_now()
            self._revocations.add(pseudonym, "uncalibrated", moment)
            upkeep.rewrite_marker(self._database.path).touch()
            removed = self._writer.run(lambda cursor: upkeep.delete_calibration(cursor, pseudonym, moment))
            self._writer.run_alone(lambda: upkeep.rewrite(self._database))
            return removed

    def go_on(self) -> int:
        """Tries all that is due but the copy on the Hub (see `due_at_hub`); returns how many steps are left."""
        with self.copying:
            self._plans.remove_drafts()
            if upkeep.rewrite_marker(self._database.path).exists():
                self._writer.run_alone(lambda: upkeep.rewrite(self._database))
            return sum(self._carry_out(plan).steps_left for plan in self.unfinished() if plan.steps != (HUB,))

    @property
    def rewrite_pending(self) -> bool:
        """Whether the bytes of deleted rows are still in the file. A mark of that is what earlier versions left."""
        return upkeep.rewrite_marker(self._database.path).exists() or any(
            FILE in plan.steps for plan in self.unfinished()
        )

    def due_at_hub(self) -> list[Plan]:
        """The plans that a fresh copy on the Hub brings on: their rows are gone from the tables."""
        return [plan for plan in self.unfinished() if HUB in plan.steps and ROWS not in plan.steps]

    def copied_to_hub(self, plans: Iterable[Plan]) -> None:
        """Strikes the step off, for plans of `due_at_hub` before the copy was made."""
        done = {plan.name for plan in plans}
        with self.copying:
            for plan in self.unfinished():
                if plan.name in done and ROWS not in plan.steps:
                    self._plans.write(plan.without(HUB))

    def _begun(self, plan: Plan) -> Plan:
        """A plan with all its steps, on the disk."""
        self._plans.remove_drafts()
        plan = replace(plan, steps=steps_of(plan, self._database.names, self._hub_step()))
        self._plans.write(plan)
        return plan

    def _class_of(self, pseudonym: str) -> str | None:
        with self._database.cursor() as cursor:
            return upkeep.class_of(cursor, pseudonym)

    def _hub_step(self) -> tuple[str, ...]:
        with self._database.cursor() as cursor:
            return (HUB,) if upkeep.was_copied_to_hub(cursor) else ()

    def _carry_out(self, plan: Plan, spare_file: bool = False) -> RemovedRows:
        """Tries every step of a plan but the Hub's; returns what was removed and how many steps are left.

        ``spare_file``: the bytes need not be rewritten if no row is deleted now, because none was before.
        """
        removed = NOTHING
        waiting = list(plan.steps)
        while waiting:
            step = waiting.pop(0)
            if step == HUB or (step == FILE and ROWS in plan.steps):
                continue
            try:
                changed = plan
                if step == ROWS:
                    removed = self._delete_rows(plan)
                    spared = spare_file and removed == NOTHING
                    changed = plan.without(FILE, HUB) if spared else self._listed_anew(plan)
                    waiting = [other for other in changed.steps if other != ROWS]
                elif step.startswith(SEARCH):
                    rewriting = REWRITE + step.removeprefix(SEARCH)
                    if kept_copies.knows(Path(step.removeprefix(SEARCH)), plan.pseudonym):
                        changed = replace(plan, steps=(*plan.steps, rewriting))
                else:
                    self._do(plan, step)
                changed = changed.without(step)
                self._plans.write(changed)
                plan = changed
                if step.startswith(SEARCH) and rewriting in plan.steps:
                    # Begun when it is written down: once the rows are deleted there, only the bytes know the child.
                    waiting.insert(0, rewriting)
            except (StoreError, OSError) as error:
                self._tell(plan, step, error)
        return replace(removed, steps_left=len(plan.steps))

    def _listed_anew(self, plan: Plan) -> Plan:
        """The plan when the rows have just gone: what was copied before, even since the plan was made, is due."""
        hub = [HUB] if HUB in plan.steps else self._hub_step()
        return replace(plan, steps=steps_of(plan, self._database.names, hub))

    def _delete_rows(self, plan: Plan) -> RemovedRows:
        if not plan.pseudonym:
            return self._writer.run(lambda cursor: upkeep.delete_before(cursor, plan.moment, plan.actor))
        self._revocations.add(plan.pseudonym, "erased", utc_now())
        return self._writer.run(
            lambda cursor: (
                upkeep.delete_child(cursor, plan.pseudonym, plan.actor)
                if upkeep.is_known(cursor, plan.pseudonym)
                else NOTHING
            )
        )

    def _do(self, plan: Plan, step: str) -> None:
        before = plan.moment.timestamp() if plan.before else None
        steps: dict[str, Callable[[], None]] = {
            EXPORTS: lambda: kept_copies.remove_exports(self._database.names, before),
            # Where the database is rewritten too: no copy is then under way.
            LEFTOVERS: lambda: self._writer.run_alone(lambda: kept_copies.remove_leftovers(self._database.names)),
            FILE: lambda: self._writer.run_alone(lambda: upkeep.rewrite(self._database)),
        }
        if before is not None:
            steps[COPIES] = lambda: kept_copies.remove_old(self._database.names, before)
        if step in steps:
            steps[step]()
        elif step.startswith(REWRITE):
            kept_copies.rewrite_without(Path(step.removeprefix(REWRITE)), plan.pseudonym)
        else:
            raise StoreError(
                f"{self._plans.path_of(plan)} lists what is still to be erased and cannot be read: put it back as it "
                "was, or erase the child again and delete this file"
            )

    def _tell(self, plan: Plan, step: str, error: Exception) -> None:
        """Logs what keeps a step from being done, once until it is another reason."""
        words = f"{self._plans.path_of(plan).name}: {step}: {error}"
        if words not in self._told:
            self._told.add(words)
            LOG.error("erasing is not finished, and is tried again: %s", words)


def steps_of(plan: Plan, names: Sequence[Path], hub: Sequence[str]) -> tuple[str, ...]:
    """Every step of a plan, what gives room first; a copy that was to be rewritten still is. ``names``: see
    `names_of`; ``hub``: the Hub's step, or none. Raises `StoreError`.
    """
    if plan.before:
        return (ROWS, EXPORTS, COPIES, FILE, *hub)
    begun = [step for step in plan.steps if step.startswith(REWRITE)]
    found = [str(copy) for copy in kept_copies.copies_of(names)]
    unseen = [SEARCH + copy for copy in found if REWRITE + copy not in begun]
    return (ROWS, EXPORTS, LEFTOVERS, FILE, *begun, *unseen, *hub)


def make_due_again(names: Sequence[Path], hub: bool) -> None:
    """All steps of every plan are due again, because another file takes the database's place, or one was kept aside.

    ``hub``: whether that file has a copy on the Hub. Raises `StoreError`.
    """
    plans = PlanFiles(names[0])
    for plan in plans.unfinished():
        if UNREADABLE not in plan.steps:
            plans.write(replace(plan, steps=steps_of(plan, names, [HUB] if hub or HUB in plan.steps else [])))
