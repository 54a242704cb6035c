"""Keeps a compiled model on disk, so that the next start neither builds nor compiles it."""

import hashlib
import logging
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import openvino

logger = logging.getLogger(__name__)

KEPT = 2  # models: the one that answers alone, and the one of lessons where its size is another
_DIGEST = 32  # bytes of the SHA-256 in front of the model: a broken file must not reach the library's parser


def compile_cached(
    build: Callable[[], openvino.Model],
    options: dict[str, str],
    scheduling: dict[str, str],
    folder: Path | None,
    contents: str,
) -> openvino.CompiledModel:
    """The compiled model, from ``folder`` if it was kept there, else from ``build``.

    ``contents``: everything that the model was made from; together with the processor, the library's version and the
    ``options`` it is the key. ``scheduling``: options of how it runs, which may differ from those under
    which it was kept. The `KEPT` newest are kept; a folder that can't be written costs a warning and no more.
    """
    core = openvino.Core()
    if folder is None:
        return core.compile_model(build(), "CPU", options | scheduling)
    processor = core.get_property("CPU", "FULL_DEVICE_NAME")
    key = hashlib.sha256(repr((contents, processor, openvino.__version__, sorted(options.items()))).encode())
    path = folder / f"{key.hexdigest()[:32]}.blob"
    kept = _read(path)
    if kept is not None:
        try:
            return core.import_model(BytesIO(kept), "CPU", options | scheduling)
        except RuntimeError as error:
            logger.warning("The compiled model %s is made again: %s", path, error)
    compiled = core.compile_model(build(), "CPU", options | scheduling)
    _write(path, compiled.export_model().getvalue())
    return compiled


def _read(path: Path) -> bytes | None:
    try:
        content = path.read_bytes()
    except OSError:  # not there, which the first start expects, or not readable: it is made again
        return None
    digest, model = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(model).digest() != digest:
        logger.warning("The compiled model %s is damaged and made again", path)
        return None
    return model


def _write(path: Path, model: bytes) -> None:
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(hashlib.sha256(model).digest() + model)
        part.replace(path)
        newest_first = sorted(path.parent.glob("*.blob"), key=lambda blob: blob.stat().st_mtime, reverse=True)
        for other in newest_first[KEPT:]:
            other.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("The compiled model can't be kept, so the next start takes as long as this one: %s", error)
