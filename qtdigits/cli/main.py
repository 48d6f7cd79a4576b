"""The entry of the program: the window, a command of the command line, or the engine.

The arguments alone decide what is imported: for the window neither argparse nor a command, for the engine nothing else, for a
command no other command.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Collection
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from qtdigits.cli import COMMANDS
from qtdigits.core.formatting import printable
from qtdigits.errors import QtDigitsError

if TYPE_CHECKING:
    import argparse

DONE, FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
NAMES_NO_FILE = frozenset({errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EEXIST})
"""The system's errors for a name that cannot be that of a file, or of a folder."""


def main(argv: list[str] | None = None) -> int:
    """Run the program with `argv` (without the program's name) and return its exit code.

    Without `argv` the program takes the arguments of the process, and ends the process where Python's own exit could hang.
    """
    code = _run(list(sys.argv[1:] if argv is None else argv))
    if argv is None and "tensorflow" in sys.modules:
        _end_process(code)
    return code


def _run(arguments: list[str]) -> int:
    debug = "--debug" in arguments
    if arguments[:1] == ["engine"]:
        return _guarded(_engine, debug=debug)
    if arguments[:1] == ["rebuild"]:
        return _guarded(lambda: _rebuild(arguments[1:]), debug=debug)
    if arguments[:1] == ["check-program"]:
        return _guarded(lambda: _check_program(arguments[1:]), debug=debug)
    if is_for_window(arguments):
        return _guarded(lambda: _window(arguments), debug=debug)
    return _guarded(lambda: _command(arguments), debug=debug)


def _end_process(code: int) -> NoReturn:
    """End the process without Python's own exit, in which TensorFlow can deadlock.

    A training that was interrupted within a step leaves an iterator whose threads still call into the interpreter. Destroying it
    waits for them, while an interpreter that is shutting down lets no thread in.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def is_for_window(arguments: list[str]) -> bool:
    """Whether only options of the window (or of Qt, such as `-platform offscreen`) are given."""
    words = [word for word in _without_data_dir(arguments) if word != "--debug"]
    if any(word in COMMANDS or word in {"-h", "--help", "--version"} for word in words):
        return False
    return not words or words[0].startswith("-")


def _without_data_dir(arguments: list[str]) -> list[str]:
    """Return the arguments without `--data-dir DIR`: the folder may have the name of a command."""
    words = iter(arguments)
    kept = []
    for word in words:
        if word == "--data-dir":
            next(words, None)
        else:
            kept.append(word)
    return kept


def _engine() -> int:
    from qtdigits.engine.server import main as serve

    return serve()


def _rebuild(arguments: list[str]) -> int:
    """The child process of `models import`."""
    from qtdigits.training.rebuild import main as rebuild

    return rebuild(arguments)


def _check_program(arguments: list[str]) -> int:
    """The child process that runs the LiteRT program of a file from elsewhere."""
    from qtdigits.training.model_upgrade import main as check_program

    return check_program(arguments)


def _window(arguments: list[str]) -> int:
    from qtdigits.cli.window import open_window

    return open_window(arguments)


def _command(arguments: list[str]) -> int:
    _make_streams_usable()
    words = [word for word in _without_data_dir(arguments) if not word.startswith("-")]
    loaded = (
        words[:1] if set(words[:1]) <= COMMANDS.keys() else COMMANDS
    )  # the value of an option comes first
    args = make_parser(loaded).parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = args.run
    return run(args)


def make_parser(loaded: Collection[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Return the parser of all commands, with the options of those that are `loaded`."""
    import argparse

    from qtdigits.cli.options import add_common_options
    from qtdigits.version import __version__

    parser = argparse.ArgumentParser(
        prog="qtdigits",
        allow_abbrev=False,
        description="Draw a digit, see how it is read, correct it, and watch the network learn your handwriting.\n"
        "Without a command the window opens; it takes --theme NAME and Qt's own options, such as -platform NAME.",
        epilog="For the options of a command: qtdigits COMMAND --help\n"
        "Exit codes: 0 done, 1 failed, 2 wrong usage or unusable input, 130 interrupted.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"qtdigits {__version__}")
    add_common_options(parser)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for name, summary in COMMANDS.items():
        if name in loaded:
            import_module(f"qtdigits.cli.{name}").add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=summary)
    return parser


def _guarded(work: Callable[[], int], *, debug: bool) -> int:
    """Do the work; any error becomes one line on stderr and an exit code."""
    try:
        code = work()
        if sys.stdout:  # a windowed program on Windows has none
            sys.stdout.flush()
    except QtDigitsError as error:
        return _report(str(error), error.exit_code, debug=debug)
    except SystemExit as ending:  # argparse has shown the help or the error
        return ending.code if isinstance(ending.code, int) else UNUSABLE
    except KeyboardInterrupt:
        return _report("Interrupted.", INTERRUPTED, debug=False)
    except BrokenPipeError:
        return _leave_quietly()
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        if where and error.errno in NAMES_NO_FILE:
            return _report(f"{where}{error.strerror}. Choose another name.", UNUSABLE, debug=debug)
        return _report(f"{where}{error.strerror or error}.", FAILED, debug=debug)
    except Exception as error:  # noqa: BLE001 - the last handler
        hint = "" if debug else " This is a bug: run with --debug for the details."
        return _report(f"{type(error).__name__}: {error}.{hint}", FAILED, debug=debug)
    return code


def _report(message: str, code: int, *, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    with contextlib.suppress(OSError):
        print(f"qtdigits: {printable(' '.join(message.split()))}", file=sys.stderr)
    return code


def _leave_quietly() -> int:
    """The reader of the output is gone, as with `| head`. Keep Python from complaining at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED


def _make_streams_usable() -> None:
    """Escape what the terminal cannot show, such as a label; replace a closed stream by one that discards its input."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123 - open until the process ends
        elif hasattr(stream := getattr(sys, name), "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
