"""The entry of the program: the window, a command of the command line, or the engine.

Start-up order: the arguments alone decide what is imported. The window's way imports no argparse and no command, the
engine's way nothing but the engine, that of a command no other one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from qtdigits.errors import QtDigitsError

if TYPE_CHECKING:
    import argparse

COMMANDS = ("train", "evaluate", "recognise", "samples", "writers", "models", "runs", "simulate", "demo")
"""The sub-commands in the order of the help; each is a module of this package."""

DONE, FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
NAMES_NO_FILE = frozenset({errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EEXIST})
"""What the system says of a name that can be no file, or no folder, there."""


def main(argv: list[str] | None = None) -> int:
    """Run the program with `argv` (without the program's name) and give its exit code.

    Without `argv` the process is the program's: its arguments are taken, and where Python's own way out could hang, it ends here.
    """
    code = _run(list(sys.argv[1:] if argv is None else argv))
    if argv is None and "tensorflow" in sys.modules:
        _end_process(code)
    return code


def _run(arguments: list[str]) -> int:
    debug = "--debug" in arguments
    if arguments[:1] == ["engine"]:
        return _guarded(_engine, debug=debug)
    if is_for_window(arguments):
        return _guarded(lambda: _window(arguments), debug=debug)
    return _guarded(lambda: _command(arguments), debug=debug)


def _end_process(code: int) -> NoReturn:
    """End past Python's own way out, on which TensorFlow can wait for ever.

    A training that was cut short within a step leaves an iterator behind, whose threads are still to ask the interpreter for
    data. Taking it apart waits for them, while an interpreter that is ending lets no thread in any more.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def is_for_window(arguments: list[str]) -> bool:
    """Whether nothing but options of the window (or of Qt, such as `-platform offscreen`) is given."""
    words = [word for word in _without_data_dir(arguments) if word != "--debug"]
    if any(word in COMMANDS or word in {"-h", "--help", "--version"} for word in words):
        return False
    return not words or words[0].startswith("-")


def _without_data_dir(arguments: list[str]) -> list[str]:
    """The arguments without `--data-dir DIR`: the folder may have the name of a command."""
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


def _window(arguments: list[str]) -> int:
    from qtdigits.cli.window import open_window

    return open_window(arguments)


def _command(arguments: list[str]) -> int:
    _make_streams_usable()
    words = (word for word in _without_data_dir(arguments) if not word.startswith("-"))
    wanted = next(words, "")
    args = make_parser((wanted,) if wanted in COMMANDS else COMMANDS).parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = args.run
    return run(args)


def make_parser(commands: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of these commands: each brings along what its options are made of."""
    import argparse
    from importlib import import_module

    from qtdigits import __version__
    from qtdigits.cli.options import add_common_options

    parser = argparse.ArgumentParser(
        prog="qtdigits",
        allow_abbrev=False,
        description="Draw a digit, see it read, put it right, and watch the network learn your hand.\n"
        "Without a command the window opens; it takes --theme NAME and Qt's own options, such as -platform NAME.",
        epilog="Each command tells more with --help, for example: qtdigits train --help\n"
        "Exit codes: 0 done, 1 it failed, 2 wrong usage or unusable input, 130 interrupted.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"qtdigits {__version__}")
    add_common_options(parser)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for name in commands:
        import_module(f"qtdigits.cli.{name}").add_parser(subparsers)
    return parser


def _guarded(work: Callable[[], int], *, debug: bool) -> int:
    """Do the work; whatever goes wrong becomes one line on stderr and an exit code."""
    try:
        code = work()
        if sys.stdout:  # a windowed program on Windows has none
            sys.stdout.flush()
    except QtDigitsError as error:
        return _report(str(error), error.exit_code, debug=debug)
    except SystemExit as wanted:  # argparse has shown the help or the mistake
        return wanted.code if isinstance(wanted.code, int) else UNUSABLE
    except KeyboardInterrupt:
        return _report("Interrupted.", INTERRUPTED, debug=False)
    except BrokenPipeError:
        return _leave_quietly()
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        if where and error.errno in NAMES_NO_FILE:
            return _report(f"{where}{error.strerror}. Choose another name.", UNUSABLE, debug=debug)
        return _report(f"{where}{error.strerror or error}.", FAILED, debug=debug)
    except Exception as error:  # noqa: BLE001 - the last one to hear of it
        hint = "" if debug else " This is a fault of the program: run with --debug for the details."
        return _report(f"{type(error).__name__}: {error}.{hint}", FAILED, debug=debug)
    return code


def _report(message: str, code: int, *, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    with contextlib.suppress(OSError):
        print(f"qtdigits: {' '.join(message.split())}", file=sys.stderr)
    return code


def _leave_quietly() -> int:
    """The reader of our output has gone, as with `| head`. Python must not complain of it at exit either."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED


def _make_streams_usable() -> None:
    """What the terminal cannot show, as in a label, is shown escaped; a stream that was closed takes all and keeps nothing."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123 - open until the process ends
        elif hasattr(stream := getattr(sys, name), "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
