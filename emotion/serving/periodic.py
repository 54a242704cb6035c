"""Work that is done again and again beside the requests."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)


@contextmanager
def periodically(name: str, seconds: float, work: Callable[[], object]) -> Iterator[None]:
    """A context in which a thread called ``name`` does ``work`` every so many ``seconds``. What it raises is logged
    and does not end it.
    """
    ended = threading.Event()

    def rounds() -> None:
        while not ended.wait(seconds):
            try:
                work()
            except Exception:  # nobody waits for it
                logger.exception("The periodic work %s failed", name)

    thread = threading.Thread(target=rounds, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
