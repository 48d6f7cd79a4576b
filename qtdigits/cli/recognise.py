"""`qtdigits recognise`: say which digits pictures show."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from qtdigits.cli.loading import open_reader
from qtdigits.cli.options import MODEL_HELP, Subparsers, add_command, add_json_option, data_folder, file_path
from qtdigits.cli.output import complain, print_json, print_table
from qtdigits.core.drawing.images import normalise_image
from qtdigits.core.formatting import percent
from qtdigits.core.score.calibration import are_undecided
from qtdigits.errors import InputError
from qtdigits.reader import Reader
from qtdigits.store.data.image_files import read_image

N_SHOWN = 3
Answer = tuple[dict[str, float], bool]
"""The probability of each label, the highest first, and whether the model is sure."""


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(
        subparsers,
        "recognise",
        run=run,
        examples=("qtdigits recognise cnn-32-64 seven.png", "qtdigits recognise my.h5 scans/*.png --json"),
    )
    parser.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument(
        "files", metavar="FILE", nargs="+", type=file_path, help="PNG or JPEG, dark on light or light on dark"
    )
    add_json_option(parser, "the answers")


def run(args: argparse.Namespace) -> int:
    """Report files that cannot be read, answer the others; return 2 when there was one."""
    reader = open_reader(args.model, folder=data_folder(args))
    results: list[dict[str, Any]] = []
    errors: list[dict[str, str]] = []
    for file, answer in _answers(reader, args.files):
        if isinstance(answer, InputError):
            complain(str(answer))
            errors.append({"file": str(file), "message": answer.message, "remedy": answer.remedy})
        else:
            probabilities, is_sure = answer
            best = next(iter(probabilities))
            results.append(
                {
                    "file": str(file),
                    "label": best,
                    "probability": probabilities[best],
                    "is_sure": is_sure,
                    "probabilities": probabilities,
                }
            )
    if args.json:
        print_json({"model": reader.model_name, "results": results, "errors": errors})
    elif results:
        rows = ((r["file"], *_most_probable(r["probabilities"], is_sure=r["is_sure"])) for r in results)
        print_table(("file", "answer", "second", "third"), rows)
    return 2 if errors else 0


def _answers(reader: Reader, files: list[Path]) -> Iterator[tuple[Path, Answer | InputError]]:
    """Yield for each file the answer or the error."""
    for file in files:
        try:
            yield file, _read(reader, file)
        except InputError as error:
            yield file, error


def _read(reader: Reader, file: Path) -> Answer:
    raster = normalise_image(read_image(file))
    if not raster.any():
        raise InputError(f"{file} shows nothing: it is blank.", "Give a picture of one digit.")
    found, similarity = reader.read_and_compare(raster[np.newaxis])
    is_undecided = are_undecided(found.max(), reader.undecided_below, similarity, reader.unlike_below)
    labels, order = reader.label_set.labels, (-found[0]).argsort(kind="stable")
    return {labels[i]: float(found[0, i]) for i in order}, not is_undecided.any()


def _most_probable(probabilities: dict[str, float], *, is_sure: bool) -> list[str]:
    shown = [f"{label} ({percent(p, 2)})" for label, p in list(probabilities.items())[:N_SHOWN]]
    if not is_sure:
        best, p = next(iter(probabilities.items()))
        shown[0] = f"not sure (perhaps {best}, {percent(p, 2)})"
    return shown + [""] * (N_SHOWN - len(shown))
