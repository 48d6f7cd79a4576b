from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from cli.running import Run
from qtdigits.cli.loading import open_model
from qtdigits.cli.models import IMPORTED
from qtdigits.core.model import Model
from qtdigits.paths import shipped_models_dir
from qtdigits.reader import Reader
from qtdigits.store import library, model_files, programs
from qtdigits.store.model_files import load_model, save_model


@pytest.fixture
def two_models(data_dir: Path, tiny_model: Path) -> tuple[Path, Path]:
    """The tiny model twice among the person's models, as "first" and "second"."""
    folder = data_dir / "models"
    folder.mkdir()
    copies = (folder / "first.h5", folder / "second.h5")
    for copy in copies:
        shutil.copy(tiny_model, copy)
    return copies


def champion(run: Run) -> list[str]:
    return [row["name"] for row in run("models", "list", "--json").json["models"] if row["champion"]]


@pytest.mark.usefixtures("two_models")
def test_that_the_list_holds_the_models_with_their_figures(run: Run) -> None:
    rows = {row["name"]: row for row in run("models", "list", "--json").json["models"]}
    assert {"first", "second"} <= set(rows)
    assert rows["first"]["title"] == "MLP 12"
    assert rows["first"]["classes"] == list("0123456789")
    assert 0 < rows["first"]["accuracy"]["validation"] <= 1
    assert not rows["first"]["shipped"]
    assert rows["first"]["error"] is None


def test_that_an_unreadable_model_is_listed_with_what_is_wrong(
    run: Run, two_models: tuple[Path, Path]
) -> None:
    two_models[0].write_bytes(b"no model")
    rows = {row["name"]: row for row in run("models", "list", "--json").json["models"]}
    assert str(two_models[0]) in rows["first"]["error"]
    assert rows["second"]["error"] is None
    assert any(line.startswith("!") and "first" in line for line in run("models", "list").out.splitlines())


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_that_a_model_with_an_odd_time_is_listed_as_damaged_among_the_others(
    run: Run, two_models: tuple[Path, Path], year: str
) -> None:
    odd = load_model(two_models[0])
    provenance = {**odd.provenance, "created_at": f"{year}-12-31T23:59:59+00:00"}
    save_model(replace(odd, provenance=provenance), two_models[0])
    listed = run("models", "list", "--json")
    rows = {row["name"]: row for row in listed.json["models"]}
    assert listed.code == 0
    assert f"it was not made in the year {int(year)}" in rows["first"]["error"]
    assert rows["second"]["error"] is None
    assert run("models", "list").code == 0


def test_that_show_tells_all_in_json(run: Run, tiny_model: Path) -> None:
    shown = run("models", "show", tiny_model, "--json").json
    model = load_model(tiny_model)
    assert shown["weights_sha256"] == model.weights_sha256
    assert shown["network"] == model.network.to_json()
    assert shown["recipe"]["epochs"] == 8
    assert [c["label"] for c in shown["classes"]] == list("0123456789")
    assert len(shown["history"]["epochs"]["epoch"]) == 8
    assert shown["history"]["best_epoch"] in range(1, 9)
    assert shown["n_parameters"] == model.network.n_parameters(10)
    assert "validation" in shown["scores"]
    assert shown["provenance"]["sources"][0]["name"] == "drawings.jsonl.gz"


def test_that_show_tells_the_same_to_people(run: Run, tiny_model: Path) -> None:
    done = run("models", "show", tiny_model)
    assert done.code == 0
    for text in (
        "MLP 12",
        str(tiny_model),
        load_model(tiny_model).weights_sha256,
        "recipe.epochs",
        "validation",
    ):
        assert text in done.out


@pytest.mark.usefixtures("two_models")
def test_that_a_model_is_found_by_its_name(run: Run) -> None:
    assert run("models", "show", "second", "--json").json["path"].endswith("second.h5")


@pytest.mark.usefixtures("two_models")
def test_that_an_unknown_model_comes_with_the_known_names(run: Run) -> None:
    done = run("models", "show", "third")
    assert done.code == 2
    assert "third" in done.complaint
    assert "first, second" in done.err


@pytest.mark.usefixtures("two_models")
def test_that_a_promoted_model_is_the_champion_until_it_is_rolled_back(run: Run) -> None:
    assert run("models", "promote", "first").code == 0
    assert champion(run) == ["first"]
    promoted = run("models", "promote", "second", "--json")
    assert promoted.json["champion"].endswith("second.h5")
    assert champion(run) == ["second"]
    assert run("models", "rollback").code == 0
    assert champion(run) == ["first"]


@pytest.mark.usefixtures("two_models")
def test_that_a_damaged_model_does_not_become_the_champion(run: Run, two_models: tuple[Path, Path]) -> None:
    run("models", "promote", "second")
    two_models[0].write_bytes(two_models[0].read_bytes()[:5000])
    done = run("models", "promote", "first")
    assert done.code == 2
    assert str(two_models[0]) in done.complaint
    assert champion(run) == ["second"]


def test_that_a_program_of_another_network_is_found_and_built_anew(
    run: Run, tiny_model: Path, tmp_path: Path, data_dir: Path
) -> None:
    model, other = load_model(tiny_model), load_model(shipped_models_dir() / "mlp-50-50.h5")
    reader = Reader(other)
    answers = np.stack([reader.probabilities(image) for image in model.golden.images])
    foreign = replace(model, flatbuffer=other.flatbuffer, golden=replace(model.golden, probabilities=answers))
    save_model(replace(foreign, name="foreign"), tmp_path / "foreign.h5")
    checked = run("models", "check", tmp_path / "foreign.h5")
    assert checked.code == 2
    assert "its LiteRT program is not that of its weights" in checked.complaint
    assert run("models", "promote", tmp_path / "foreign.h5").code == 0
    assert champion(run) == ["foreign"]
    assert run("models", "check", "foreign").out.endswith("foreign.h5: no problems\n")
    assert open_model("champion", folder=data_dir).weights_sha256 == model.weights_sha256


def test_that_a_strangers_program_is_run_in_a_process_of_its_own_only(
    run: Run, tiny_model: Path, tmp_path: Path, data_dir: Path
) -> None:
    model = load_model(tiny_model)
    save_model(replace(model, path=None, flatbuffer=b"\0" * 5000), tmp_path / "odd.h5")
    checked = run("models", "check", tmp_path / "odd.h5")
    assert checked.code == 2
    assert "LiteRT program does not load" in checked.complaint
    assert run("models", "promote", tmp_path / "odd.h5").code == 0
    assert open_model("champion", folder=data_dir).flatbuffer


@pytest.mark.parametrize("trouble", ["gone", "damaged"])
def test_that_the_last_good_model_is_used_where_the_champion_is_lost_and_that_this_is_said(
    run: Run, two_models: tuple[Path, Path], ink_file: Path, trouble: str
) -> None:
    first, second = two_models
    run("models", "promote", "first")
    run("models", "promote", "second")
    if trouble == "gone":
        second.unlink()
    else:
        second.write_bytes(second.read_bytes()[:5000])
    done = run("evaluate", "champion", "--on", ink_file, "--json")
    assert (done.code, done.json["path"]) == (0, str(first))
    assert str(second) in done.err
    assert "is used instead" in done.err
    assert run("evaluate", "champion", "--on", ink_file, "--json").err == ""


@pytest.mark.parametrize("command", ["list --json", "show champion --json", "check champion --json"])
def test_that_whoever_asks_first_hears_that_the_champion_was_lost(
    run: Run, two_models: tuple[Path, Path], command: str
) -> None:
    run("models", "promote", "first")
    run("models", "promote", "second")
    two_models[1].unlink()
    done = run("models", *command.split())
    assert done.code == 0
    assert done.json
    (line,) = done.err.splitlines()
    assert str(two_models[1]) in line
    assert "is used instead" in line
    assert champion(run) == ["first"]
    assert run("models", *command.split()).err == ""


def test_that_the_champion_is_read_from_its_file_once(
    run: Run, two_models: tuple[Path, Path], data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("models", "promote", "first")  # from then on its program is known
    with_weights: list[bool] = []

    def load(path: Path, *, weights: bool = True) -> Model:
        with_weights.append(weights)
        return load_model(path, weights=weights)

    for module in (library, model_files, programs):
        monkeypatch.setattr(module, "load_model", load)
    assert open_model("champion", folder=data_dir).path == two_models[0]
    assert with_weights == [True]


def test_that_there_may_be_nothing_to_roll_back_to(run: Run) -> None:
    done = run("models", "rollback")
    assert done.code == 2
    assert done.complaint


def test_that_check_verifies_every_file_and_names_the_bad_one(
    run: Run, two_models: tuple[Path, Path]
) -> None:
    assert run("models", "check", *two_models).code == 0
    _change_a_weight(two_models[0])
    done = run("models", "check", *two_models, "--json")
    assert done.code == 2
    assert [row["ok"] for row in done.json["models"]] == [False, True]
    assert str(two_models[0]) in done.complaint


def _change_a_weight(path: Path) -> None:
    changed = []

    def change(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if name.startswith("weights/") and isinstance(item, h5py.Dataset):
            item[(0,) * item.ndim] += 1
            changed.append(name)

    with h5py.File(path, "r+") as file:
        file.visititems(change)
    assert changed


@pytest.mark.usefixtures("two_models")
def test_that_replay_scores_each_model_on_the_stored_drawings(run: Run, ink_file: Path) -> None:
    run("samples", "import", ink_file)
    found = run("models", "replay", "cnn-32-64", "mlp-50-50", "--writer", "ada", "--json").json
    assert found["n"] == 100
    first, second = found["models"]
    assert first["hold_out"]["n"] == second["hold_out"]["n"]
    assert 0 < first["hold_out"]["n"] < first["not_learned"]["n"]
    assert first["hold_out"]["n"] + first["not_learned"]["n"] == 100
    shown = run("models", "replay", "mlp-50-50").out
    assert "mlp-50-50" in shown
    assert IMPORTED not in shown


@pytest.mark.usefixtures("two_models")
def test_that_replay_calls_nothing_clean_that_was_imported_from_the_file_of_the_training(
    run: Run, ink_file: Path
) -> None:
    run("samples", "import", ink_file)
    (found,) = run("models", "replay", "first", "--json").json["models"]
    assert {name: found[name]["n"] for name in ("hold_out", "not_learned", "learned", "of_files")} == {
        "hold_out": 0,
        "not_learned": 0,
        "learned": 0,
        "of_files": 200,
    }
    assert IMPORTED in run("models", "replay", "first").out


def test_that_replay_scores_the_others_and_ends_with_2_where_a_model_cannot_be_used(
    run: Run, ink_file: Path, tmp_path: Path
) -> None:
    run("samples", "import", ink_file)
    (tmp_path / "bad.h5").write_bytes(b"no model")
    done = run("models", "replay", tmp_path / "bad.h5", "mlp-50-50", "--json")
    assert done.code == 2
    assert "bad could not be scored" in done.complaint
    bad, good = done.json["models"]
    assert (bad["hold_out"]["n"], good["error"]) == (0, None)
    assert good["hold_out"]["n"] > 0


def test_that_replay_of_an_unknown_writer_names_the_writers(run: Run, ink_file: Path) -> None:
    run("samples", "import", ink_file)
    assert "ada" in run("models", "replay", "--writer", "nobody").complaint
