from __future__ import annotations

import csv
import gzip
import json
import os
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.running import Run
from qtdigits.core.drawing.samples import Origin
from qtdigits.store.data.ink_files import read_ink_jsonl
from qtdigits.store.tables.samples import SampleStore


@pytest.fixture
def csv_pair(tmp_path: Path) -> tuple[Path, Path]:
    """Three pictures as the 2022 report stored them."""
    rows = np.zeros((3, 28, 28), np.uint8)
    for i, row in enumerate(rows):
        row[6:22, 10 + i : 13 + i] = 255
    images, labels = tmp_path / "images.csv", tmp_path / "labels.csv"
    np.savetxt(images, rows.reshape(3, 784), fmt="%d", delimiter=",")
    labels.write_text("1\n7.0\n1\n")
    return images, labels


def stored(run: Run) -> int:
    return int(run("samples", "list", "--json").json["n"])


def test_that_imported_ink_keeps_its_writers_and_its_strokes(
    run: Run, ink_file: Path, data_dir: Path
) -> None:
    done = run("samples", "import", ink_file, "--json")
    assert done.code == 0
    assert done.json == {
        "files": [{"file": str(ink_file), "added": 200, "skipped": 0}],
        "added": 200,
        "skipped": 0,
    }
    original = list(read_ink_jsonl(ink_file))
    with SampleStore.open(data_dir) as store:
        assert store.count(writer="ada") == store.count(writer="bob") == 100
        assert [sample.ink for sample in store.samples()] == [drawing.ink for drawing in original]


def test_that_a_store_that_cannot_be_written_can_be_looked_at_and_exported(
    run: Run, ink_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("samples", "import", ink_file)
    monkeypatch.setattr(
        os, "access", lambda path, mode: False
    )  # tests may run as root, whom nothing is denied
    assert stored(run) == 200
    copy = tmp_path / "copy.jsonl"
    readings = (("samples", "check"), ("samples", "export", copy), ("writers", "list"), ("runs", "list"))
    assert [run(*command).code for command in readings] == [0, 0, 0, 0]
    assert len(list(read_ink_jsonl(copy))) == 200
    refused = run("samples", "delete", 1)
    assert (refused.code, "is read-only" in refused.complaint) == (2, True)


def test_that_a_second_import_adds_nothing(run: Run, ink_file: Path) -> None:
    run("samples", "import", ink_file)
    done = run("samples", "import", ink_file)
    assert done.code == 0
    assert "0 added, 200 already stored" in done.out
    assert stored(run) == 200


def test_that_the_csv_pair_comes_with_the_labels_beside_it(
    run: Run, csv_pair: tuple[Path, Path], data_dir: Path
) -> None:
    assert run("samples", "import", csv_pair[0], "--writer", "Ada").code == 0
    with SampleStore.open(data_dir) as store:
        samples = list(store.samples())
    assert [sample.label for sample in samples] == ["1", "7", "1"]
    assert {(sample.writer, sample.origin) for sample in samples} == {("Ada", Origin.CSV_PAIR)}


def test_that_the_labels_may_lie_elsewhere(run: Run, csv_pair: tuple[Path, Path], tmp_path: Path) -> None:
    images, labels = csv_pair
    elsewhere = labels.rename(tmp_path / "truth.txt")
    missing = run("samples", "import", images)
    assert missing.code == 2
    assert "--labels" in missing.complaint
    assert run("samples", "import", images, "--labels", elsewhere).code == 0
    assert stored(run) == 3


def test_that_a_folder_of_pictures_is_imported_by_its_names(run: Run, tmp_path: Path, data_dir: Path) -> None:
    folder = tmp_path / "scans" / "7"
    folder.mkdir(parents=True)
    pixels = np.full((60, 50), 250, np.uint8)
    pixels[10:50, 20:26] = 10
    Image.fromarray(pixels).save(folder / "a.png")
    assert run("samples", "import", folder.parent).code == 0
    with SampleStore.open(data_dir) as store:
        assert [(s.label, s.origin) for s in store.samples()] == [("7", Origin.IMAGE)]


BAD_ROWS = {
    "too few values": (2, ",".join(["0"] * 783)),
    "a value above 255": (2, ",".join(["0"] * 783 + ["256"])),
    "a negative value": (3, ",".join(["-1"] + ["0"] * 783)),
    "text": (1, ",".join(["0"] * 783 + ["ink"])),
}


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_that_a_bad_csv_row_is_named_and_nothing_is_imported(
    run: Run, csv_pair: tuple[Path, Path], kind: str
) -> None:
    images, _ = csv_pair
    number, row = BAD_ROWS[kind]
    lines = images.read_text().splitlines()
    lines[number - 1] = row
    images.write_text("\n".join(lines))
    done = run("samples", "import", images)
    assert done.code == 2
    assert f"{images}, line {number}" in done.complaint
    assert stored(run) == 0


@pytest.mark.parametrize("labels", ["1\n7\n", "1\n7\n1\n2\n"], ids=["too few", "too many"])
def test_that_labels_that_do_not_match_in_number_are_refused(
    run: Run, csv_pair: tuple[Path, Path], labels: str
) -> None:
    csv_pair[1].write_text(labels)
    done = run("samples", "import", csv_pair[0])
    assert done.code == 2
    assert "labels.csv" in done.complaint
    assert stored(run) == 0


def test_that_a_bad_line_of_ink_is_named_and_nothing_of_the_file_is_imported(
    run: Run, ink_file: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.jsonl"
    good = gzip.decompress(ink_file.read_bytes()).splitlines()[:5]
    damaged.write_bytes(b"\n".join([*good, b'{"label": "7"}']))
    done = run("samples", "import", damaged)
    assert done.code == 2
    assert f"{damaged}, line 6" in done.complaint
    assert stored(run) == 0


def test_that_a_bad_file_does_not_keep_the_others_out(run: Run, ink_file: Path, tmp_path: Path) -> None:
    done = run("samples", "import", tmp_path / "missing.jsonl", ink_file, "--json")
    assert done.code == 2
    assert str(tmp_path / "missing.jsonl") in done.complaint
    assert done.json["added"] == 200


def test_that_labels_for_several_files_are_refused(run: Run, csv_pair: tuple[Path, Path]) -> None:
    images, labels = csv_pair
    done = run("samples", "import", images, images, "--labels", labels)
    assert done.code == 2
    assert "--labels" in done.complaint
    assert stored(run) == 0


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_that_exported_ink_is_what_was_imported(run: Run, ink_file: Path, tmp_path: Path, name: str) -> None:
    run("samples", "import", ink_file)
    assert run("samples", "export", tmp_path / name).code == 0
    original, exported = list(read_ink_jsonl(ink_file)), list(read_ink_jsonl(tmp_path / name))
    assert [(d.label, d.writer, d.ink) for d in exported] == [(d.label, d.writer, d.ink) for d in original]


def test_that_one_writer_can_be_exported(run: Run, ink_file: Path, tmp_path: Path) -> None:
    run("samples", "import", ink_file)
    done = run("samples", "export", tmp_path / "ada.jsonl", "--writer", "ada")
    assert done.code == 0
    assert {drawing.writer for drawing in read_ink_jsonl(tmp_path / "ada.jsonl")} == {"ada"}
    assert "left out" not in done.err


def test_that_an_exported_csv_pair_can_be_imported_again(run: Run, ink_file: Path, tmp_path: Path) -> None:
    run("samples", "import", ink_file)
    images, labels = tmp_path / "images.csv", tmp_path / "labels.csv"
    assert run("samples", "export", "--csv", images, labels).code == 0
    folder = tmp_path / "second"
    assert run("samples", "import", images, "--data-dir", folder).code == 0
    with SampleStore.open(tmp_path / "data") as first, SampleStore.open(folder) as second:
        assert first.dataset().labels == second.dataset().labels
        np.testing.assert_array_equal(first.dataset().images, second.dataset().images)


def test_that_pictures_without_ink_are_not_left_out_silently(
    run: Run, csv_pair: tuple[Path, Path], tmp_path: Path
) -> None:
    run("samples", "import", csv_pair[0])
    done = run("samples", "export", tmp_path / "out.jsonl")
    assert done.code == 0
    assert "3 imported pictures have no ink" in done.err


@pytest.mark.parametrize("arguments", [[], ["a.jsonl", "--csv", "i.csv", "l.csv"], ["images.csv"]], ids=len)
def test_that_an_export_needs_exactly_one_destination(run: Run, arguments: list[str]) -> None:
    done = run("samples", "export", *arguments)
    assert done.code == 2
    assert done.complaint


def test_that_an_export_to_nowhere_is_one_clear_line(run: Run, ink_file: Path, tmp_path: Path) -> None:
    run("samples", "import", ink_file)
    target = tmp_path / "no such folder" / "out.jsonl"
    done = run("samples", "export", target)
    assert done.code == 2
    assert str(target) in done.complaint


def test_that_the_list_counts_and_filters(run: Run, ink_file: Path) -> None:
    run("samples", "import", ink_file)
    done = run("samples", "list", "--writer", "ada", "--label", "7", "--limit", "2", "--json").json
    assert done["by_writer"] == {"ada": {"7": done["n"]}}
    assert [sample["writer"] for sample in done["samples"]] == ["ada", "ada"]
    assert set(done["samples"][0]) == {
        *("id", "label", "writer", "origin", "strokes", "held_out", "drawn_at"),
        *("weight", "suspicion", "reviewed"),
    }
    everything = run("samples", "list", "--limit", "0", "--json").json
    assert len(everything["samples"]) == everything["n"] == 200


def test_that_the_list_for_people_has_a_line_for_each_drawing(run: Run, ink_file: Path) -> None:
    run("samples", "import", ink_file)
    done = run("samples", "list", "--limit", "3")
    assert "200 drawings, the newest 3" in done.out
    assert [line.split()[0] for line in done.out.splitlines()[-3:]] == ["200", "199", "198"]


@pytest.mark.parametrize(
    "arguments",
    [["--limit", "-1"], ["--origin", "moon"], ["--writer", "nobody"], ["--label", "77"]],
    ids=" ".join,
)
def test_that_a_filter_that_cannot_be_is_refused(run: Run, arguments: list[str]) -> None:
    done = run("samples", "list", *arguments)
    assert done.code == 2
    assert arguments[-1] in done.complaint


def test_that_an_export_of_an_unknown_writer_writes_nothing(run: Run, ink_file: Path, tmp_path: Path) -> None:
    run("samples", "import", ink_file)
    done = run("samples", "export", tmp_path / "out.jsonl", "--writer", "Ada")
    assert done.code == 2
    assert "Writers: ada, bob." in done.complaint
    assert not (tmp_path / "out.jsonl").exists()


def test_that_check_finds_a_damaged_drawing_and_goes_on(run: Run, ink_file: Path, data_dir: Path) -> None:
    run("samples", "import", ink_file)
    assert run("samples", "check", "--json").json == {"n": 200, "problems": [], "set_aside": 0}
    with sqlite3.connect(data_dir / "samples.db") as connection:
        connection.execute("UPDATE samples SET ink = x'0102' WHERE id IN (5, 9)")
    connection.close()
    done = run("samples", "check", "--json")
    assert done.code == 1
    assert [problem.partition(":")[0] for problem in done.json["problems"]] == ["drawing 5", "drawing 9"]


def test_that_json_survives_any_locale(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "pi.jsonl"
    file.write_text(json.dumps({"label": "π", "writer": "Zoë", "strokes": [[[0, 0], [9, 9]]]}), "utf-8")
    run("samples", "import", file)
    done = run("samples", "list", "--json")
    assert done.out.isascii()
    assert done.json["by_writer"] == {"Zoë": {"π": 1}}


def test_that_a_pair_in_one_file_is_refused(run: Run, ink_file: Path, tmp_path: Path) -> None:
    run("samples", "import", ink_file)
    done = run("samples", "export", "--csv", tmp_path / "a.csv", tmp_path / "a.csv")
    assert done.code == 2
    assert "a.csv cannot hold two things" in done.complaint
    assert not list(tmp_path.glob("*.csv"))


def test_that_csv_lists_all_chosen_drawings_the_newest_first(run: Run, ink_file: Path) -> None:
    run("samples", "import", ink_file)
    chosen = ("--writer", "ada", "--label", "7")
    told = run("samples", "list", *chosen, "--limit", "0", "--json").json
    rows = list(csv.DictReader(run("samples", "list", *chosen, "--csv").out.splitlines()))
    assert [int(row["id"]) for row in rows] == [sample["id"] for sample in told["samples"]]
    assert {(row["writer"], row["label"], row["deleted"]) for row in rows} == {("ada", "7", "False")}
    assert len(run("samples", "list", "--csv").out.splitlines()) == 201
    assert len(run("samples", "list", "--csv", "--limit", "3").out.splitlines()) == 4


def test_that_a_limit_beyond_all_numbers_shows_all(run: Run, ink_file: Path) -> None:
    run("samples", "import", ink_file)
    assert len(run("samples", "list", "--limit", "9" * 30, "--json").json["samples"]) == 200


def test_that_a_drawing_whose_writer_has_no_usable_name_is_named(
    run: Run, data_dir: Path, tmp_path: Path
) -> None:
    file = tmp_path / "bad.jsonl"
    good, bad = (
        json.dumps({"label": "7", "writer": name, "strokes": [[[1, 2], [3, 4]]]}) for name in ("ada", "b\no")
    )
    file.write_text(f"{good}\n{bad}\n")
    done = run("samples", "import", file)
    assert done.code == 2
    assert f"{file}, drawing 2: 'b\\no' is not a writer's name" in done.complaint
    assert run("samples", "list", "--json").json["n"] == 0


def test_that_repair_sets_damaged_drawings_aside_and_lists_go_on(
    run: Run, ink_file: Path, data_dir: Path
) -> None:
    run("samples", "import", ink_file)
    with sqlite3.connect(data_dir / "samples.db") as connection:
        connection.execute("UPDATE samples SET ink = x'0102' WHERE id IN (5, 9)")
    connection.close()
    done = run("samples", "list", "--limit", "0", "--json")
    assert (done.code, len(done.json["samples"])) == (0, 198)
    assert "Drawing 9 is damaged" in done.err
    done = run("samples", "check", "--repair", "--json")
    assert done.code == 0
    assert done.json["set_aside"] == len(done.json["repaired"]) == 2
    assert done.json["n"] == 198
    assert run("samples", "check", "--json").json == {"n": 198, "problems": [], "set_aside": 2}


def test_that_repair_reads_what_it_can_of_a_damaged_file(run: Run, ink_file: Path, data_dir: Path) -> None:
    run("samples", "import", ink_file)
    path = data_dir / "samples.db"
    with path.open("rb+") as stream:
        stream.seek(path.stat().st_size // 2 // 4096 * 4096)
        stream.write(b"\xa5" * 4096)
    assert run("samples", "check").code != 0
    done = run("samples", "check", "--repair", "--json")
    assert done.code == 0
    assert 150 < done.json["n"] <= 200
    assert Path(done.json["salvaged"]["kept"]).is_file()


def test_that_files_of_others_are_checked_before_they_come_in(
    run: Run, ink_file: Path, data_dir: Path, tmp_path: Path
) -> None:
    run("samples", "import", ink_file)
    other = Path(shutil.copy(data_dir / "samples.db", tmp_path / "other.db"))
    for path in (ink_file, other):
        assert "200 drawings, no problems" in run("samples", "check", path).err
    other.write_bytes(other.read_bytes()[:3000])
    assert run("samples", "check", other).code == 2
    assert "is not repaired" in run("samples", "check", ink_file, "--repair").complaint
