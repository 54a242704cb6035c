"""Faces per second of the network alone, in batches, and the share of what the machine's own matrix product reaches.

    python -m tests.benchmarks.throughput [--seconds 5] [--input-size 224]

Also the ways of serving many callers at once: one thread that gathers them into batches, and OpenVINO's queue of
asynchronous requests on two streams; and what network and search for faces do beside each other, as in a lesson, each
divided among all cores or each on its own. Run it on an idle machine.
"""

import argparse
import threading
import time
from collections.abc import Callable

import numpy as np
import openvino
import torch
from openvino import Type
from openvino import opset15 as ops

from emotion.faces.detector import QUICK_PASS_SIDE, FaceDetector
from emotion.network.checkpoint import Checkpoint
from emotion.network.quantisation import NO_QUANTISATION, read_quantisation
from emotion.runtime.batching import BatchingRuntime
from emotion.runtime.choose import choose_runtime
from emotion.runtime.openvino_graph import build_model
from emotion.runtime.openvino_runtime import OpenVinoRuntime
from tests.benchmarks.bench import frame, keep, percentiles, show
from tests.benchmarks.sizes import checkpoint_at

SIDE = 2048  # of the square matrices: large enough that the product is nearly all that takes time
BATCHES = (1, 2, 4, 8, 16, 32)
CALLERS = 16


def rate(work: Callable[[], object], seconds: float) -> float:
    """Calls per second, after one call to warm up."""
    work()
    began, calls = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        work()
        calls += 1
    return calls / (time.perf_counter() - began)


def matrix_rates(seconds: float) -> dict[str, float]:
    """Multiply-adds per second, in billions, of square matrix products; the best of the libraries for each type."""
    left, right = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)
    codes = torch.randint(-127, 128, (SIDE, SIDE), dtype=torch.int8)
    work = SIDE**3 / 1e9
    rates = {"f32": rate(lambda: left @ right, seconds) * work}
    left, right = left.bfloat16(), right.bfloat16()
    rates["bf16"] = max(rate(lambda: left @ right, seconds), openvino_matrix_rate("bf16", seconds)) * work
    rates["int8"] = (
        max(rate(lambda: torch._int_mm(codes, codes), seconds), openvino_matrix_rate("int8", seconds)) * work
    )
    return rates


def openvino_matrix_rate(kind: str, seconds: float) -> float:
    """Products per second in OpenVINO: a square matrix of activations, kept in the type, times constant weights."""
    generator = np.random.default_rng(0)
    rows = ops.parameter([SIDE, SIDE], Type.u8 if kind == "int8" else Type.f32)
    if kind == "int8":
        weights = ops.convert(ops.constant(generator.integers(-127, 128, (SIDE, SIDE), dtype=np.int8)), Type.f32)
        limits = (np.float32(0), np.float32(255)) * 2
        left = ops.fake_quantize(ops.convert(rows, Type.f32), *limits, 256)
        right = ops.multiply(weights, np.full((SIDE, 1), 0.01, np.float32))
    else:
        left, right = rows, ops.constant(generator.normal(size=(SIDE, SIDE)).astype(np.float32))
    model = openvino.Model([ops.result(ops.matmul(left, right, False, True))], [rows], "product")
    request = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"}).create_infer_request()
    values = np.zeros((SIDE, SIDE), np.uint8 if kind == "int8" else np.float32)
    request.set_input_tensor(openvino.Tensor(values))
    return rate(request.infer, seconds)


def multiply_adds(checkpoint: Checkpoint) -> float:
    """Billions for one face, counted over the graph's convolutions and its last layer."""
    model = build_model(checkpoint)
    model.reshape([1, *list(model.input(0).partial_shape)[1:]])
    total = 0
    for node in model.get_ops():
        if node.get_type_name() in ("Convolution", "MatMul"):
            filters = list(node.input(1).get_shape())
            total += int(np.prod(filters)) * int(np.prod(list(node.output(0).get_shape())[2:]))
    return total / 1e9


def random_crops(checkpoint: Checkpoint, count: int) -> np.ndarray:
    """(count, crop_size, crop_size, channels) uint8."""
    side, channels = checkpoint.configuration.crop_size, checkpoint.configuration.channels
    return np.random.default_rng(0).integers(0, 256, (count, side, side, channels), np.uint8)


def batches(
    checkpoint: Checkpoint, names: list[str], seconds: float, peak: dict[str, float]
) -> list[dict[str, object]]:
    """A row per runtime: faces per second by batch, and the best as a share of the matrix product's rate."""
    cost, rows = multiply_adds(checkpoint), []
    for name in names:
        runtime = choose_runtime(checkpoint, name, None)
        faces = {}
        for batch in BATCHES:
            crops = random_crops(checkpoint, batch)
            faces[batch] = rate(lambda runtime=runtime, crops=crops: runtime.probabilities(crops), seconds) * batch
        kind = {"openvino-int8": "int8", "openvino-bf16": "bf16", "torch-bf16": "bf16"}.get(name, "f32")
        share = max(faces.values()) * cost / peak[kind]
        row = {f"batch {batch}": round(value, 1) for batch, value in faces.items()}
        rows.append({"runtime": name, **row, "best, % of the matrix rate": round(100 * share)})
    return rows


def serve(callers: int, seconds: float, ask: Callable[[np.ndarray], object], crops: np.ndarray) -> dict[str, object]:
    """``callers`` threads that ask for one face after the other: faces per second and the time that each waits."""
    waited: list[float] = []
    end = time.perf_counter() + seconds

    def call() -> None:
        while (began := time.perf_counter()) < end:
            ask(crops)
            waited.append(time.perf_counter() - began)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    ask(crops)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    figures = percentiles(waited)
    return {
        "callers": callers,
        "faces/s": round(len(waited) / seconds, 1),
        "p50 ms": figures["p50"],
        "p95 ms": figures["p95"],
    }


def asynchronous(checkpoint: Checkpoint, kind: str, streams: int) -> Callable[[np.ndarray], object]:
    """The alternative to gathering: each caller's face is a request of its own on one of the streams."""
    quantisation = read_quantisation(checkpoint) if kind == "int8" else NO_QUANTISATION
    options = {"INFERENCE_PRECISION_HINT": "bf16", "NUM_STREAMS": str(streams)}
    compiled = openvino.Core().compile_model(build_model(checkpoint, quantisation), "CPU", options)
    jobs = openvino.AsyncInferQueue(compiled, streams)
    jobs.set_callback(lambda request, done: done.set())
    lock = threading.Lock()

    def ask(crops: np.ndarray) -> None:
        done = threading.Event()
        with lock:
            jobs.start_async({0: crops}, done)
        done.wait()

    return ask


def beside_each_other(checkpoint: Checkpoint, kind: str, seconds: float) -> list[dict[str, object]]:
    """Network and search for faces, each asked again as soon as it has answered: faces and searches per second."""
    detector, alone = FaceDetector(), OpenVinoRuntime(checkpoint, f"openvino-{kind}", None)
    pixels, crop = np.asarray(frame()), random_crops(checkpoint, 1)
    rows = []
    ways = {
        "all cores for each call": (alone, detector._latency_requests),
        "a core for each call": (alone.for_throughput(), detector._throughput_requests),
    }
    for way, (runtime, requests) in ways.items():
        rates: dict[str, float] = {}
        works = {
            "faces/s": lambda runtime=runtime: runtime.probabilities(crop),
            "searches/s": lambda requests=requests: detector._search(
                pixels, QUICK_PASS_SIDE / max(pixels.shape), requests
            ),
        }

        def run(name: str, rates: dict[str, float] = rates, works: dict[str, Callable] = works) -> None:
            rates[name] = round(rate(works[name], seconds), 1)

        threads = [threading.Thread(target=run, args=(name,)) for name in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rows.append({"way": way, **rates})
    return rows


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="for each figure")
    parser.add_argument("--input-size", type=int, help="side of the network's input, where not the checkpoint's own")
    arguments = parser.parse_args()
    with checkpoint_at(arguments.input_size) as checkpoint:
        best = "int8" if checkpoint.configuration.int8 else "bf16"
        peak = matrix_rates(arguments.seconds)
        show("Matrix product, billion multiply-adds a second", [{name: round(value) for name, value in peak.items()}])
        names = ["openvino-bf16", "openvino-f32", "torch-bf16", "torch"]
        rows = batches(checkpoint, (["openvino-int8"] if best == "int8" else []) + names, arguments.seconds, peak)
        cost = multiply_adds(checkpoint)
        size = checkpoint.configuration.input_size
        show(f"Faces a second, input {size} ({cost:.2f} billion multiply-adds a face)", rows)
        crop = random_crops(checkpoint, 1)
        gathering = BatchingRuntime(OpenVinoRuntime(checkpoint, f"openvino-{best}", None))
        ways = {"gathering thread": gathering.probabilities} | {
            f"asynchronous queue, {streams} streams": asynchronous(checkpoint, best, streams) for streams in (1, 2)
        }
        serving = [
            {"way": way, **serve(callers, arguments.seconds, ask, crop)}
            for callers in (1, 4, CALLERS)
            for way, ask in ways.items()
        ]
        show(f"Callers at once, openvino-{best}", serving)
        beside = beside_each_other(checkpoint, best, arguments.seconds)
        show("Network and search for faces beside each other", beside)
    keep("throughput", input_size=size, multiply_adds=cost, matrix=peak, batches=rows, serving=serving, beside=beside)


if __name__ == "__main__":
    main()
