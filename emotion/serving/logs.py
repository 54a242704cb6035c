"""The log: one JSON object a line. Nobody writes codes, pseudonyms, addresses or texts of visitors into it."""

import json
import logging
from datetime import UTC, datetime

# Of one line: a visitor may name a path of sixty thousand letters. The end of a trace says what happened.
MESSAGE_CHARACTERS, TRACE_CHARACTERS = 2000, 10_000


class JsonFormatter(logging.Formatter):
    """``time``, ``level``, ``logger``, ``message``, and ``trace`` where an exception was logged."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage()[:MESSAGE_CHARACTERS],
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)[-TRACE_CHARACTERS:]
        return json.dumps(line, ensure_ascii=False)


def log_to_stderr() -> None:
    """Send everything from INFO up to standard error, where service managers and Spaces collect it."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # It logs each request of the clients that libraries use, with addresses.
    logging.getLogger("httpx").setLevel(logging.WARNING)
