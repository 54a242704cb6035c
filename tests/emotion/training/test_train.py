"""Training: what is learnt, what a kill costs, and what is refused."""

import csv
import dataclasses
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tiny_run
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from emotion.network.checkpoint import Configuration
from emotion.training.batches import TrainingBatches, enlarge, normalise
from emotion.training.command_line import CommandError
from emotion.training.presets import FERPLUS, PAPER
from emotion.training.starting_weights import initialise, starting_weights
from emotion.training.train import CPU, checkpoint_configuration, choose_device, learning_rate_at, make_optimiser, train

SCRIPT = Path(tiny_run.__file__)
ROOT = SCRIPT.parents[3]

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")


def run(out: Path) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, str(SCRIPT), str(out)], env=environment, stderr=subprocess.DEVNULL)


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_run_killed_twice_ends_with_the_very_weights_of_an_unbroken_one(tmp_path: Path) -> None:
    assert run(tmp_path / "unbroken").wait(120) == 0
    broken = tmp_path / "broken"
    for least_step in (5, 33):
        process = run(broken)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                state = torch.load(broken / "state.pt", weights_only=True)
                if state["step"] >= least_step:
                    break
            except FileNotFoundError:
                pass
            assert process.poll() is None, "the run ended before it could be killed"
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    assert run(broken).wait(120) == 0

    expected, found = (load_file(tmp_path / name / "weights.safetensors") for name in ("unbroken", "broken"))
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    ignored = {"minutes"}
    for one, other in zip(rows(tmp_path / "unbroken"), rows(broken), strict=True):
        assert {k: v for k, v in one.items() if k not in ignored} == {
            k: v for k, v in other.items() if k not in ignored
        }


def test_a_run_learns_and_writes_one_row_per_epoch(tmp_path: Path) -> None:
    train(tiny_run.PRESET, tiny_run.network(), tiny_run.bars(160, 0), tiny_run.bars(64, 1), tmp_path)
    table = rows(tmp_path)
    assert [round(float(row["epoch"])) for row in table] == [1, 2, 3, 4, 5, 6]
    assert float(table[-1]["training_loss"]) < float(table[0]["training_loss"])
    assert float(table[-1]["accuracy"]) > 0.3  # chance is 0.125
    assert (tmp_path / "losses.html").stat().st_size > 1_000_000  # plotly.js is inside: no network is needed to look
    assert load_file(tmp_path / "weights.safetensors")["0.weight"].dtype == torch.float16


def test_a_run_measured_in_minutes_ends_and_is_looked_at_once_at_its_end(tmp_path: Path) -> None:
    preset = dataclasses.replace(tiny_run.PRESET, epochs=None, minutes=1 / 60, check_minutes=5, save_seconds=60)
    began = time.monotonic()
    train(preset, tiny_run.network(), tiny_run.bars(160, 0), tiny_run.bars(64, 1), tmp_path)
    assert time.monotonic() - began < 20
    assert len(rows(tmp_path)) == 1


def test_a_finished_run_started_again_changes_nothing(tmp_path: Path) -> None:
    preset = dataclasses.replace(tiny_run.PRESET, epochs=1)
    for _ in range(2):
        train(preset, tiny_run.network(), tiny_run.bars(64, 0), tiny_run.bars(64, 1), tmp_path)
    assert len(rows(tmp_path)) == 1


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    faces = tiny_run.bars(160, 0)
    first, second = TrainingBatches(faces, tiny_run.PRESET, 0, CPU), TrainingBatches(faces, tiny_run.PRESET, 0, CPU)
    first.make(3, 32)
    for one, other in zip(first.make(14, 32), second.make(14, 32), strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(first.make(14, 32)[0], first.make(15, 32)[0])
    assert not torch.equal(first.make(14, 32)[0], TrainingBatches(faces, tiny_run.PRESET, 1, CPU).make(14, 32)[0])


def test_without_balance_every_face_is_shown_once_per_epoch() -> None:
    preset = dataclasses.replace(tiny_run.PRESET, balance=0.0, children=1.0)
    assert sorted(TrainingBatches(tiny_run.bars(160, 0), preset, 0, CPU).order(2).tolist()) == list(range(160))


def test_rare_classes_and_children_are_drawn_more_often() -> None:
    faces = tiny_run.bars(160, 0)
    preset = dataclasses.replace(tiny_run.PRESET, balance=0.0, children=4.0)
    drawn = torch.cat([TrainingBatches(faces, preset, 0, CPU).order(epoch) for epoch in range(20)]).numpy()
    share = faces.children[drawn].mean()
    assert share == pytest.approx(4 * 20 / (4 * 20 + 140), abs=0.03)

    few = faces.take(np.flatnonzero((faces.labels != 0) | (np.arange(160) < 40)))  # 5 of class 0, 20 of the others
    drawn = TrainingBatches(few, dataclasses.replace(preset, children=1.0, balance=1.0), 0, CPU).order(0).numpy()
    counts = np.bincount(few.labels[drawn], minlength=8)
    assert counts[0] > 8


def test_the_rate_warms_up_and_falls_to_a_hundredth() -> None:
    preset = dataclasses.replace(FERPLUS, rate=1.0, warm_up=10)
    assert learning_rate_at(preset, 0, 0.0) == pytest.approx(0.1)
    assert learning_rate_at(preset, 100, 0.5) == pytest.approx(0.505)
    assert learning_rate_at(preset, 100, 1.0) == pytest.approx(0.01)


def test_the_paper_s_recipe_is_the_paper_s() -> None:
    assert (PAPER.sizes, PAPER.channels, PAPER.epochs, PAPER.batch, PAPER.rate) == ((224,), 3, 15, 32, 0.0005)
    assert len(PAPER.policy) == 18
    optimiser = make_optimiser(tiny_run.network(), PAPER)
    assert type(optimiser) is torch.optim.Adam
    assert optimiser.defaults["betas"] == (0.9, 0.999)
    assert optimiser.defaults["weight_decay"] == 0
    assert learning_rate_at(PAPER, 0, 0.0) == learning_rate_at(PAPER, 9000, 0.99) == 0.0005


def test_a_last_layer_of_a_thousand_classes_is_replaced_and_the_rest_taken_over() -> None:
    class Network(nn.Module):
        def __init__(self, classes: int) -> None:
            super().__init__()
            self.stem, self.fc = nn.Linear(4, 4), nn.Linear(4, classes)

    pretrained, network = Network(1000), Network(8)
    new = network.fc.weight.clone()
    initialise(network, pretrained.state_dict())
    assert torch.equal(network.stem.weight, pretrained.stem.weight)
    assert torch.equal(network.fc.weight, new)


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(RuntimeError, match="Missing key"):
        initialise(tiny_run.network(), {"something": torch.zeros(3)})


def test_starting_weights_come_from_a_file_or_all_shards_of_a_folder(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "model-00001-of-00002.safetensors")
    save_file({"b": torch.ones(3)}, tmp_path / "model-00002-of-00002.safetensors")
    assert starting_weights(tmp_path).keys() == {"a", "b"}
    assert starting_weights(tmp_path / "model-00001-of-00002.safetensors").keys() == {"a"}
    with pytest.raises(SystemExit, match="there are no weights"):
        starting_weights(tmp_path / "nothing.safetensors")


def test_a_face_is_shown_to_the_network_in_training_as_in_use() -> None:
    from emotion.network.checkpoint import load_checkpoint
    from emotion.network.resnet152 import Preprocessing

    configuration = dataclasses.replace(load_checkpoint().configuration, input_size=FERPLUS.sizes[-1])
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), dtype=np.uint8)
    trained = normalise(enlarge(torch.from_numpy(images), FERPLUS.sizes[-1]), FERPLUS)
    used = Preprocessing(configuration)(torch.from_numpy(images))
    assert torch.allclose(trained, used, atol=1e-5)


def test_the_average_of_a_run_follows_its_network(tmp_path: Path) -> None:
    preset = dataclasses.replace(tiny_run.PRESET, epochs=1, average=0.5)
    network = tiny_run.network()
    train(preset, network, tiny_run.bars(64, 0), tiny_run.bars(64, 1), tmp_path)
    averaged = load_file(tmp_path / "weights.safetensors")["6.weight"].float()
    distance = (averaged - network.state_dict()["6.weight"]).abs().mean()
    assert 0 < distance < 0.05
    assert math.isfinite(float(rows(tmp_path)[0]["validation_loss"]))


def test_a_device_that_is_not_there_is_refused_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == CPU
    with pytest.raises(CommandError, match=r"no CUDA device.*--device cpu"):
        choose_device("cuda")


def test_the_command_loads_neither_openvino_nor_gradio_nor_a_face_detector() -> None:
    program = (
        "import sys, emotion.training.train; print(sorted({'openvino', 'gradio', 'cv2', 'nncf'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


@cuda
def test_a_gpu_learns_what_a_cpu_learns_and_goes_on_from_its_state(tmp_path: Path) -> None:
    faces, validation = tiny_run.bars(160, 0), tiny_run.bars(64, 1)
    for epochs in (3, 6):  # broken off in the middle
        preset = dataclasses.replace(tiny_run.PRESET, epochs=epochs)
        train(preset, tiny_run.network(), faces, validation, tmp_path, device=torch.device("cuda"))
    table = rows(tmp_path)
    assert len(table) == 6
    assert float(table[-1]["training_loss"]) < float(table[0]["training_loss"])
    assert float(table[-1]["accuracy"]) > 0.3
    assert not load_file(tmp_path / "weights.safetensors")["0.weight"].is_cuda


@cuda
def test_a_gpu_is_shown_the_very_faces_that_a_cpu_is_shown() -> None:
    faces = tiny_run.bars(160, 0)
    on_cpu, on_gpu = (TrainingBatches(faces, tiny_run.PRESET, 0, torch.device(name)) for name in ("cpu", "cuda"))
    for one, other in zip(on_cpu.make(14, 32), on_gpu.make(14, 32), strict=True):
        assert other.is_cuda
        assert (one - other.cpu()).abs().mean() < 1e-2


def test_a_run_s_checkpoint_reads_lessons_at_its_own_size_whatever_the_packaged_one_does() -> None:
    for preset in (FERPLUS, PAPER):
        configuration = checkpoint_configuration(preset)
        assert configuration.lessons is None
        assert Configuration.from_json(configuration.with_shards({"model.safetensors": ""}).to_json()) is not None
