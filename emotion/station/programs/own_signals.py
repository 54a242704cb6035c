"""One child's own signals for the program on its tablet: let in by both codes, as a frame is."""

import re
from collections.abc import Callable
from typing import Any

from anyio import CapacityLimiter, to_thread

from emotion.station.frame_intake import FrameIntake
from emotion.station.observing import CODE_CHARACTERS, Admission, Event, RefusedError, read_text
from emotion.station.texts import quoted, say

CURSOR = re.compile(r"(?:[0-9]{17}-[0-9a-z]{1,32})?")
THREADS = 2  # they wait for each other anyhow
STATES = {"lesson_ended": 409}  # else 403
# What became known of a child's signals after a cursor: ``owner``, as an admission tells it, and the cursor ->
# ``signals`` and ``cursor``.
SignalsOfChild = Callable[[str, str], dict[str, Any]]


class OwnSignals:
    """``signals_of``: handed in from outside; None where nothing is recorded."""

    def __init__(self, intake: FrameIntake, signals_of: SignalsOfChild | None) -> None:
        self.intake = intake
        self.signals_of = signals_of
        self.threads = CapacityLimiter(THREADS)  # of their own: frames do not wait for them

    async def since(self, lesson: str, child: str, after: str, client: str, language: str) -> dict[str, Any]:
        """The child's signals after a cursor, and the next cursor. Raises `RefusedError`: for codes that are unknown,
        without consent, after the lesson, and for no cursor."""
        if not CURSOR.fullmatch(after):
            raise RefusedError("bad_cursor", say(language, "error_bad_cursor", cursor=quoted(after[:60])))
        lesson = read_text("lesson", lesson, CODE_CHARACTERS, language)
        child = read_text("child", child, CODE_CHARACTERS, language)
        if not child.strip():
            raise RefusedError("unknown_child", say(language, "error_unknown_child", child=quoted(child)), 404)
        # As an event would be, which takes no seat from a tablet that records.
        event = Event(lesson, "note", "", child, None, None)

        def look_up() -> tuple[Admission, str]:
            admission = self.intake.observer.admit_event(event, language)
            return admission, admission.owner

        admission = await self.intake.door.enter(lesson, child, look_up, client, language)
        if admission.refusal is not None:
            reason = str(admission.refusal["reason"])
            raise RefusedError(reason, str(admission.refusal["message"]), STATES.get(reason, 403))
        if self.signals_of is None:
            raise RefusedError("recording_disabled", say(language, "error_recording_disabled"), 403)
        return await to_thread.run_sync(self.signals_of, admission.owner, after, limiter=self.threads)
