from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.running import Run
from qtdigits.core.recipe import Recipe
from qtdigits.core.run.events import EpochEnded
from qtdigits.core.run.figures import RunFigures, figures_of
from qtdigits.paths import shipped_models_dir
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from store.values import a_history

SHIPPED = shipped_models_dir() / "mlp-50-50.h5"
START = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture
def two_runs(data_dir: Path) -> None:
    """`aa1` has ended, `bb2` has not."""
    with SampleStore.open(data_dir) as store:
        for number, run_id in enumerate(("aa1", "bb2")):
            recipe = Recipe(name="quick", epochs=10 + number).to_json()
            store.runs.add(RunRecord(run_id, recipe, started_at=START + timedelta(hours=number)))
        figures = figures_of(a_history(), {"my hold-out": {"accuracy": 0.875, "n": 8}})
        figures = replace(figures, data={"MNIST": 54_000})
        store.runs.end("aa1", state="completed", model="m.h5", history=a_history(), figures=figures)


def states_of(run_id: str, run: Run) -> set[str]:
    """What programs are told of it, by each command that tells them."""
    shown = run("runs", "show", run_id, "--json").json
    told = [run("runs", *what, "--json").json["runs"] for what in (("list",), ("compare", run_id))]
    return {row["state"] for row in [shown, *told[0], *told[1]] if row["id"] == run_id}


@pytest.mark.usefixtures("two_runs")
class TestRuns:
    def test_that_the_latest_run_is_listed_first(self, run: Run) -> None:
        listed = run("runs", "list", "--json").json["runs"]
        assert [(row["id"], row["state"]) for row in listed] == [("bb2", "interrupted"), ("aa1", "completed")]
        assert listed[1]["scores"] == {"my hold-out": [0.875, 8]}
        lines = run("runs", "list").out.splitlines()
        assert any(line.startswith("aa1") and "87.50 %" in line and "77.00 %" in line for line in lines)

    def test_that_a_run_is_shown_with_its_epochs(self, run: Run) -> None:
        shown = run("runs", "show", "aa", "--json").json
        assert shown["history"]["epochs"]["val_accuracy"] == [0.77]
        text = run("runs", "show", "aa").out
        assert "recipe epochs" in text
        assert "1 best" in text
        assert "MNIST 54,000" in text
        assert run("runs", "show", "bb2", "--json").json["history"] is None

    def test_that_a_run_that_nobody_is_at_was_interrupted_and_says_how_it_goes_on(
        self, run: Run, data_dir: Path
    ) -> None:
        folder = RunFolder(data_dir, "bb2")
        assert "to resume it" not in run("runs", "show", "bb2").out
        folder.write_request({})
        assert "qtdigits train --resume bb2" in run("runs", "show", "bb2").out
        assert "interrupted" in run("runs", "list").out
        assert states_of("bb2", run) == {"interrupted"}
        assert "interrupted" in run("runs", "compare", "aa1", "bb2").out
        assert folder.lock.acquire()
        assert "interrupted" not in run("runs", "list").out
        assert states_of("bb2", run) == {"running"}
        assert "to resume it" not in run("runs", "show", "bb2").out
        folder.lock.release()

    def test_that_runs_and_their_curves_come_as_csv(self, run: Run) -> None:
        listed = list(csv.DictReader(run("runs", "list", "--csv").out.splitlines()))
        assert [(row["id"], row["state"]) for row in listed] == [("bb2", "interrupted"), ("aa1", "completed")]
        assert (listed[1]["accuracy my hold-out"], listed[0]["accuracy my hold-out"]) == ("0.875", "")
        points = list(csv.DictReader(run("runs", "show", "aa", "--csv").out.splitlines()))
        assert [(row["kind"], row["step"]) for row in points] == [
            ("batch", "10"), ("batch", "20"), ("epoch", "20")
        ]  # fmt: skip
        assert points[2]["val_accuracy"] == "0.77"
        assert len(run("runs", "show", "bb2", "--csv").out.splitlines()) == 1
        compared = list(csv.DictReader(run("runs", "compare", "aa1", "bb2", "--csv").out.splitlines()))
        recipes = [
            {name: value for name, value in row.items() if name.startswith("recipe ")} for row in compared
        ]
        assert recipes == [{"recipe epochs": "10"}, {"recipe epochs": "11"}]

    def test_that_csv_and_json_exclude_each_other(self, run: Run) -> None:
        assert run("runs", "list", "--csv", "--json").code == 2

    def test_that_a_comparison_tells_what_differs(self, run: Run) -> None:
        compared = run("runs", "compare", "aa1", "bb2", "--json").json
        assert compared["differing"] == {"epochs": [10, 11]}
        done = run("runs", "compare", "aa1", "bb2")
        rows = {line.rpartition("  ")[0].split("  ")[0]: line for line in done.out.splitlines()}
        assert rows["recipe epochs"].split()[-2:] == ["10", "11"]
        assert "are the same" in run("runs", "compare", "aa1", "aa1").err

    def test_that_figures_are_those_of_the_best_the_last_or_a_chosen_epoch(
        self, run: Run, data_dir: Path
    ) -> None:
        history = a_history()
        ended = EpochEnded("aa1", 2, 40, 1.0, 0.5, 0.9, 0.66, is_best=False, elapsed_s=2.0, remaining_s=4.0)
        history.apply(ended)
        with SampleStore.open(data_dir) as store:
            store.runs.end("aa1", state="completed", history=history)
        for choice, expected in (
            ((), 0.77),
            (("--at", "last"), 0.66),
            (("--at", "1"), 0.77),
            (("--at", "9"), None),
        ):
            listed = run("runs", "list", *choice, "--json").json["runs"]
            assert listed[1]["val_accuracy"] == expected
        assert "66.00 %" in run("runs", "compare", "aa1", "bb2", "--at", "last").out
        assert run("runs", "list", "--at", "0").code == 2

    def test_that_a_comparison_shows_data_and_environment_only_where_they_differ(
        self, run: Run, data_dir: Path, tiny_model: Path
    ) -> None:
        figures = RunFigures(epochs=1, best_epoch=1, data={"MNIST": 54_000})
        with SampleStore.open(data_dir) as store:
            store.runs.end("aa1", state="completed", model=str(tiny_model), figures=figures)
            store.runs.end("bb2", state="completed", model=str(SHIPPED), figures=figures)
        compared = run("runs", "compare", "aa1", "bb2", "--json").json
        assert compared["data"] == {}
        assert set(compared["environment"]) <= {
            "program",
            "machine",
            "python",
            "keras",
            "tensorflow",
            "numpy",
        }
        shown = run("runs", "compare", "aa1", "bb2").out
        assert "Trained on" not in shown
        assert "Ended" not in shown
        with SampleStore.open(data_dir) as store:
            store.runs.end("bb2", state="completed", figures=replace(figures, data={"MNIST": 6_000}))
        shown = run("runs", "compare", "aa1", "bb2")
        assert "Trained on" in shown.out
        assert "MNIST 6,000" in shown.out

    def test_that_a_run_can_be_named_and_noted(self, run: Run) -> None:
        assert run("runs", "rename", "aa1", "first try").code == 0
        assert run("runs", "note", "first try", "too slow").code == 0
        shown = run("runs", "show", "first try", "--json").json
        assert (shown["id"], shown["note"]) == ("aa1", "too slow")

    def test_that_the_trash_is_emptied_only_when_that_is_meant(self, run: Run, data_dir: Path) -> None:
        assert "no run" in run("runs", "empty-trash").err
        RunFolder(data_dir, "aa1").write_request({})
        run("runs", "delete", "aa1")
        asked = run("runs", "empty-trash")
        assert (asked.code, "Delete 1 run for good, with" in asked.err) == (2, True)
        assert run("runs", "list", "--deleted", "--json").json["runs"]
        assert "1 run" in run("runs", "empty-trash", "--yes").err
        assert run("runs", "list", "--deleted", "--json").json["runs"] == []
        assert not (data_dir / "runs" / "aa1").exists()

    def test_that_the_fingerprint_of_the_data_is_shown(self, run: Run, data_dir: Path) -> None:
        with SampleStore.open(data_dir) as store:
            figures = RunFigures(data_sha256="ab" * 32, digests={"MNIST": "cd" * 32})
            store.runs.end("bb2", state="cancelled", figures=figures)
        lines = run("runs", "show", "bb2").out.splitlines()
        assert any(line.split() == ["data", "fingerprint", "SHA-256", "ab" * 32] for line in lines)
        assert any(line.split() == ["data", "of", "MNIST", "SHA-256", "cd" * 32] for line in lines)
        assert run("runs", "show", "bb2", "--json").json["data_sha256"] == "ab" * 32

    def test_that_a_deleted_run_can_be_put_back(self, run: Run) -> None:
        assert run("runs", "delete", "aa1", "aa").code == 0
        assert [row["id"] for row in run("runs", "list", "--json").json["runs"]] == ["bb2"]
        trash = run("runs", "list", "--deleted", "--json").json["runs"]
        assert [row["id"] for row in trash] == ["aa1"]
        for command in (("runs", "show", "aa"), ("train", "--resume", "aa1")):
            refused = run(*command)
            assert (refused.code, "aa1 is in the trash" in refused.complaint) == (2, True)
            assert "qtdigits runs restore aa1" in refused.complaint
        assert run("runs", "restore", "aa1").code == 0
        assert "aa1 is not in the trash" in run("runs", "restore", "aa1").complaint
        assert len(run("runs", "list", "--json").json["runs"]) == 2

    def test_that_a_run_that_goes_on_is_not_deleted(self, run: Run, data_dir: Path) -> None:
        folder = RunFolder(data_dir, "bb2")
        folder.write_request({})
        assert folder.lock.acquire()
        refused = run("runs", "delete", "aa1", "bb2")
        assert (refused.code, "bb2 is running" in refused.complaint) == (2, True)
        assert len(run("runs", "list", "--json").json["runs"]) == 2
        folder.lock.release()
        assert run("runs", "delete", "aa1", "bb2").code == 0

    def test_that_an_unknown_run_is_named(self, run: Run) -> None:
        done = run("runs", "show", "zz")
        assert done.code == 2
        assert "There is no run 'zz'" in done.complaint


def test_that_no_runs_are_an_empty_list(run: Run) -> None:
    assert run("runs", "list", "--json").json == {"runs": []}
