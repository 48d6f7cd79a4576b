from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.running import Run, write_ink
from qtdigits.core.drawing.synthetic import synthetic_digits


def classes(run: Run) -> dict[str, dict[str, Any]]:
    return {row["label"]: row for row in run("classes", "list", "--json").json["classes"]}


@pytest.fixture
def imported(run: Run, ink_file: Path) -> Run:
    assert run("samples", "import", ink_file).code == 0
    return run


def test_that_the_list_says_what_the_champion_was_trained_on(imported: Run) -> None:
    assert imported("classes", "add", "♥").code == 0
    rows = classes(imported)
    assert rows["7"] == {
        "id": "7",
        "label": "7",
        "state": "active",
        "into": None,
        "samples": 20,
        "trained": True,
        "held_out": rows["7"]["held_out"],
        "sets": [],
    }
    assert (rows["♥"]["samples"], rows["♥"]["trained"]) == (0, False)
    lines = imported("classes", "list").out.splitlines()
    assert any(line.split()[:3] == ["7", "active", "20"] for line in lines)


def test_that_a_class_can_be_added_once(run: Run) -> None:
    assert run("classes", "add", "♥", "--json").json == {"classes": [{"id": "♥", "label": "♥"}]}
    again = run("classes", "add", "♥")
    assert again.code == 2
    assert "♥" in again.complaint


def test_that_a_renamed_class_keeps_its_id_and_its_drawings(imported: Run) -> None:
    assert imported("classes", "rename", "7", "seven", "--json").json == {"id": "7", "samples": 20}
    rows = classes(imported)
    assert (rows["seven"]["id"], rows["seven"]["samples"], rows["seven"]["trained"]) == ("7", 20, True)
    assert "7" not in rows
    refused = imported("classes", "rename", "seven", "1")
    assert refused.code == 2
    assert "merge" in refused.complaint


def test_that_a_merged_class_comes_back_with_its_drawings(imported: Run) -> None:
    assert imported("classes", "merge", "7", "1").code == 0
    rows = classes(imported)
    assert (rows["7"]["state"], rows["7"]["into"], rows["1"]["samples"]) == ("merged", "1", 40)
    assert imported("classes", "restore", "7", "--json").json == {"id": "7", "samples": 20}
    assert (classes(imported)["7"]["samples"], classes(imported)["1"]["samples"]) == (20, 20)


def test_that_a_retired_class_keeps_its_drawings_and_they_count_nowhere(imported: Run) -> None:
    assert imported("classes", "retire", "7").code == 0
    assert (classes(imported)["7"]["state"], classes(imported)["7"]["samples"]) == ("retired", 20)
    assert imported("samples", "list", "--json").json["n"] == 180
    assert imported("classes", "restore", "7").code == 0
    assert imported("samples", "list", "--json").json["n"] == 200


def test_that_a_deleted_class_comes_back_with_its_drawings(imported: Run) -> None:
    assert imported("classes", "delete", "7").code == 0
    assert (classes(imported)["7"]["state"], classes(imported)["7"]["samples"]) == ("deleted", 0)
    assert imported("classes", "restore", "7").code == 0
    assert (classes(imported)["7"]["state"], classes(imported)["7"]["samples"]) == ("active", 20)


@pytest.mark.parametrize(
    "command",
    [("rename", "♠", "x"), ("merge", "7", "♠"), ("merge", "7", "7"), ("retire", "♠"), ("restore", "7")],
)
def test_that_what_cannot_be_done_is_refused_and_changes_nothing(
    imported: Run, command: tuple[str, ...]
) -> None:
    before = classes(imported)
    done = imported("classes", *command)
    assert done.code == 2
    assert done.complaint
    assert classes(imported) == before


def test_that_exported_drawings_have_the_present_labels(imported: Run, tmp_path: Path) -> None:
    imported("classes", "rename", "7", "seven")
    imported("classes", "merge", "1", "seven")
    file = tmp_path / "out.jsonl"
    assert imported("samples", "export", file).code == 0
    text = file.read_text("utf-8")
    assert text.count('"label":"seven"') == 40
    assert '"label":"7"' not in text


def test_that_an_export_says_what_it_leaves_out_of_retired_classes_and_writes_it_when_asked(
    imported: Run, tmp_path: Path
) -> None:
    imported("classes", "retire", "7")
    done = imported("samples", "export", tmp_path / "out.jsonl")
    assert (done.code, "20 drawings of retired classes were left out" in done.err) == (0, True)
    assert imported("samples", "export", "--csv", tmp_path / "i.csv", tmp_path / "l.csv").err.count("retired")
    done = imported("samples", "export", tmp_path / "sevens.jsonl", "--retired", "--label", "7")
    assert (done.code, "left out" in done.err) == (0, False)
    assert (tmp_path / "sevens.jsonl").read_text("utf-8").count('"label":"7"') == 20
    assert imported("samples", "list", "--retired", "--json").json["n"] == 20


def test_that_drawings_and_labels_travel_to_another_data_folder(run: Run, tmp_path: Path) -> None:
    inks, _ = synthetic_digits(6, seed=5)
    hearts = write_ink(tmp_path / "hearts.jsonl", inks, np.array(["♥"] * 6), writers=("ada",))
    run("samples", "import", hearts)
    run("classes", "rename", "♥", "heart")
    run("samples", "export", tmp_path / "out.jsonl")
    there = ("--data-dir", tmp_path / "there")
    assert run("samples", "import", tmp_path / "out.jsonl", *there).code == 0
    rows = run("classes", "list", "--json", *there).json["classes"]
    assert [row["samples"] for row in rows if row["label"] == "heart"] == [6]


def test_that_sets_are_made_used_and_deleted(imported: Run) -> None:
    assert imported("classes", "sets", "--json").json == {"sets": [], "in_use": None}
    assert imported("classes", "sets", "odd", "1", "3", "5-9").code == 0
    assert imported("classes", "sets", "my runes", "ᚠ", "--use").code == 0
    expected = [{"name": "odd", "classes": list("1356789")}, {"name": "my runes", "classes": ["ᚠ"]}]
    assert imported("classes", "sets", "--json").json == {"sets": expected, "in_use": "my runes"}
    assert classes(imported)["9"]["sets"] == ["odd"]
    assert imported("classes", "sets", "my runes", "--delete").code == 0
    assert imported("classes", "sets", "--json").json == {"sets": expected[:1], "in_use": None}
    unknown = imported("classes", "sets", "even", "--use")
    assert unknown.code == 2
    assert "odd" in unknown.complaint


def test_that_replay_counts_the_drawings_of_the_set_in_use(imported: Run) -> None:
    imported("classes", "sets", "small", "1", "7", "--use")
    replayed = imported("models", "replay", "mlp-50-50", "--json").json
    assert replayed["n"] == 40
    assert imported("classes", "sets", "--use-all").code == 0
    assert imported("models", "replay", "mlp-50-50", "--json").json["n"] == 200
