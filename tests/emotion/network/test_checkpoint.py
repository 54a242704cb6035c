"""What a checkpoint must be before anything is computed with it, from a folder and from the Hub."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from emotion.labels import KEYS
from emotion.network.checkpoint import (
    CONFIGURATION_FILE,
    INDEX_FILE,
    PACKAGED_CHECKPOINT,
    CheckpointError,
    Configuration,
    load_checkpoint,
)
from tests.emotion.network.hub_server import REPOSITORY, REVISION, hub

FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint of two small shards."""
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    save_file({"a": np.arange(6, dtype=np.float16).reshape(2, 3)}, folder / FIRST)
    save_file({"b": np.full(4, 0.5, np.float16)}, folder / SECOND)
    describe(folder)
    return folder


def describe(folder: Path, **changes: object) -> None:
    """(Re)writes the configuration with the hashes of the shards that are there."""
    values = json.loads((PACKAGED_CHECKPOINT / CONFIGURATION_FILE).read_text())
    values["shards"] = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.safetensors"))
    }
    (folder / CONFIGURATION_FILE).write_text(json.dumps(values | changes))


def test_a_folder_is_read_back_as_it_was_written(folder: Path) -> None:
    tensors = load_checkpoint(folder).state_dict()
    assert sorted(tensors) == ["a", "b"]
    np.testing.assert_array_equal(tensors["a"], np.arange(6).reshape(2, 3))


def test_the_version_changes_with_the_weights_and_with_nothing_else(folder: Path) -> None:
    before = load_checkpoint(folder).version
    describe(folder, temperature=2.0)
    assert load_checkpoint(folder).version == before
    save_file({"b": np.full(4, 0.25, np.float16)}, folder / SECOND)
    describe(folder)
    assert load_checkpoint(folder).version != before


def test_the_configuration_survives_writing_and_reading() -> None:
    configuration = load_checkpoint(PACKAGED_CHECKPOINT).configuration
    assert Configuration.from_json(configuration.to_json()) == configuration


def test_a_missing_shard_is_named_with_the_remedy(folder: Path) -> None:
    (folder / SECOND).unlink()
    with pytest.raises(CheckpointError, match=rf"{SECOND} is missing.*Fetch the file again"):
        load_checkpoint(folder)


def test_a_truncated_shard_is_named_with_the_remedy(folder: Path) -> None:
    path = folder / FIRST
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(CheckpointError, match=rf"{FIRST} .*truncated or altered.*Fetch the file again"):
        load_checkpoint(folder)


def test_a_single_altered_bit_is_found(folder: Path) -> None:
    path = folder / FIRST
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=FIRST):
        load_checkpoint(folder)


def test_a_shard_altered_after_the_start_is_not_read(folder: Path) -> None:
    checkpoint = load_checkpoint(folder)
    (folder / FIRST).write_bytes(b"something else")
    with pytest.raises(CheckpointError, match=FIRST):
        checkpoint.state_dict()


def test_a_pickle_is_never_loaded_even_with_the_right_hash(folder: Path, tmp_path: Path) -> None:
    witness = tmp_path / "executed"

    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(witness),)

    (folder / FIRST).write_bytes(pickle.dumps(Payload()))
    describe(folder)
    with pytest.raises(CheckpointError, match=rf"{FIRST} is no safetensors file"):
        load_checkpoint(folder).state_dict()
    assert not witness.exists()


def test_a_folder_without_a_configuration_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"architecture": "resnet50"}, "architecture must be resnet152"),
        ({"classes": list(reversed(KEYS))}, "classes must be"),
        ({"input_size": 0}, "input_size"),
        ({"lessons": {"input_size": 16, "temperature": 1.0}}, "lessons must be null"),
        ({"lessons": {"input_size": 225, "temperature": 1.0}}, "lessons must be null"),
        ({"lessons": {"input_size": 64, "temperature": 0.0}}, "lessons must be null"),
        ({"lessons": {"input_size": "64", "temperature": 1.0}}, "wrong type"),
        ({"lessons": {"input_size": 64}}, "wrong type"),
        ({"colour": "blue"}, "colour"),
        ({"mean": [0.5, 0.5]}, "one value per channel"),
        ({"std": [0.0]}, "std must be positive"),
        ({"crop_template": [[0.5, 0.5]]}, "five points"),
        ({"temperature": float("nan")}, "temperature must be positive"),
        ({"mean": 3}, "wrong type"),
        ({"int8": {}}, "wrong type"),
        ({"int8": ""}, "wrong type"),
        ({"int8": {"file": 3, "sha256": "", "source_sha256": "", "input_size": 1}}, "wrong type"),
        ({"input_size": float("inf")}, "wrong type"),
        ({"shards": {"../../secret.safetensors": "0"}}, "shards must name"),
        ({"shards": {}}, "shards must name"),
    ],
)
def test_a_wrong_configuration_is_refused_with_the_reason(
    folder: Path, change: dict[str, object], complaint: str
) -> None:
    describe(folder, **change)
    with pytest.raises(CheckpointError, match=rf"config\.json.*{complaint}"):
        load_checkpoint(folder)


def test_a_configuration_from_before_lessons_had_a_size_opens_and_reads_them_at_the_one_it_has(folder: Path) -> None:
    values = json.loads((folder / CONFIGURATION_FILE).read_text())
    values.pop("lessons", None)
    (folder / CONFIGURATION_FILE).write_text(json.dumps(values))
    checkpoint = load_checkpoint(folder)
    assert checkpoint.for_lessons() is checkpoint


def test_for_lessons_the_same_weights_and_their_int8_model_take_the_size_for_lessons(folder: Path) -> None:
    int8 = {"file": "int8.safetensors", "sha256": "0", "source_sha256": "0", "input_size": 224}
    describe(folder, input_size=224, lessons={"input_size": 160, "temperature": 1.5}, int8=int8)
    checkpoint = load_checkpoint(folder)
    reduced = checkpoint.for_lessons()
    assert (reduced.configuration.input_size, checkpoint.configuration.input_size) == (160, 224)
    assert reduced.configuration.temperature == 1.5
    assert reduced.configuration.int8 is not None
    assert reduced.configuration.int8.input_size == 160
    assert reduced.version == checkpoint.version
    assert reduced.for_lessons() is reduced


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", "3", "\x00", "[" * 100_000])
def test_what_is_no_configuration_is_refused_without_a_stack_trace(folder: Path, text: str) -> None:
    (folder / CONFIGURATION_FILE).write_text(text)
    with pytest.raises(CheckpointError, match=r"config\.json can't be used"):
        load_checkpoint(folder)


@pytest.mark.parametrize("source", ["nowhere", "/nowhere/at/all", Path("some/folder")])
def test_what_is_neither_a_folder_nor_a_hub_name_is_refused(source: str | Path) -> None:
    with pytest.raises(CheckpointError, match="EMOTION_CHECKPOINT"):
        load_checkpoint(source)


def test_the_packaged_checkpoint_is_whole_and_no_file_exceeds_45_megabytes() -> None:
    folder = PACKAGED_CHECKPOINT
    checkpoint = load_checkpoint(folder)
    shards = {path.name for path in folder.glob("model-*.safetensors")}
    assert checkpoint.configuration.int8 is not None
    assert {path.name for path in folder.glob("*.safetensors")} == shards | {checkpoint.configuration.int8.file}
    index = json.loads((folder / INDEX_FILE).read_text())
    assert set(checkpoint.configuration.shards) == shards == set(index["weight_map"].values())
    assert set(index["weight_map"]) == set(checkpoint.state_dict())
    assert max(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 45e6
    assert "MIT License" in (folder / "NOTICE.txt").read_text()
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlicense:")
    assert f"Version `{checkpoint.version}`, input {checkpoint.configuration.input_size}" in card
    assert json.loads((folder / "evaluation.json").read_text())["weights_sha256"] == (
        checkpoint.configuration.weights_sha256
    )


def open_in_a_new_process(source: str, cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The Hub's address and mode are read when huggingface_hub is imported, so each case is a process of its own."""
    script = (
        "import sys; from emotion.network.checkpoint import *\n"
        "try: print('tensors', sorted(load_checkpoint(sys.argv[1]).state_dict()))\n"
        "except CheckpointError as error: print('refused', error)"
    )
    return subprocess.run(
        [sys.executable, "-c", script, source],
        env={**os.environ, "HF_HUB_CACHE": str(cache), "HF_HUB_DISABLE_PROGRESS_BARS": "1", **environment},
        cwd=PACKAGED_CHECKPOINT.parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_a_hub_repository_is_fetched_verified_and_opens_offline_afterwards(folder: Path, tmp_path: Path) -> None:
    cache, name = tmp_path / "cache", f"{REPOSITORY}@{REVISION}"
    (folder / "optimizer.pt").write_bytes(b"a pickle that nobody wants")
    with hub(folder) as (address, asked):
        assert "tensors ['a', 'b']" in open_in_a_new_process(name, cache, HF_ENDPOINT=address).stdout
        assert not any("optimizer" in path for path in asked)
        asked.clear()
        assert "tensors" in open_in_a_new_process(name, cache, HF_ENDPOINT=address, HF_HUB_OFFLINE="1").stdout
        assert asked == []
    # The server is gone: a start with the network down falls back to what was fetched.
    assert "tensors" in open_in_a_new_process(name, cache, HF_ENDPOINT=address).stdout


def test_a_shard_altered_in_the_hub_cache_is_named(folder: Path, tmp_path: Path) -> None:
    cache, name = tmp_path / "cache", f"{REPOSITORY}@{REVISION}"
    with hub(folder) as (address, _):
        open_in_a_new_process(name, cache, HF_ENDPOINT=address)
    for path in cache.rglob(FIRST):
        path.resolve().write_bytes(b"altered")
    answer = open_in_a_new_process(name, cache, HF_HUB_OFFLINE="1").stdout
    assert answer.startswith("refused")
    assert FIRST in answer
    assert "delete the Hub's cached copy" in answer


@pytest.mark.parametrize("name", [f"{REPOSITORY}@v9", "school/nothing@v1"])
def test_an_unknown_repository_or_revision_says_what_to_check(folder: Path, tmp_path: Path, name: str) -> None:
    with hub(folder) as (address, _):
        answer = open_in_a_new_process(name, tmp_path / "cache", HF_ENDPOINT=address).stdout
    assert answer.startswith(f"refused {name}")
    assert "Check the name and the revision" in answer


def test_offline_without_a_copy_says_that_the_network_is_needed_once(tmp_path: Path) -> None:
    answer = open_in_a_new_process(f"{REPOSITORY}@{REVISION}", tmp_path, HF_HUB_OFFLINE="1").stdout
    assert answer.startswith("refused")
    assert "Start once with the network on" in answer
