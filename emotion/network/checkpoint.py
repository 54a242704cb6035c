"""Finds a checkpoint (a folder, or a repository of the Hugging Face Hub), verifies every shard's hash, and reads it.

Only safetensors are read, never pickle. What is hashed is what is parsed: a shard is read into memory once, so a file
that changes between the check and the use can't slip in.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from safetensors import SafetensorError
from safetensors.numpy import load as parse_safetensors

from emotion.labels import KEYS

CONFIGURATION_FILE = "config.json"
INDEX_FILE = "model.safetensors.index.json"
PACKAGED_CHECKPOINT = Path(__file__).resolve().parents[2] / "checkpoints" / "resnet152-ferplus-224"

# owner/name or owner/name@revision, as the Hub spells them
_HUB_NAME = re.compile(r"(?P<repository>[\w][\w.-]*/[\w][\w.-]*)(@(?P<revision>[\w][\w./-]*))?")
_FILE_NAME = re.compile(r"[\w.-]+\.safetensors")
# A repository may hold much more (training states, pictures); these are all that a checkpoint consists of.
_HUB_FILES = ["*.json", "*.safetensors", "*.md", "*.txt"]


class CheckpointError(RuntimeError):
    """A checkpoint can't be used; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class QuantisedFile:
    """The int8 model beside the weights: file, hash, and the weights and input size it is made for."""

    file: str
    sha256: str
    source_sha256: str
    input_size: int


@dataclass(frozen=True, slots=True)
class LessonInput:
    """How frames of lessons are read on a computer that is too slow for the usual size: side in pixels to which the
    crop is enlarged, and the temperature that fits there."""

    input_size: int
    temperature: float


@dataclass(frozen=True, slots=True)
class Configuration:
    """The content of ``config.json``, which lies beside the weights so that they and their preprocessing never part.

    ``classes``: keys in the order of the outputs. ``crop_size``: side in pixels of the aligned face crop;
    ``input_size``: side to which it is enlarged bilinearly before the network; ``lessons``: what takes its place on
    slow computers, None if the weights suit no other size. ``colour``: ``grey`` (one channel, repeated) or ``rgb``.
    ``mean`` and ``std``: one value per channel of the crop, on 0..1. ``crop_template``: five (x, y) as fractions of the
    crop: the eye on the left of the image, the eye on its right, nose, the mouth's corners left and right.
    ``temperature``: the logits are divided by it before the softmax. ``training_data``: in words.
    ``shards``: SHA-256 (hex) by file name.
    """

    architecture: str
    classes: tuple[str, ...]
    input_size: int
    crop_size: int
    colour: Literal["grey", "rgb"]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop_template: tuple[tuple[float, float], ...]
    temperature: float
    training_data: str
    shards: Mapping[str, str]
    int8: QuantisedFile | None
    lessons: LessonInput | None = None

    @property
    def channels(self) -> int:
        """Channels of a crop: 1 (grey) or 3 (rgb)."""
        return 1 if self.colour == "grey" else 3

    @property
    def weights_sha256(self) -> str:
        """One hash (hex) for all shards together: what a model derived from the weights is tied to."""
        lines = "".join(f"{name} {digest}\n" for name, digest in sorted(self.shards.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def with_shards(self, shards: Mapping[str, str]) -> "Configuration":
        """The same preset beside other weights, from which no int8 model has been made yet."""
        return replace(self, shards=dict(shards), int8=None)

    def to_json(self) -> str:
        """The text of ``config.json``, with the keys by which timm and transformers open the folder."""
        return json.dumps(asdict(self) | self.foreign_keys(), indent=2, ensure_ascii=False) + "\n"

    def foreign_keys(self) -> dict[str, Any]:
        """What timm (`timm.create_model` of a folder or repository) and transformers (its ``timm_wrapper``, and so its
        image-classification pipeline) read, in their words. They enlarge a whole picture, so what they are given are
        face crops; they answer softmax(logits) without the temperature."""
        side, repeat = self.input_size, 3 // self.channels  # grey is repeated to the network's three channels
        return {
            "model_type": "timm_wrapper",
            "num_classes": len(self.classes),
            "label_names": list(self.classes),
            "id2label": {str(place): key for place, key in enumerate(self.classes)},
            "label2id": {key: place for place, key in enumerate(self.classes)},
            "pretrained_cfg": {
                "architecture": self.architecture,
                "input_size": [3, side, side],
                "fixed_input_size": False,
                "interpolation": "bilinear",
                "crop_pct": 1.0,
                "crop_mode": "squash",
                "mean": list(self.mean) * repeat,
                "std": list(self.std) * repeat,
                "num_classes": len(self.classes),
                "pool_size": [-(-side // 32)] * 2,
                "first_conv": "conv1",
                "classifier": "fc",
            },
        }

    @classmethod
    def from_json(cls, text: str) -> "Configuration":
        """Parses and checks ``config.json``; raises ValueError that says which key is wrong. Keys that are not ours
        are left to the programs that they are for."""
        try:
            values: dict[str, Any] = dict(json.loads(text))
            missing = [name for name in cls.__dataclass_fields__ if name not in values and name != "lessons"]
            if missing:
                raise ValueError(f"missing keys {missing}")
            configuration = cls(
                architecture=str(values["architecture"]),
                classes=tuple(values["classes"]),
                input_size=int(values["input_size"]),
                crop_size=int(values["crop_size"]),
                colour=values["colour"],
                mean=tuple(float(value) for value in values["mean"]),
                std=tuple(float(value) for value in values["std"]),
                crop_template=tuple((float(x), float(y)) for x, y in values["crop_template"]),
                temperature=float(values["temperature"]),
                training_data=str(values["training_data"]),
                shards={str(name): str(digest) for name, digest in values["shards"].items()},
                int8=None if values["int8"] is None else QuantisedFile(**values["int8"]),
                lessons=None if values.get("lessons") is None else LessonInput(**values["lessons"]),
            )
            configuration._check()
        except (TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"a value has the wrong type: {error}") from error
        except RecursionError as error:
            raise ValueError("its lists lie too deep in each other") from error
        return configuration

    def _check(self) -> None:
        requirements = {
            "architecture must be resnet152": self.architecture == "resnet152",
            f"classes must be {list(KEYS)}": self.classes == KEYS,
            "input_size must be 32..512": 32 <= self.input_size <= 512,
            "lessons must be null, or an input_size from 32 to the usual one and a positive temperature": self.lessons
            is None
            or (32 <= self.lessons.input_size <= self.input_size and 0 < self.lessons.temperature < math.inf),
            "crop_size must be 16..512": 16 <= self.crop_size <= 512,
            "colour must be grey or rgb": self.colour in ("grey", "rgb"),
            "mean and std need one value per channel": len(self.mean) == len(self.std) == self.channels,
            "std must be positive": all(value > 0 for value in self.std),
            "mean and std must be finite": all(math.isfinite(value) for value in (*self.mean, *self.std)),
            "crop_template needs five points": len(self.crop_template) == 5,
            "crop_template must be finite": all(
                math.isfinite(value) for point in self.crop_template for value in point
            ),
            "temperature must be positive": 0 < self.temperature < math.inf,
            "shards must name safetensors files of this folder": bool(self.shards)
            and all(_FILE_NAME.fullmatch(name) for name in self.shards),
            "int8 must name a safetensors file of this folder": self.int8 is None
            or bool(_FILE_NAME.fullmatch(self.int8.file)),
        }
        wrong = [sentence for sentence, holds in requirements.items() if not holds]
        if wrong:
            raise ValueError("; ".join(wrong))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint on disk whose configuration was read; the shards are verified whenever they are read."""

    folder: Path
    configuration: Configuration

    @property
    def version(self) -> str:
        """Stored with every observation: the architecture and the beginning of the weights' hash."""
        return f"{self.configuration.architecture}-{self.configuration.weights_sha256[:8]}"

    def for_lessons(self) -> "Checkpoint":
        """The same weights at the size for lessons on slow computers; itself where there is none."""
        lessons, int8 = self.configuration.lessons, self.configuration.int8
        if lessons is None:
            return self
        reduced = replace(
            self.configuration,
            input_size=lessons.input_size,
            temperature=lessons.temperature,
            lessons=None,
            int8=int8 and replace(int8, input_size=lessons.input_size),  # its ranges hold there: quantise judges both
        )
        return Checkpoint(self.folder, reduced)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Every tensor by name, as stored (float16, and int64 counters). Raises `CheckpointError`."""
        tensors: dict[str, np.ndarray] = {}
        for name in sorted(self.configuration.shards):
            tensors.update(_parse(self.folder / name, self._verified_bytes(name)))
        return tensors

    def verify(self) -> None:
        """Reads every shard and compares its hash. Raises `CheckpointError`."""
        for name in self.configuration.shards:
            self._verified_bytes(name)

    def _verified_bytes(self, name: str) -> bytes:
        """The content of the shard ``name``. Raises `CheckpointError` where it is missing, truncated or altered."""
        path = self.folder / name
        if not path.is_file():
            raise CheckpointError(f"{path} is missing. {_REMEDY}")
        content = path.read_bytes()
        found, expected = hashlib.sha256(content).hexdigest(), self.configuration.shards[name]
        if found != expected:
            raise CheckpointError(
                f"{path} ({len(content)} bytes) is truncated or altered: its SHA-256 is {found}, {CONFIGURATION_FILE} "
                f"expects {expected}. {_REMEDY}"
            )
        return content


_REMEDY = (
    "Fetch the file again (git checkout of the folder, or delete the Hub's cached copy and start with the network on), "
    "or name another checkpoint in EMOTION_CHECKPOINT."
)


def load_checkpoint(source: str | Path = PACKAGED_CHECKPOINT, cache: str | Path | None = None) -> Checkpoint:
    """Opens ``source``: a folder, or a Hub repository ``owner/name`` or ``owner/name@revision``, and verifies every
    shard.

    ``cache``: where Hub files are kept; the Hub's own folder by default. Once fetched, a repository opens without a
    network, and with ``HF_HUB_OFFLINE=1`` none is tried. Raises `CheckpointError`.
    """
    folder = Path(source)
    name = _HUB_NAME.fullmatch(str(source))
    if not folder.is_dir():
        if isinstance(source, Path) or name is None:
            raise CheckpointError(
                f"{folder} is no folder and no Hub repository (owner/name@revision). Set EMOTION_CHECKPOINT "
                "to one of the two, or leave it out to use the packaged checkpoint."
            )
        folder = _fetch(name["repository"], name["revision"], cache)
    path = folder / CONFIGURATION_FILE
    try:
        configuration = Configuration.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing, so {folder} is no checkpoint. {_REMEDY}") from error
    except (ValueError, OSError) as error:  # JSON and Unicode errors are ValueErrors
        raise CheckpointError(f"{path} can't be used: {error}. {_REMEDY}") from error
    checkpoint = Checkpoint(folder, configuration)
    checkpoint.verify()
    return checkpoint


def _fetch(repository: str, revision: str | None, cache: str | Path | None) -> Path:
    try:
        return Path(snapshot_download(repository, revision=revision, cache_dir=cache, allow_patterns=_HUB_FILES))
    except LocalEntryNotFoundError as error:
        raise CheckpointError(
            f"The Hub repository {repository}@{revision or 'main'} is not in the local cache, and the Hub can't be "
            "reached. Start once with the network on (and without HF_HUB_OFFLINE), or name a folder in "
            "EMOTION_CHECKPOINT."
        ) from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise CheckpointError(
            f"{repository}@{revision or 'main'} is neither a folder here nor a Hub repository that can be read: "
            f"{_first_line(error)} "
            "Check the name and the revision in EMOTION_CHECKPOINT (a private repository needs HF_TOKEN)."
        ) from error


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _parse(path: Path, content: bytes) -> dict[str, Any]:
    try:
        return parse_safetensors(content)
    except SafetensorError as error:
        raise CheckpointError(f"{path} is no safetensors file ({error}). {_REMEDY}") from error
