from __future__ import annotations

from pathlib import Path

import pytest

from cli.running import Run, write_ink
from qtdigits.core.drawing.synthetic import synthetic_digits
from tiny_training import write_tiny_mnist


def names(run: Run) -> list[str]:
    return [row["name"] for row in run("writers", "list", "--json").json["writers"]]


def test_that_a_writer_can_be_added_once(run: Run) -> None:
    assert run("writers", "add", "Ada").code == 0
    assert "Ada" in names(run)
    again = run("writers", "add", "Ada")
    assert again.code == 2
    assert "Ada" in again.complaint


def test_that_drawings_stay_with_a_renamed_writer(run: Run, ink_file: object) -> None:
    run("samples", "import", ink_file)
    assert run("writers", "rename", "ada", "Ada Lovelace").code == 0
    row = next(
        row for row in run("writers", "list", "--json").json["writers"] if row["name"] == "Ada Lovelace"
    )
    assert row["samples"] == 100
    assert 0 < row["held_out"] < 50
    assert "ada" not in names(run)


def test_that_renaming_to_a_name_that_is_taken_is_refused(run: Run, ink_file: object) -> None:
    run("samples", "import", ink_file)
    before = names(run)
    done = run("writers", "rename", "ada", "bob")
    assert done.code == 2
    assert "bob" in done.complaint
    assert names(run) == before


def test_that_an_unknown_writer_is_named(run: Run) -> None:
    done = run("writers", "rename", "nobody", "somebody")
    assert done.code == 2
    assert "nobody" in done.complaint


def test_that_the_list_for_people_has_a_line_for_each_writer(run: Run, ink_file: object) -> None:
    run("samples", "import", ink_file)
    lines = run("writers", "list").out.splitlines()
    assert any(line.split()[:2] == ["bob", "100"] for line in lines)


@pytest.mark.tensorflow
def test_that_the_matrix_says_who_is_read_by_a_model_that_learned_from_whom(
    run: Run, ink_file: Path, tiny_model: Path, tmp_path: Path
) -> None:
    mnist = write_tiny_mnist(tmp_path / "mnist.npz")
    run("samples", "import", ink_file)
    held_out = {row["name"]: row["held_out"] for row in run("writers", "list", "--json").json["writers"]}
    stored = run("writers", "matrix", "--model", tiny_model, "--mnist", mnist, "--json")
    assert stored.code == 0, stored.err
    base, ada, bob, others = stored.json["rows"]
    assert [cell["n"] for cell in base["cells"]] == [100, 100]
    assert [cell["n"] for cell in ada["cells"]] == [held_out["ada"], 100]
    assert [cell["n"] for cell in bob["cells"]] == [100, held_out["bob"]]
    assert [cell["n"] for cell in others["cells"]] == [100, 100]
    assert all(cell["correct"] == cell["base"] + cell["fixed"] - cell["broken"] for cell in ada["cells"])


@pytest.mark.tensorflow
def test_that_a_matrix_needs_two_writers(run: Run, tiny_model: Path, tmp_path: Path) -> None:
    path = write_ink(tmp_path / "ada.jsonl.gz", *synthetic_digits(10, seed=3), writers=("ada",))
    mnist = write_tiny_mnist(tmp_path / "mnist.npz")
    done = run("writers", "matrix", "--on", path, "--model", tiny_model, "--mnist", mnist)
    assert done.code == 2
    assert "two writers" in done.complaint


def test_that_a_writer_with_drawings_is_erased_only_when_that_is_said(
    run: Run, ink_file: Path, data_dir: Path, tmp_path: Path
) -> None:
    run("samples", "import", ink_file)
    done = run("writers", "delete", "ada")
    assert done.code == 2
    assert "--wipe" in done.complaint
    assert run("writers", "export", "ada", tmp_path / "ada.db").code == 0
    done = run("writers", "delete", "ada", "--wipe", "--json")
    assert done.code == 0
    assert done.json["drawings"] == 100
    assert b"ada" not in b"".join(path.read_bytes() for path in data_dir.rglob("*") if path.is_file())
    assert run("samples", "merge", tmp_path / "ada.db", "--json").json["added"] == 100


def test_that_a_writer_without_drawings_is_removed(run: Run) -> None:
    run("writers", "add", "Ada")
    assert run("writers", "delete", "Ada").code == 0
    assert run("writers", "list", "--json").json == {"writers": []}
