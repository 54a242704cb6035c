"""What this computer's processor can do: whether a class of thirty can be read at the network's full size."""

import os
from pathlib import Path

# Where the network was measured, one core without AMX reads 16 to 25 faces a second at 224 pixels; thirty children need
# thirty a second beside the search for their faces (tests/benchmarks/RESULTS.md, classroom).
ENOUGH_CORES = 8


def serves_a_class_at_full_size(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor multiplies int8 matrices in a unit of its own (Intel AMX), or has many cores."""
    if (os.cpu_count() or 1) >= ENOUGH_CORES:
        return True
    try:
        return " amx_int8" in cpuinfo.read_text(encoding="utf-8")
    except OSError:  # no Linux: such computers are laptops and desktops, whose processors have no AMX
        return False
