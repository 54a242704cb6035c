"""Gives memory back that the process has freed: the C library by itself keeps most of it.

A lesson's frames are small and come all the time, the teacher's board works on arrays that grow with the lesson. Each
finds the holes of the last one too small, and the frames settle in them, so that after eleven minutes with thirty
children 166 MB of a heap of 398 MB were holes. The remedy is the C library's own (malloc_trim(3), mallopt(3) of glibc;
another C library is left as it is). Arrow has an allocator of its own that keeps as much again; it can do without.
In the thirtieth minute of a lesson the process took 704 MB when trimmed every twenty seconds, 680 when every two, and
625 with Arrow on the same heaps, as in the first minute.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow

M_ARENA_MAX = -8  # malloc.h of glibc
ARENAS = 2
TRIM_SECONDS = 2.0  # a trimming takes a few milliseconds


def share_heaps() -> None:
    """Lets all threads, and Arrow too, share `ARENAS` heaps instead of filling one each; to be called before they
    start.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(M_ARENA_MAX, ARENAS)
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())


@contextmanager
def trimming_memory(seconds: float = TRIM_SECONDS) -> Iterator[None]:
    """While it is entered, a thread gives the pages of holes back to the system, every so many ``seconds``."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        yield
        return
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(seconds):
            trim(ctypes.c_size_t(0))

    thread = threading.Thread(target=work, name="memory", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
