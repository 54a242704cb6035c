"""What the C library keeps, asked of the C library and of the system."""

import platform
import subprocess
import sys

import pytest

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has other heaps")

EIGHT_THREADS = """
import ctypes, sys, threading
from emotion.serving.memory import limit_heaps

if sys.argv[1] == "shared":
    limit_heaps()
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


HOLES = """
import sys, time
from emotion.serving.memory import periodic_memory_trim

def resident():
    line = next(line for line in open("/proc/self/status") if line.startswith("RssAnon"))
    return int(line.split()[1]) // 1024

blocks = [bytearray(size) for _ in range(1000) for size in (100_000, 700)]  # 100 MB, of which the small ones stay
blocks = blocks[1::2]
before = resident()
with periodic_memory_trim(float(sys.argv[1])):
    time.sleep(1)
print(before - resident())
"""


def heaps(mode: str) -> int:
    done = subprocess.run([sys.executable, "-c", EIGHT_THREADS, mode], capture_output=True, text=True, check=True)
    return done.stdout.count("<heap ")


def megabytes_given_back(after_seconds: float) -> int:
    program = [sys.executable, "-c", HOLES, str(after_seconds)]
    return int(subprocess.run(program, capture_output=True, text=True, check=True).stdout)


@glibc
def test_eight_threads_share_two_heaps() -> None:
    assert heaps("shared") == 2
    assert heaps("own") > 2


@glibc
def test_holes_between_what_stays_are_given_back() -> None:
    assert megabytes_given_back(after_seconds=0.1) > 80
    assert megabytes_given_back(after_seconds=3600) < 20
