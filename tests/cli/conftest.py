"""Running commands: in this process where it is enough, as a process of its own where imports or signals count."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.running import Outcome, Run, python, write_ink
from qtdigits.cli.main import main
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.store.programs import FOLDER as PROGRAMS


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], data_dir: Path) -> Run:
    """`run("models", "list")` in this process, with an empty data folder."""

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def ink_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 synthetic drawings by two writers."""
    path = tmp_path_factory.mktemp("ink") / "drawings.jsonl.gz"
    return write_ink(path, *synthetic_digits(200, seed=3), writers=("ada", "bob"))


@pytest.fixture
def tiny_model(trained_once: Path, data_dir: Path) -> Path:
    """A small network, really trained by `qtdigits train` on the drawings of `ink_file`, as if in this test's data folder."""
    shutil.copytree(trained_once.parent / "data" / PROGRAMS, data_dir / PROGRAMS, dirs_exist_ok=True)
    return trained_once


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory, ink_file: Path) -> Path:
    folder = tmp_path_factory.mktemp("model")
    path = folder / "tiny.h5"
    arguments = (
        "--data-dir",
        folder / "data",
        "--ink",
        ink_file,
        "--mnist-images",
        "0",
        "--dense",
        "12",
        "--epochs",
        "8",
    )
    done = python(
        "-m", "qtdigits", "train", "--recipe", "mlp-50-50", *arguments, "--batch-size", "16", "--out", path
    )
    assert done.code == 0, done.err
    return path
