"""What the benchmarks share: the machine's description, photographs, percentiles, tables, and where results go."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / ".artefacts" / "benchmarks"
WIDTH, HEIGHT = 640, 480  # pixels of a webcam's frame


def machine() -> dict[str, object]:
    """Processor, its instructions that matter here, cores, memory, load at the moment, and the libraries' versions."""
    processor = Path("/proc/cpuinfo").read_text()
    fields = dict(line.split(":", 1) for line in processor.splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    wanted = ("avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
    return {
        "processor": f"{fields.get('model name', platform.processor())}, family {fields.get('cpu family', '?')}",
        "instructions": [name for name in wanted if name in fields.get("flags", "").split()],
        "cores": len(os.sched_getaffinity(0)),
        "memory_gigabytes": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in ("torch", "openvino", "gradio", "duckdb", "numpy")},
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def frame(seed: int = 0) -> Image.Image:
    """A 640x480 picture like a webcam's: a face (the astronaut) about 250 pixels wide, shifted, lit, noisy."""
    generator = np.random.default_rng(seed)
    photo = Image.fromarray(skimage.data.astronaut()).crop((60, 0, 380, 240))  # 320x240 around the face
    scale = generator.uniform(2.0, 2.6)
    photo = photo.resize((round(320 * scale), round(240 * scale)), Image.Resampling.BICUBIC)
    left = int(generator.integers(0, photo.width - WIDTH + 1))
    top = int(generator.integers(0, min(photo.height - HEIGHT, 40) + 1))
    pixels = np.asarray(photo.crop((left, top, left + WIDTH, top + HEIGHT)), np.float32)
    pixels = pixels * generator.uniform(0.8, 1.1) + generator.normal(0, 3, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def jpeg(picture: Image.Image, quality: int = 85) -> bytes:
    """The picture as a browser's canvas would send it."""
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile in milliseconds."""
    values = np.percentile(np.asarray(seconds) * 1000, [50, 95, 99])
    return dict(zip(("p50", "p95", "p99"), (round(float(value), 1) for value in values), strict=True))


def show(title: str, rows: Sequence[dict[str, object]]) -> None:
    """Prints a table in Markdown, as RESULTS.md quotes it."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    print(f"\n{title}\n\n| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in rows:
        print(f"| {' | '.join(_cell(row.get(name, '')) for name in names)} |")
    print(flush=True)


def keep(name: str, **results: object) -> None:
    """Writes the results with the machine's description into the ignored folder for artefacts."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), **results}, indent=2) + "\n")
    print(f"Written: {path.relative_to(ROOT)}")


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
