"""`qtdigits models export` and `import`: models for other programs, and from them."""

from __future__ import annotations

import argparse

from qtdigits.cli.loading import find_model
from qtdigits.cli.options import MODEL_HELP, Subparsers, add_command, add_json_option, data_folder, file_path
from qtdigits.cli.output import print_json, working
from qtdigits.core.formatting import counted
from qtdigits.training.export.export_model import export_model
from qtdigits.training.export.formats import FORMAT_NAMES, FORMATS

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
        print(f"{done.path}: {done.format.title}. Read back on {drawings}, {differs}.")
    return 0
