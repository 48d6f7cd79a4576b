"""What all commands share: how they are added to the parser, and the options that each of them takes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_command(
    subparsers: Subparsers, name: str, *, summary: str, examples: Sequence[str]
) -> argparse.ArgumentParser:
    """A sub-command with the common options and its examples; `summary` is a sentence without full stop."""
    parser = subparsers.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="\n  ".join(("Example:" if len(examples) == 1 else "Examples:", *examples)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_common_options(parser)
    return parser


def add_group(
    subparsers: Subparsers, name: str, *, summary: str, examples: Sequence[str]
) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    """A command that has sub-commands of its own; gives what those are added to."""
    parser = add_command(subparsers, name, summary=summary, examples=examples)
    return parser.add_subparsers(title="commands", metavar="COMMAND", dest="action", required=True)


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Options that may stand before or after the command; without default, so that the later does not undo the earlier."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="folder of samples and models (default: QTDIGITS_DATA_DIR, else the platform's data folder)",
    )
    parser.add_argument(
        "--debug",
        action="store_true",
        default=argparse.SUPPRESS,
        help="show the details when something goes wrong",
    )


def add_json_option(parser: argparse._ActionsContainer, what: str = "the result") -> None:
    parser.add_argument("--json", action="store_true", help=f"print {what} as one JSON object")


def file_path(text: str) -> Path:
    """The type of an argument that names a file or a folder; `Path` would take no name for the folder that one is in."""
    if not text:
        raise argparse.ArgumentTypeError("'' names nothing")
    return Path(text)


def data_folder(args: argparse.Namespace) -> Path:
    """The folder of the person's data. Other parts of the program that look for it find the same one."""
    from qtdigits.paths import user_data_dir

    return user_data_dir(getattr(args, "data_dir", None))
