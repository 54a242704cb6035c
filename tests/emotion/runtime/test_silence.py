"""The app tells nobody that it runs: no statistics of the libraries that it stands on leave the machine."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

IMPORTS = """
import socket, sys
attempts = []
socket.getaddrinfo = lambda *a, **k: attempts.append(a) or (_ for _ in ()).throw(OSError("no network in this test"))
import multiprocessing
multiprocessing.Process.start = lambda process: attempts.append(process.name)
import emotion.faces.detector
import openvino.tools.ovc.telemetry_utils as used
import time; time.sleep(1)  # it reports from a thread of its own
print(used.tm.__name__, attempts)
"""


def test_openvino_reports_nothing_when_it_is_imported(tmp_path: Path) -> None:
    home = os.environ | {"HOME": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", IMPORTS], cwd=ROOT, env=home, capture_output=True, text=True, timeout=300, check=True
    )
    assert run.stdout.split() == ["openvino.tools.ovc.telemetry_stub", "[]"]
    assert list(tmp_path.iterdir()) == []  # nor does it keep a number for this computer
