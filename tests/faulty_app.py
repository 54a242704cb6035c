"""The app with two switches for tests. While the file named in TEST_NETWORK_FAULT exists, the network raises; the file
named in TEST_CLOCK_SHIFT holds the seconds by which the machine's clock was set forward.
"""

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from analytics.store import records  # noqa: E402

right_time = records.utc_now


def shifted_time() -> datetime:
    """The machine's time as it has been set."""
    return right_time() + timedelta(seconds=float(Path(os.environ["TEST_CLOCK_SHIFT"]).read_text()))


if "TEST_CLOCK_SHIFT" in os.environ:
    records.utc_now = shifted_time  # before any other module takes the function over by name

import app  # noqa: E402
import emotion.classifier as classifier  # noqa: E402
from emotion.runtime.base import Reading, Runtime  # noqa: E402

choose = classifier.choose_runtime


class FaultyRuntime:
    """A runtime, which fails while the switch is there."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.name, self.version, self.streams = runtime.name, runtime.version, runtime.streams

    def read(self, crops: np.ndarray) -> Reading:
        """See `emotion.runtime.base.Runtime`."""
        if Path(os.environ.get("TEST_NETWORK_FAULT", "/no/such/file")).exists():
            raise RuntimeError(f"tensor of {__file__} is broken")
        return self._runtime.read(crops)

    def for_throughput(self) -> "FaultyRuntime":
        """See `emotion.runtime.base.Runtime`."""
        return FaultyRuntime(self._runtime.for_throughput())


if __name__ == "__main__":
    classifier.choose_runtime = lambda *arguments: FaultyRuntime(choose(*arguments))
    sys.exit(app.main())
