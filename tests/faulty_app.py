"""The app with a switch for tests: while the file named in TEST_NETWORK_FAULT exists, the network raises."""

import os
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import app  # noqa: E402
import emotion.classifier as classifier  # noqa: E402

choose = classifier.choose_runtime


class FaultyRuntime:
    """The chosen runtime, which fails while the switch is there."""

    def __init__(self, *arguments: object) -> None:
        self._runtime = choose(*arguments)
        self.name = self._runtime.name

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """See `emotion.runtime.Runtime`."""
        if Path(os.environ["TEST_NETWORK_FAULT"]).exists():
            raise RuntimeError(f"tensor of {__file__} is broken")
        return self._runtime.probabilities(crops)


if __name__ == "__main__":
    classifier.choose_runtime = FaultyRuntime
    sys.exit(app.main())
