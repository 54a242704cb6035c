"""How many heaps the C library keeps, asked of the C library itself."""

import platform
import subprocess
import sys

import pytest

EIGHT_THREADS = """
import ctypes, sys, threading
from emotion.memory import share_arenas

if sys.argv[1] == "shared":
    share_arenas()
library = ctypes.CDLL(None)
library.malloc.restype = library.fopen.restype = ctypes.c_void_p
together = threading.Barrier(8)

def allocate():
    together.wait()
    library.malloc(ctypes.c_size_t(10_000))
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
answer = ctypes.c_void_p(library.fopen(b"/dev/stdout", b"w"))
library.malloc_info(0, answer)
library.fclose(answer)
"""


def heaps(mode: str) -> int:
    done = subprocess.run([sys.executable, "-c", EIGHT_THREADS, mode], capture_output=True, text=True, check=True)
    return done.stdout.count("<heap ")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has other heaps")
def test_eight_threads_share_two_heaps() -> None:
    assert heaps("shared") == 2
    assert heaps("own") > 2
