"""A run that diverges keeps its last good state; one whose state, start or numbers are unsound says so first."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
import tiny_run
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from emotion.training.command_line import CommandError
from emotion.training.package import DivergedError, half_precision, write_weights
from emotion.training.starting_weights import initialise, read_state, refuse_another_run, starting_weights
from emotion.training.tracking.dashboards import open_dashboard
from emotion.training.train import train, validation_metrics

FACES, VALIDATION = tiny_run.bars(64, 0), tiny_run.bars(64, 1)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class BreaksAt(nn.Module):
    """A network whose answers, or weights, are no numbers from a forward pass in training on."""

    def __init__(self, step: int, where: str) -> None:
        super().__init__()
        self.inner, self.step, self.where, self.passes = tiny_run.network(), step, where, 0

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        self.passes += self.training
        answers = self.inner(pixels)
        if self.passes > self.step and self.where == "answers":
            return answers * math.nan
        if self.passes > self.step and self.where == "gradients":
            return answers + (answers * 0).sqrt()  # finite itself; its slope is not
        return answers


@pytest.mark.parametrize("where", ["answers", "gradients"])
def test_a_run_whose_numbers_end_stops_and_keeps_its_last_good_state(tmp_path: Path, where: str) -> None:
    preset = dataclasses.replace(tiny_run.PRESET, epochs=4, gradient_norm=None)
    with pytest.raises(DivergedError, match=r"diverged.*last good state.*lower --rate"):
        train(preset, BreaksAt(5, where), FACES, VALIDATION, tmp_path)
    state = read_state(tmp_path / "state.pt")
    assert state is not None
    assert state["step"] == 5
    assert all(value.isfinite().all() for name in ("network", "average") for value in state[name].values())
    assert all(value.isfinite().all() for value in load_file(tmp_path / "weights.safetensors").values())
    assert not list(tmp_path.glob("*.part"))


def test_a_run_that_diverges_at_once_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match=r"at step 0 the loss is nan.*Nothing is saved"):
        train(tiny_run.PRESET, BreaksAt(0, "answers"), FACES, VALIDATION, tmp_path)
    assert contents(tmp_path) == {}


def test_a_weight_beyond_half_precision_is_found_when_it_is_saved_not_when_it_is_packaged(tmp_path: Path) -> None:
    network = tiny_run.network()
    write_weights(tmp_path / "weights.safetensors", network)
    before = contents(tmp_path)
    network[1].running_var.fill_(1e6)
    with pytest.raises(DivergedError, match=r"1\.running_var"):
        half_precision(network)
    with pytest.raises(DivergedError):
        write_weights(tmp_path / "weights.safetensors", network)
    assert contents(tmp_path) == before


def test_validation_figures_of_no_number_are_none() -> None:
    logits = np.zeros((64, 8), np.float32)
    logits[3] = math.nan
    assert all(math.isnan(value) for value in validation_metrics(logits, VALIDATION).values())


@pytest.mark.parametrize("cut", [0, 1, 100, 0.5, 0.99])
def test_a_state_that_is_cut_off_is_refused_with_what_to_do(tmp_path: Path, cut: float) -> None:
    preset = dataclasses.replace(tiny_run.PRESET, epochs=1)
    train(preset, tiny_run.network(), FACES, VALIDATION, tmp_path)
    whole = (tmp_path / "state.pt").read_bytes()
    (tmp_path / "state.pt").write_bytes(whole[: cut if isinstance(cut, int) else int(cut * len(whole))])
    before = contents(tmp_path)
    for call in (
        lambda: read_state(tmp_path / "state.pt"),
        lambda: train(preset, tiny_run.network(), FACES, VALIDATION, tmp_path),
    ):
        with pytest.raises(CommandError, match=r"state\.pt is cut off or damaged.*Move it away.*--start"):
            call()
    assert contents(tmp_path) == before


def test_a_state_of_something_else_is_refused(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(2)}, tmp_path / "state.pt")
    with pytest.raises(CommandError, match="damaged"):
        read_state(tmp_path / "state.pt")


def test_starting_weights_that_are_damaged_unsound_or_something_else_are_refused(tmp_path: Path) -> None:
    good = tmp_path / "good.safetensors"
    save_file({"a": torch.ones(400)}, good)
    (tmp_path / "cut.safetensors").write_bytes(good.read_bytes()[:-200])
    (tmp_path / "cut.pth").write_bytes(b"PK\3\4 cut")
    (tmp_path / "text.pth").write_text("not weights")
    (tmp_path / "empty.pth").write_bytes(b"")
    torch.save([torch.ones(2)], tmp_path / "list.pth")
    for name in ("cut.safetensors", "cut.pth", "text.pth", "empty.pth", "list.pth"):
        with pytest.raises(CommandError, match=name):
            starting_weights(tmp_path / name)
    torch.save({"epoch": 3, "state_dict": {"a": torch.ones(2)}}, tmp_path / "more.pth")
    with pytest.raises(CommandError, match="holds more than weights"):
        starting_weights(tmp_path / "more.pth")
    save_file({"a": torch.tensor([1.0, math.nan])}, tmp_path / "nan.safetensors")
    with pytest.raises(CommandError, match=r"no finite numbers, first in a"):
        starting_weights(tmp_path / "nan.safetensors")


def test_weights_of_another_network_are_named_in_a_sentence() -> None:
    with pytest.raises(CommandError, match=r"another network's.*Missing keys: \d+ \['0\.bias'.*unknown keys: 1"):
        initialise(tiny_run.network(), {"something": torch.zeros(3)})


def test_another_run_is_refused_by_what_is_known_already(tmp_path: Path) -> None:
    (tmp_path / "state.pt").touch()
    (tmp_path / "run.json").write_text('{"seed": 1, "sizes": [24, 32], "training_images": 5}')
    refuse_another_run(tmp_path, {"seed": 1, "sizes": (24, 32)})
    for other in ({"seed": 2}, {"seed": 1, "training_images": 6}):
        with pytest.raises(CommandError, match="another run"):
            refuse_another_run(tmp_path, other)
    (tmp_path / "run.json").write_text('{"seed": ')
    with pytest.raises(CommandError, match="is not JSON"):
        refuse_another_run(tmp_path, {"seed": 1})


def test_a_run_whose_state_was_dropped_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"seed": 1}')
    refuse_another_run(tmp_path, {"seed": 2})
    (tmp_path / "weights.safetensors").touch()
    with pytest.raises(CommandError, match=r"state\.pt was removed.*another --out"):
        refuse_another_run(tmp_path, {"seed": 1})


def test_more_epochs_go_on_with_a_finished_run_whose_rate_does_not_depend_on_its_length(tmp_path: Path) -> None:
    (tmp_path / "state.pt").touch()
    begun = {"epochs": 15, "cosine": False, "sizes": [224]}
    (tmp_path / "run.json").write_text(json.dumps(begun))
    refuse_another_run(tmp_path, begun | {"epochs": 20})
    for other in ({"epochs": 10}, {"epochs": 20, "cosine": True}, {"epochs": 20, "sizes": [160, 224]}):
        with pytest.raises(CommandError, match="another run"):
            refuse_another_run(tmp_path, begun | other)


def test_the_score_before_training_is_shown_and_every_validation_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[tuple[int, dict[str, float]]] = []
    for epochs in (1, 2):
        preset = dataclasses.replace(tiny_run.PRESET, epochs=epochs)

        def report(step: int, figures: dict[str, float]) -> None:
            told.append((step, figures))

        train(preset, tiny_run.network(), FACES, VALIDATION, tmp_path, report=report)
        printed = capsys.readouterr().err
        assert ("before training  validation_loss" in printed) == (epochs == 1), "a run that goes on has its score"
        assert f"{64 * epochs}/{64 * epochs}" in printed, "progress is counted in faces"
    assert [step for step, _ in told] == [0, 4, 8]
    assert all("accuracy" in figures for _, figures in told)


def test_tensorboard_gets_the_figures_where_it_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    open_dashboard(tmp_path)(3, {"accuracy": 0.5})
    assert list((tmp_path / "tensorboard").iterdir())
