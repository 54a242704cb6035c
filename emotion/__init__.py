"""From pixels to probabilities: faces, the packaged network, and the station page."""

import sys

# `import openvino` reports every start to its maker through a web analytics service, from a child process that an
# orderly stop then waits for. Without this package of its own it reports nothing, and says nothing either.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
