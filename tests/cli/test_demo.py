from __future__ import annotations

from pathlib import Path

import pytest

from cli.running import Run
from qtdigits.gui import app, demo


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, str]]:
    made: list[tuple[Path, str]] = []

    def play(window: object, out: Path, drawings: list[object], source: str) -> None:
        made.append((out, source))

    monkeypatch.setattr(app, "create", lambda arguments: (None, None))
    monkeypatch.setattr(demo, "play", play)
    return made


def test_that_the_demo_is_played_into_the_folder_with_the_ink(
    run: Run, calls: list[tuple[Path, str]], tmp_path: Path, ink_file: Path
) -> None:
    assert run("demo", "--out", tmp_path / "demo", "--ink", ink_file).code == 0
    assert run("demo").code == 0
    assert calls == [
        (tmp_path / "demo", ink_file.name),
        (Path("qtdigits-demo"), "the program's own synthetic ink"),
    ]


def test_that_ink_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    done = run("demo", "--out", tmp_path / "demo", "--ink", tmp_path / "missing.jsonl")
    assert done.code == 2
    assert "missing.jsonl" in done.complaint
