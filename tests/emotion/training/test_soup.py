"""Averaging the weights of several runs."""

import dataclasses

import numpy as np
import pytest
import tiny_run
import torch

from emotion.training.batches import enlarge, normalise
from emotion.training.soup import average_weights, recalibrate_batch_norm

PRESET = dataclasses.replace(tiny_run.PRESET, bfloat16=False)


def test_the_average_of_two_lies_between_them_and_counters_stay_whole() -> None:
    one, other = ({"a": torch.full((2,), value), "steps": torch.tensor(5)} for value in (1.0, 3.0))
    mean = average_weights([one, other])
    assert mean["a"].tolist() == [2.0, 2.0]
    assert mean["steps"].dtype == torch.int64


def test_half_precision_is_averaged_without_its_rounding() -> None:
    states = [{"a": torch.tensor([value]).half()} for value in (1.0, 1.0009765625)]
    assert average_weights(states)["a"].item() == pytest.approx(1.00048828125, abs=1e-7)


def test_weights_of_different_networks_are_not_averaged() -> None:
    with pytest.raises(KeyError):
        average_weights([{"a": torch.zeros(1)}, {"b": torch.zeros(1)}])


def test_statistics_are_those_of_the_faces_as_they_are_shown() -> None:
    faces = tiny_run.bars(128, 0)
    network = tiny_run.network()
    network[1].running_mean.fill_(99.0)
    recalibrate_batch_norm(network, faces, PRESET, 32)
    with torch.no_grad():
        first = network[0](normalise(enlarge(torch.from_numpy(faces.images), 32), PRESET))
    assert torch.allclose(network[1].running_mean, first.mean((0, 2, 3)), atol=1e-4)
    assert torch.allclose(network[1].running_var, first.var((0, 2, 3)), rtol=2e-2)
    assert not network.training
    assert network[1].momentum == 0.1


def test_measuring_leaves_the_weights_alone() -> None:
    network = tiny_run.network()
    before = network[0].weight.detach().clone()
    recalibrate_batch_norm(network, tiny_run.bars(16, 0).take(np.arange(16)), PRESET, 24)
    assert torch.equal(network[0].weight, before)
