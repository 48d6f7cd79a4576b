from __future__ import annotations

from pathlib import Path

import pytest

from cli.running import Run


def test_that_the_first_change_of_a_day_makes_a_backup(run: Run, ink_file: Path, data_dir: Path) -> None:
    run("samples", "import", ink_file)
    assert run("backups", "list", "--json").json == {"backups": []}
    for sample in ("1", "2"):
        run("samples", "delete", sample)
    (made,) = run("backups", "list", "--json").json["backups"]
    assert made["why"] == "daily"
    assert made["name"] in run("backups", "list").out


@pytest.mark.parametrize("words", [("classes", "add", "ß"), ("samples", "review")])
def test_that_every_command_that_can_change_the_store_makes_it(
    words: tuple[str, ...], run: Run, ink_file: Path
) -> None:
    run("samples", "import", ink_file)
    run(*words)
    assert [made["why"] for made in run("backups", "list", "--json").json["backups"]] == ["daily"]


def test_that_a_backup_is_made_and_restored_by_its_day(run: Run, ink_file: Path, data_dir: Path) -> None:
    run("samples", "import", ink_file)
    made = Path(run("backups", "make", "--json").json["file"])
    run("samples", "delete", "1", "2", "3")
    done = run("backups", "restore", made.name, "--json")
    assert (done.code, done.json["n"]) == (0, 200)
    assert run("samples", "list", "--json").json["n"] == 200
    day = run("backups", "list", "--json").json["backups"][0]["made_at"][:10]
    assert run("backups", "restore", day).code == 0
    assert "qtdigits backups restore" in run("backups", "restore", "--help").out


def test_that_an_unknown_backup_changes_nothing(run: Run, ink_file: Path, data_dir: Path) -> None:
    run("samples", "import", ink_file)
    done = run("backups", "restore", "1999-01-01")
    assert done.code == 2
    assert "There is no backup '1999-01-01'. Backups: none yet." in done.complaint
