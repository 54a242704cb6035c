"""A photograph on the page, from the choice of the file to marks and bars, beside the reading itself and beside the
endpoint `predict`, which goes through Gradio's upload, queue and stream of events.

    python -m tests.benchmarks.photograph_page [--rounds 20]

Needs chromium. The two are asked in turns, so that what else the machine does falls on both alike.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from gradio_client import Client, handle_file
from playwright.sync_api import sync_playwright

from emotion.station.photograph.http_routes import EXAMPLES
from tests.benchmarks.bench import keep, percentiles, show
from tests.browser.chromium import launch
from tests.running_app import running_app

# Resolves, one frame of the screen after the bars stand there, to the milliseconds since a file was chosen.
TOOK = """new Promise((resolve) => {
  const panel = document.querySelector(".photo");
  document.addEventListener("change", () => {
    const began = performance.now();
    new MutationObserver((_, watch) => {
      if (panel.dataset.state !== "read") return;
      watch.disconnect();
      requestAnimationFrame(() => resolve(performance.now() - began));
    }).observe(panel, { attributes: true });
  }, { capture: true, once: true });
})"""


def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds of each way, by name; ``ratio`` is that of the page to the reading of the same photograph."""
    took: dict[str, list[float]] = {"reading itself": [], "the page": [], "predict": [], "ratio": []}
    photograph = EXAMPLES["astronaut"]
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder)) as app, sync_playwright() as playwright:
        program, page = Client(app.url, verbose=False), launch(playwright).new_page()
        page.goto(app.url)
        page.locator(".photo-examples img").first.wait_for()
        for _ in range(rounds + 1):
            page.evaluate(f"window.took = {TOOK}; null")
            page.set_input_files(".photo input", photograph)
            seconds = page.evaluate("window.took") / 1000
            work = json.loads(page.locator(".photo-details pre").text_content() or "")["milliseconds"] / 1000
            began = time.perf_counter()
            program.predict(handle_file(str(photograph)), api_name="/predict")
            for name, value in zip(took, (work, seconds, time.perf_counter() - began, seconds / work), strict=True):
                took[name].append(value)
    return {name: values[1:] for name, values in took.items()}  # without the first, which warms everything up


def main() -> None:
    """Prints the table and keeps it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    took = measure(parser.parse_args().rounds)
    ratio = sorted(took.pop("ratio"))
    rows = [{"way": name, **percentiles(values)} for name, values in took.items()]
    middle = ratio[len(ratio) // 2]
    show(f"A photograph on the page: {middle:.2f} times the reading itself", rows)
    keep("photograph_page", ways=rows, ratio=middle)


if __name__ == "__main__":
    main()
