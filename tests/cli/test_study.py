"""`qtdigits study` on one machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.running import Run, write_ink
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training import train
from qtdigits.training.study_storage import open_study
from tests.training.study_workers import train_at_once

RECIPE = 'dense = "16"\nepochs = 2\nbatch_size = 50\nmnist_images = 0\nsynthetic_images = 200\n'


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings that take no time."""
    monkeypatch.setattr(train, "train_job", train_at_once)


@pytest.mark.tensorflow
def test_that_a_study_ranks_trials_on_unseen_writers(run: Run, recipe: Path, tmp_path: Path) -> None:
    users = write_ink(tmp_path / "users.jsonl", *synthetic_digits(60, seed=9), writers=("ada", "bob"))
    arguments = ("--recipe", recipe, "--search", "neurons=8|32", "--search", "memory_alpha=0|65")
    done = run("study", "run", "hands", *arguments, "--sampler", "grid", "--objective", users, "--json")
    assert done.code == 0, done.err
    assert done.json["states"] == {"complete": 4, "pruned": 0, "failed": 0, "running": 0, "waiting": 0}
    trials = done.json["trials"]
    assert all(one["n"] == 60 for one in trials)
    by_run = {
        run_id: [one for one in trials if one["run"] == run_id] for run_id in {one["run"] for one in trials}
    }
    assert [len({one["params"]["neurons"] for one in same}) for same in by_run.values()] == [1, 1]
    runs = run("runs", "list", "--json").json["runs"]
    assert {one["id"] for one in runs} == set(by_run)


@pytest.mark.usefixtures("quick")
def test_that_a_study_is_run_shown_resumed_and_deleted(run: Run, recipe: Path) -> None:
    create = ("study", "run", "widths", "--recipe", recipe, "--search", "neurons=16|64", "--sampler", "grid")
    done = run(*create, "--json")
    assert (done.code, done.json["n_trials"], done.json["states"]["complete"]) == (0, 2, 2)
    assert run("study", "show", "widths", "--json").json == done.json
    assert run("study", "resume", "widths", "--json").json == done.json
    assert run(*create, "--json").json == done.json
    best = run("study", "best", "widths", "--json").json
    assert {"number", "value", "interval", "params", "run"} <= best.keys()
    assert best["params"] == {"neurons": 64}
    (listed,) = run("study", "list", "--json").json["studies"]
    assert (listed["name"], listed["best"]["number"]) == ("widths", best["number"])
    assert "64.00" in run("study", "show", "widths").out
    table = run("study", "show", "widths", "--markdown").out.splitlines()
    assert table[1].startswith("| --- |")
    assert len(table) == 4
    assert "models promote" in run("study", "best", "widths").out
    assert run("study", "delete", "widths").code == 0
    assert run("study", "list", "--json").json == {"studies": []}


@pytest.mark.usefixtures("quick")
def test_that_a_study_keeps_its_settings_and_grows(run: Run, recipe: Path) -> None:
    create = (
        "study",
        "run",
        "widths",
        "--recipe",
        recipe,
        "--search",
        "neurons=16..64",
        "--sampler",
        "random",
    )
    assert run(*create, "--trials", "2", "--json").json["n_trials"] == 2
    assert run("study", "run", "widths", "--trials", "3", "--json").json["states"]["complete"] == 3
    refused = run("study", "run", "widths", "--search", "neurons=16..128")
    assert refused.code == 2
    assert "another --search" in refused.complaint


@pytest.mark.tensorflow
@pytest.mark.skipif(os.name == "nt", reason="there a process is terminated without being asked")
@pytest.mark.parametrize(("workers", "by"), [(1, signal.SIGINT), (2, signal.SIGTERM)])
def test_that_an_interrupted_study_ends_with_its_workers_and_can_be_resumed(
    data_dir: Path, tmp_path: Path, workers: int, by: signal.Signals
) -> None:
    recipe = tmp_path / "long.toml"
    recipe.write_text(RECIPE.replace("epochs = 2\nbatch_size = 50", "epochs = 1000\nbatch_size = 5"))
    command = [sys.executable, "-m", "qtdigits", "study", "run", "long", "--workers", str(workers)]
    command += ["--data-dir", str(data_dir), "--recipe", str(recipe), "--search", "neurons=8|16|32"]
    process = subprocess.Popen([*command, "--sampler", "grid"], stderr=subprocess.PIPE, text=True)
    with SampleStore.open(data_dir) as store:
        while process.poll() is None and len(store.runs.records()) < workers:
            pass
    process.send_signal(by)
    _, said = process.communicate()
    assert process.returncode == 130, said
    assert "qtdigits study resume long" in said
    stored = open_study("long", data_dir=data_dir)
    assert stored.summary()["states"]["waiting"] == 3
    with SampleStore.open(data_dir) as store:
        assert {run.state for run in store.runs.records()} <= {"interrupted", "cancelled"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "x", "--search", "neuron=1|2"), "neuron"),
        (("run", "x", "--search", "epochs=0..5"), "epochs"),
        (("run", "x", "--objective", "nowhere.jsonl"), "nowhere.jsonl"),
        (("run", "x", "--objective", "hold-out"), "held out"),
        (
            (
                "run",
                "../x",
            ),
            "name of a study",
        ),
        (("run", "x", "--storage", "sqlite:///x"), "SQLite"),
        (("run", "x", "--trials", "0"), "trials"),
        (("run", "x", "--recipe", "nothing"), "nothing"),
        (("show", "x"), "There is no study"),
        (("best", "x"), "There is no study"),
        (("resume", "x"), "There is no study"),
        (("delete", "x"), "There is no study"),
    ],
)
def test_that_unusable_input_is_named_with_a_remedy(run: Run, arguments: tuple[str, ...], words: str) -> None:
    done = run("study", *arguments)
    assert done.code == 2, done.err
    assert words in done.err.splitlines()[-1]
    assert done.out == ""


@pytest.mark.parametrize("name", ["corrections", "dropout", "epochs", "losses", "neurons", "optimizers"])
def test_that_the_tables_of_the_report_are_ready_made(run: Run, name: str, tmp_path: Path) -> None:
    done = run("study", "run", f"report/{name}", "--storage", "sqlite:///x")
    assert "SQLite" in done.complaint
    missing = run("study", "run", f"report/{name}")
    assert missing.code == 2
    assert "QTDIGITS_INK" in missing.complaint
