"""The packaged checkpoint at another input size: its speed is that of weights trained there, its answers are not."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from emotion.network.checkpoint import CONFIGURATION_FILE, Checkpoint, load_checkpoint


@contextmanager
def checkpoint_at(input_size: int | None) -> Iterator[Checkpoint]:
    """A checkpoint folder whose input has that side, for the time of the block; the packaged one where it is None."""
    packaged = load_checkpoint()
    if input_size in (None, packaged.configuration.input_size):
        yield packaged
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in packaged.folder.glob("*.safetensors"):
            (folder / path.name).symlink_to(path)
        int8 = packaged.configuration.int8 and replace(packaged.configuration.int8, input_size=input_size)
        configuration = replace(packaged.configuration, input_size=input_size, int8=int8, lessons=None)
        (folder / CONFIGURATION_FILE).write_text(configuration.to_json(), encoding="utf-8")
        yield load_checkpoint(folder)
