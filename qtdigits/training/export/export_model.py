"""Export a model: write the file, read it in its own runtime, compare it with the original, and only then give it its name."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.folding import reading_network
from qtdigits.core.model import Model
from qtdigits.errors import InputError, QtDigitsError
from qtdigits.litert import constants_of, with_metadata
from qtdigits.paths import shipped_models_dir
from qtdigits.reader import Reader
from qtdigits.store.files import write_file
from qtdigits.training.export import onnx_format, safetensors_format
from qtdigits.training.export.formats import Exported, Format, format_of
from qtdigits.training.model_upgrade import readable

TOLERANCE = 1e-5
"""The largest difference of a probability from the original's."""

EMBEDDING_TOLERANCE = 1e-3
"""The largest difference of a number in an embedding: LiteRT adds its small constants in half precision."""

Outputs = tuple[NDArray[np.float32], ...]
Write = Callable[[Exported, Path], None]
Read = Callable[[Path, NDArray[np.uint8]], Outputs]


@dataclass(frozen=True)
class ExportedFile:
    """What was written; `difference` is the largest of a probability on the `n_drawings` golden drawings."""

    path: Path
    format: Format
    difference: float
    n_drawings: int


def export_model(path: Path, out: Path, *, format_name: str = "", data_dir: Path) -> ExportedFile:
    """Export the model file at `path` to `out`, in the format of that name or of the ending of `out`.

    Raises `InputError` where it cannot be exported so, `QtDigitsError` where the file does not answer as the model does. Then
    nothing is written.
    """
    chosen = format_of(out, format_name)
    _refuse_models(path, out, data_dir)
    _require(chosen)
    model = readable(path, data_dir)
    expected = _outputs_of(Reader(model), model.golden.images)
    exported = Exported(model, reading_network(model, constants_of(model.flatbuffer)))
    with tempfile.TemporaryDirectory(prefix="qtdigits-") as folder:
        part = Path(folder, f"{out.stem}{chosen.suffix}")
        found = write_and_read(exported, chosen, part, model.golden.images)
        difference = _compare(model, found, expected, chosen)
        write_file(out, part.read_bytes())
    return ExportedFile(out, chosen, difference, len(model.golden.images))


def write_and_read(exported: Exported, chosen: Format, path: Path, images: NDArray[np.uint8]) -> Outputs:
    """Write the file, and return what its own runtime makes of `(n, 28, 28)` images: probabilities, and the embedding if any."""
    write, read = _writer_of(exported, chosen)
    write(exported, path)
    return read(path, images)


def _writer_of(exported: Exported, chosen: Format) -> tuple[Write, Read]:
    match chosen.name:
        case "onnx":
            return onnx_format.write, onnx_format.read
        case "safetensors":
            return safetensors_format.write, safetensors_format.read
        case "litert":
            return _write_program, lambda path, images: _read_program(exported.model, path, images)
    from qtdigits.ml import keras_files

    return (lambda given, path: keras_files.write(given.network, given.facts, path)), keras_files.read


def _write_program(exported: Exported, path: Path) -> None:
    """Write the program that the model file carries: float16 weights, computed with in float32."""
    stored = "the program by which QtDigits reads, unchanged: float16 weights where that is exact, computed with in float32"
    names = {"output_names": ["output_0: probabilities", "output_1: embedding"]}
    facts = {**exported.facts, "weights": stored, **names}
    path.write_bytes(with_metadata(exported.model.flatbuffer, facts))


def _read_program(model: Model, path: Path, images: NDArray[np.uint8]) -> Outputs:
    return _outputs_of(Reader(replace(model, flatbuffer=path.read_bytes()), check=False), images)


def _outputs_of(reader: Reader, images: NDArray[np.uint8]) -> Outputs:
    return reader.read_and_embed(images) if reader.has_embedding else (reader.read_many(images),)


def _compare(model: Model, found: Outputs, expected: Outputs, chosen: Format) -> float:
    """Return the largest difference of a probability on the golden drawings. Raises `QtDigitsError` where one is too large."""
    if [one.shape for one in found] != [one.shape for one in expected]:
        raise _differs(model, chosen, "its outputs have another shape")
    difference, *others = (float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True))
    if not difference <= TOLERANCE:
        raise _differs(model, chosen, f"a probability differs by {difference:.1e}")
    if not all(other <= EMBEDDING_TOLERANCE for other in others):
        raise _differs(model, chosen, f"its embedding differs by {max(others):.1e}")
    return difference


def _differs(model: Model, chosen: Format, how: str) -> QtDigitsError:
    return QtDigitsError(
        f"{model.name} was not exported: its {chosen.title} file does not answer as it does; {how}.",
        "Choose another format, and please report this.",
    )


def _refuse_models(path: Path, out: Path, data_dir: Path) -> None:
    """A model must not be overwritten by its export, and the folders of models hold nothing else."""
    folders = {(data_dir / "models").resolve(), shipped_models_dir().resolve()}
    if out.resolve() == path.resolve() or out.resolve().parent in folders:
        raise InputError(f"{out} would lie among the models of QtDigits.", "Choose another name or folder.")


def _require(chosen: Format) -> None:
    missing = [name for name in chosen.packages if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"Exporting to {chosen.title} needs {' and '.join(missing)}.",
            f"Install what is missing: pip install {' '.join(missing)}",
        )
