"""Which requests come from a station that takes part, before anything of them is read but the address.

Those have an allowance of their own: who floods the server from the school's address must not use up what the class
behind it may ask.
"""

from urllib.parse import parse_qs

from starlette.requests import HTTPConnection
from starlette.types import Scope

from emotion.station.code_door import CodeDoor
from emotion.station.http_routes import client_address
from emotion.station.observing import CODE_CHARACTERS
from emotion.station.tablet_marks import COOKIE, TabletMarks

PROGRAMS = "/api/v1/station"
ROUTES = (
    *("/observe", "/admission"),
    *(f"{PROGRAMS}/observe", f"{PROGRAMS}/signals", f"{PROGRAMS}/signals/stream"),
)
MOST_FIELDS = 16


class KnownStations:
    """Knows a station by codes that were right before at its address, or by the mark of its tablet."""

    def __init__(self, door: CodeDoor, marks: TabletMarks) -> None:
        self.door = door
        self.marks = marks

    def __call__(self, scope: Scope) -> str:
        """What the request is charged to instead of its address; "" for a stranger's, and for any other route."""
        if scope["type"] != "http" or scope["path"].rstrip("/") not in ROUTES:
            return ""
        request = HTTPConnection(scope)
        try:
            fields = parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=MOST_FIELDS)
        except ValueError:  # more of them than any station has
            return ""
        lesson, child = (fields.get(name, [""])[0] for name in ("lesson", "child"))
        if max(len(lesson), len(child)) <= CODE_CHARACTERS and self.door.knows(lesson, child, client_address(request)):
            return "child " + " ".join(self.door.plain(lesson, child))
        mark = self.marks.owner(request.cookies.get(COOKIE, ""))
        return f"mark {mark}" if mark else ""
