"""`qtdigits demo`: drive the real window off-screen and save pictures."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from qtdigits.cli.options import Subparsers, add_command, file_path
from qtdigits.cli.window import has_display, importing_the_window


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(
        subparsers,
        "demo",
        run=run,
        examples=("qtdigits demo --out build/demo",),
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=file_path,
        default=Path("qtdigits-demo"),
        help="folder of the pictures (default: %(default)s)",
    )
    parser.add_argument(
        "--ink", metavar="FILE", type=file_path, help="ink to draw with, .jsonl[.gz] (default: synthetic ink)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the demo with samples and models of its own; the person's data is not touched."""
    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with importing_the_window():
        from qtdigits.gui import app, demo

    drawings, source = demo.drawings_from(args.ink)
    with TemporaryDirectory(prefix="qtdigits-demo-", ignore_cleanup_errors=True) as folder:
        _app, window = app.create(["--data-dir", folder, "--theme", "light"])
        demo.play(window, args.out, drawings, source)
    return 0
