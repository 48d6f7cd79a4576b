"""`qtdigits models export` and `import`: models for other programs, and from them."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from qtdigits.cli.loading import find_model
from qtdigits.cli.options import MODEL_HELP, Subparsers, add_command, add_json_option, data_folder, file_path
from qtdigits.cli.output import print_json, show, working
from qtdigits.core.formatting import counted
from qtdigits.training.export.export_model import export_model
from qtdigits.training.export.formats import FORMAT_NAMES, FORMATS
from qtdigits.training.import_model import import_model

ENDINGS = ", ".join(one.suffix for one in FORMATS)


def add_exchange(group: Subparsers) -> None:
    export = add_command(
        group,
        "export",
        run=run_export,
        summary="write a model for another program, and check that it answers the same there",
        examples=(
            "qtdigits models export champion --out my-hand.onnx",
            "qtdigits models export default --format litert --out digits.tflite --json",
        ),
    )
    export.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    export.add_argument(
        "--format", choices=FORMAT_NAMES, default="", help=f"default: by the ending of --out ({ENDINGS})"
    )
    export.add_argument("--out", metavar="FILE", type=file_path, required=True, help="the file to write")
    add_json_option(export, "what was written")

    bring = add_command(
        group,
        "import",
        run=run_import,
        summary="add a model file of QtDigits or of Keras (.keras, .h5) to the models; Keras's is rebuilt layer by layer",
        examples=(
            "qtdigits models import hand-of-ada.h5",
            "qtdigits models import report.h5 --name report",
            "qtdigits models import m.keras --pixels 255",
        ),
    )
    bring.add_argument(
        "file",
        metavar="FILE",
        type=file_path,
        help="a model of QtDigits, or a whole one saved by Keras 2 or 3",
    )
    bring.add_argument("--name", metavar="NAME", default="", help="the model's name (default: the file's)")
    bring.add_argument(
        "--pixels",
        choices=("1", "255"),
        default="",
        help="the value of full ink in the images that a Keras model was trained on (default: what reads digits better)",
    )
    bring.add_argument(
        "--classes",
        metavar="LABEL",
        nargs="+",
        default=(),
        help="what the outputs of a Keras model stand for (default: 0 to 9)",
    )
    add_json_option(bring, "what was imported")


def run_export(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    path = find_model(args.model, folder=folder)
    with working(f"Exporting {path.stem} …"):
        done = export_model(path, args.out, format_name=args.format, data_dir=folder)
    if args.json:
        figures = {"difference": done.difference, "drawings": done.n_drawings}
        print_json(
            {"path": str(done.path), "format": done.format.name, "bytes": done.path.stat().st_size, **figures}
        )
    else:
        drawings = counted(done.n_drawings, "drawing")
        differs = f"its probabilities differ by at most {done.difference:.1e}"
        show(f"{done.path}: {done.format.title}. Read back on {drawings}, {differs}.")
    return 0


def run_import(args: argparse.Namespace) -> int:
    with working(f"Importing {args.file.name} …"):
        done = import_model(
            args.file,
            data_dir=data_folder(args),
            name=args.name,
            highest=float(args.pixels) if args.pixels else None,
            classes=tuple(args.classes),
        )
    if args.json:
        print_json({**asdict(done), "path": str(done.path)})
        return 0
    show(f"{done.path}: {done.told}")
    return 0
