"""Gives memory back that the process has freed: the C library by itself keeps most of it.

A lesson's frames are small and come all the time, the teacher's board works on arrays that grow with the lesson. Each
finds the holes of the last one too small, and the frames settle in them, so that after eleven minutes with thirty
children 166 MB of a heap of 398 MB were holes. The remedy is the C library's own (malloc_trim(3), mallopt(3) of glibc;
another C library is left as it is). Arrow has an allocator of its own that keeps as much again; it can do without.
In the thirtieth minute of a lesson the process took 704 MB when trimmed every twenty seconds, 680 when every two, and
625 with Arrow on the same heaps, as in the first minute.
"""

import ctypes
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import pyarrow

from emotion.serving.periodic import periodically

M_ARENA_MAX = -8  # malloc.h of glibc
MAXIMUM_HEAPS = 2
TRIM_SECONDS = 2.0  # a trimming takes a few milliseconds


def limit_heaps() -> None:
    """Let all threads, Arrow's too, share `MAXIMUM_HEAPS` heaps instead of filling one each; to be called before any
    starts.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(M_ARENA_MAX, MAXIMUM_HEAPS)
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())


def periodic_memory_trim(seconds: float = TRIM_SECONDS) -> AbstractContextManager[None]:
    """A context in which a thread returns free pages of the heap to the system every so many ``seconds``."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return nullcontext() if trim is None else periodically("memory", seconds, partial(trim, ctypes.c_size_t(0)))
