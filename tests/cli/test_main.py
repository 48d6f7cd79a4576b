from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from cli.running import Run, python
from qtdigits import __version__
from qtdigits.cli import writers
from qtdigits.cli.main import COMMANDS, is_for_window, make_parser

SUB_COMMANDS = [
    *(["train"], ["evaluate"], ["recognise"], ["demo"]),
    *(["samples", action] for action in ("import", "export", "list", "check")),
    *(["models", action] for action in ("list", "show", "check", "promote", "rollback")),
    *(["writers", action] for action in ("list", "add", "rename")),
    *(["study", action] for action in ("run", "show", "list", "best", "resume", "delete")),
    *(["backups", action] for action in ("list", "make", "restore")),
    *(
        ["classes", action]
        for action in ("list", "add", "rename", "merge", "retire", "delete", "restore", "sets")
    ),
]


def test_that_help_names_every_command_but_not_the_engine(run: Run) -> None:
    done = run("--help")
    assert done.code == 0
    assert all(f"\n    {name} " in done.out for name in COMMANDS)
    assert "engine" not in done.out


@pytest.mark.parametrize("command", SUB_COMMANDS, ids=" ".join)
def test_that_every_command_has_help_with_an_example_that_parses(run: Run, command: list[str]) -> None:
    done = run(*command, "--help")
    assert done.code == 0
    examples = [
        line.split()[1:] for line in done.out.partition("Example")[2].splitlines() if "qtdigits" in line
    ]
    assert examples
    for example in examples:
        make_parser().parse_args(example)


def test_that_the_version_is_printed(run: Run) -> None:
    done = run("--version")
    assert (done.code, done.out) == (0, f"qtdigits {__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [["trian"], ["train", "--epoch", "3"], ["evaluate", "x.h5"], ["models"], ["train", "--json", "--events"]],
    ids=" ".join,
)
def test_that_wrong_usage_exits_with_2(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert "usage: qtdigits" in done.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], True),
        (["--data-dir", "train"], True),
        (["--data-dir=x", "--theme", "dark"], True),
        (["-platform", "offscreen"], True),
        (["--debug"], True),
        (["--help"], False),
        (["--version"], False),
        (["train"], False),
        (["--data-dir", "x", "models", "list"], False),
        (["trian"], False),
    ],
)
def test_that_only_options_open_the_window(arguments: list[str], expected: bool) -> None:
    assert is_for_window(arguments) is expected


def test_that_the_data_folder_may_stand_before_or_after_the_command(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    assert run("--data-dir", folder, "writers", "add", "Ada").code == 0
    names = [row["name"] for row in run("writers", "list", "--data-dir", folder, "--json").json["writers"]]
    assert "Ada" in names


def test_that_an_unexpected_error_is_one_line_and_points_to_debug(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_args: object) -> int:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(writers, "run_list", fail)
    done = run("writers", "list")
    assert done.code == 1
    assert "RuntimeError: two lines" in done.complaint
    assert "--debug" in done.err
    assert "Traceback" in run("writers", "list", "--debug").err


def test_that_an_interrupt_exits_with_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(writers, "run_list", interrupt)
    done = run("writers", "list")
    assert done.code == 130
    assert done.complaint == "qtdigits: Interrupted.\n"


def test_that_no_thread_of_tensorflow_can_keep_the_process() -> None:
    done = python(
        "-c",
        """
import sys, threading, types
from qtdigits.cli.main import main
sys.modules["tensorflow"] = types.ModuleType("tensorflow")
threading.Thread(target=threading.Event().wait).start()  # Python would wait for it, for ever
sys.argv[1:] = ["models", "show", "nobody"]
main()
""",
    )
    assert (done.code, "'nobody'" in done.complaint) == (2, True)


def test_that_a_reader_that_goes_away_is_no_reason_to_complain(data_dir: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "qtdigits", "writers", "list"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr == b""


def test_that_a_data_folder_that_is_a_file_is_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    done = run("writers", "list", "--data-dir", file)
    assert done.code == 2
    assert str(file) in done.complaint
    assert file.read_text() == "not a folder"


@pytest.mark.parametrize(
    "command", [["writers", "list"], ["samples", "list"], ["samples", "check"]], ids=" ".join
)
def test_that_a_store_from_a_newer_version_is_refused_and_left_alone(
    run: Run, data_dir: Path, command: list[str]
) -> None:
    assert run("writers", "add", "Ada").code == 0
    store = data_dir / "samples.db"
    connection = sqlite3.connect(store)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = store.read_bytes()
    done = run(*command)
    assert done.code == 2
    assert "newer version" in done.complaint
    assert str(store) in done.err
    assert store.read_bytes() == before


def test_that_a_damaged_store_is_refused_and_left_alone(run: Run, data_dir: Path) -> None:
    store = data_dir / "samples.db"
    store.write_bytes(b"this is no database, though it is long enough to be one" * 40)
    before = store.read_bytes()
    done = run("samples", "list")
    assert done.code == 2
    assert "damaged" in done.complaint
    assert store.read_bytes() == before


def test_that_help_imports_no_floor_and_nothing_heavy() -> None:
    heavy = {
        "PySide6",
        "pandas",
        "keras",
        "tensorflow",
        "h5py",
        "rich",
        "ai_edge_litert",
        "sqlite3",
        "PIL",
    }
    done = python(
        "-c",
        f"import sys; from qtdigits.cli.main import main; main(['--help']); print(sorted(set(sys.modules) & {heavy}))",
    )
    assert done.out.splitlines()[-1] == "[]"


def test_that_the_way_to_the_window_imports_nothing_of_the_command_line() -> None:
    done = python(
        "-c",
        "import sys; from qtdigits.cli.main import main; main([]); "
        "print(sorted(m for m in sys.modules if m.startswith('qtdigits.') or m in {'argparse', 'numpy'}))",
        env={"QT_QPA_PLATFORM": "", "DISPLAY": "", "WAYLAND_DISPLAY": ""},
    )
    known = (
        "qtdigits.cli",
        "qtdigits.cli.main",
        "qtdigits.cli.window",
        "qtdigits.core",
        "qtdigits.core.formatting",
        "qtdigits.errors",
        "qtdigits.version",
    )
    assert done.out.strip() == str(list(known))


def test_that_a_command_imports_no_other_one(tmp_path: Path) -> None:
    done = python(
        "-c",
        "import sys; from qtdigits.cli.main import COMMANDS, main; main(sys.argv[1:]); "
        "print([name for name in COMMANDS if f'qtdigits.cli.{name}' in sys.modules])",
        *("--data-dir", tmp_path / "train", "writers", "list", "--help"),
    )
    assert done.out.splitlines()[-1] == "['writers']"


LONG_NAME = "a" * 400


@pytest.mark.parametrize(
    "arguments",
    [
        ("models", "show", LONG_NAME),
        ("recognise", "champion", LONG_NAME),
        ("evaluate", "champion", "--on", LONG_NAME),
        ("evaluate", "champion", "--on", ""),
        ("samples", "import", LONG_NAME),
        ("samples", "list", "--data-dir", LONG_NAME),
        ("simulate", LONG_NAME),
        ("train", "--recipe", LONG_NAME),
        ("train", "--ink", LONG_NAME),
        ("train", "--writer", "nobody"),
    ],
)
def test_that_a_name_that_can_be_no_file_is_unusable_input(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert done.complaint.count(". ") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("samples", "import", ""),
        ("samples", "export", ""),
        ("samples", "merge", ""),
        ("recognise", "champion", ""),
        ("train", "--ink", ""),
        ("train", "--out", ""),
    ],
)
def test_that_an_empty_name_is_not_taken_for_the_folder_one_is_in(
    run: Run, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (28, 28)).save(tmp_path / "7_1.png")
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.code == 2
    assert done.err.endswith("'' names nothing\n")


@pytest.mark.skipif(
    sys.platform == "win32", reason="there a program without a terminal has no streams at all"
)
@pytest.mark.parametrize("closed", [1, 2])
def test_that_a_command_works_with_a_stream_closed(data_dir: Path, closed: int) -> None:
    command = (
        f"import os; os.close({closed}); os.execv({sys.executable!r}, [{sys.executable!r}, '-m', 'qtdigits', "
    )
    done = python("-c", f"{command}'models', 'list', '--data-dir', {str(data_dir)!r}])")
    assert (done.code, done.err) == (0, "")
    assert ("default" in done.out) == (closed == 2)
