"""Every fault of `tests/faults.py` on the real app: rows lost, and how long until the lesson goes on.

    python -m tests.benchmarks.faults [--times 50] [--only killed full_disk ...]

"Back after" is counted from the end of the fault (the kill, the freed disk, the lock that is given up) to the next
acknowledged frame, a start of the app included where one is needed; for a damaged file to the start that answers. Run
it on an idle machine and as root, which two of the faults need; one that cannot be tried here is named below the table.
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from tests.benchmarks.bench import keep, show
from tests.fault_tools import CannotTryError
from tests.faults import FAULTS, killed


def main() -> None:
    """The command line."""
    names = [fault.__name__ for fault in FAULTS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=50, help="how often the app is killed in a row")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    arguments = parser.parse_args()
    rows: list[dict[str, object]] = []
    skipped = []
    for fault in FAULTS:
        if fault.__name__ not in arguments.only:
            continue
        run = partial(killed, times=arguments.times) if fault is killed else fault
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = run(Path(folder))
            except CannotTryError as reason:
                skipped.append(f"{fault.__name__}: {reason}")
                continue
        row: dict[str, object] = {
            "fault": found.fault,
            "acknowledged rows": found.acknowledged,
            "lost": found.lost,
            "back after s": round(median(found.seconds), 1),
            "at most s": round(max(found.seconds), 1),
            "what was seen": found.seen,
        }
        print(row, flush=True)
        rows.append(row)
    show("Faults, each on the real process with three tablets posting", rows)
    for reason in skipped:
        print(f"Not tried here: {reason}")
    keep("faults", times=arguments.times, rows=rows, skipped=skipped)


if __name__ == "__main__":
    main()
