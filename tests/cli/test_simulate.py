"""Simulated users on the command line: what is counted, for a program and for a person."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.running import Run, python
from tiny_training import write_tiny_mnist


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    return write_tiny_mnist(tmp_path / "mnist.npz")


@pytest.mark.tensorflow
def test_that_the_counts_of_each_step_are_the_sums_over_the_writers(
    run: Run, ink_file: Path, tiny_model: Path, mnist: Path
) -> None:
    done = run("simulate", ink_file, "--model", tiny_model, "--mnist", mnist, "--after", 20, 50, "--json")
    assert done.code == 0, done.err
    found = done.json
    assert (found["model"], found["writers"], found["is_whole"]) == ("tiny", 2, True)
    assert [(step["after"], step["n"]) for step in found["steps"]] == [(0, 200), (20, 160), (50, 100)]
    assert [row["writer"] for row in found["per_writer"]] == ["ada", "bob"]
    for number, step in enumerate(found["steps"]):
        assert step["errors_with"] == step["errors_without"] - step["fixed"] + step["broken"]
        of_each = [row["steps"][number]["errors_with"] for row in found["per_writer"]]
        assert step["errors_with"] == sum(of_each)
    assert 0 <= found["mnist_after"] <= 1
    assert found["steps"][0]["fixed"] == found["steps"][0]["broken"] == 0


@pytest.mark.tensorflow
def test_that_a_person_is_told_the_same_in_a_table(
    run: Run, ink_file: Path, tiny_model: Path, mnist: Path
) -> None:
    done = run("simulate", ink_file, "--model", tiny_model, "--mnist", mnist, "--after", 20, "--writers", 1)
    assert done.code == 0, done.err
    assert "tiny, 1 simulated writer; errors on drawings not yet learned from" in done.out
    assert "MNIST's test set" in done.out
    assert "1 of 1" in done.err
    assert f"tiny was trained on {ink_file.name}" in done.err


def test_that_memory_is_simulated_without_any_training(run: Run, ink_file: Path, tiny_model: Path) -> None:
    done = run("simulate", ink_file, "--model", tiny_model, "--learn", "memory", "--after", 20, "--json")
    assert done.code == 0, done.err
    found = done.json
    assert set(found["all"]) == {"n", "errors_without", "errors_with", "writers_worse"}
    assert found["all"]["n"] == 200
    assert found["all"]["errors_with"] == found["steps"][0]["errors_with"]
    assert found["all"]["errors_without"] == found["steps"][0]["errors_without"]
    assert found["mnist_before"] is None
    said = run("simulate", ink_file, "--model", tiny_model, "--learn", "memory", "--after", 20).out
    assert f"{found['all']['errors_with']} errors in 200" in said
    assert f"{found['all']['errors_without']} without learning" in said


def test_that_without_learning_nothing_changes(run: Run, ink_file: Path, tiny_model: Path) -> None:
    found = run("simulate", ink_file, "--model", tiny_model, "--learn", "none", "--json").json
    assert all(step["errors_with"] == step["errors_without"] for step in found["steps"])


def test_that_tensorflow_stays_out_where_nothing_is_trained(ink_file: Path, tiny_model: Path) -> None:
    arguments = ["simulate", str(ink_file), "--model", str(tiny_model), "--learn", "memory", "--json"]
    done = python(
        "-c",
        f"import sys; from qtdigits.cli.main import main; main({arguments!r}); "
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)), file=sys.stderr)",
    )
    assert done.err.splitlines()[-1] == "[]"


@pytest.mark.tensorflow
def test_that_both_report_what_memory_and_trainings_save(
    run: Run, ink_file: Path, tiny_model: Path, mnist: Path
) -> None:
    options = ("--model", tiny_model, "--mnist", mnist, "--after", 50, "--writers", 1, "--json")
    found = run("simulate", ink_file, "--learn", "both", *options).json
    assert found["all"]["n"] == found["steps"][0]["n"] == 100
    assert found["mnist_after"] is not None


INTERRUPTED_TWICE = """
import signal, sys
from qtdigits.cli import main, simulate

def say_and_interrupt(text, say=simulate.say):
    say(text)
    if text.startswith("1 of 2"):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

simulate.say = say_and_interrupt
sys.exit(main.main())
"""


@pytest.mark.tensorflow
@pytest.mark.skipif(os.name == "nt", reason="signals are sent to oneself in another way there")
def test_that_ctrl_c_twice_cancels_and_ends_the_process(
    ink_file: Path, tiny_model: Path, mnist: Path
) -> None:
    options = ["--model", tiny_model, "--mnist", mnist, "--after", 20, 30, 40, 50]
    done = python("-c", INTERRUPTED_TWICE, "simulate", ink_file, *options, "--json")
    assert (done.code, done.out) == (130, "")
    told = done.err.splitlines()
    assert told[1].startswith("1 of 2")
    assert told[2].startswith("Stopping")
    assert told[3] == "Cancelling: nothing is kept."


def test_that_a_recipe_that_learns_no_hand_is_refused(
    run: Run, ink_file: Path, tiny_model: Path, mnist: Path
) -> None:
    done = run("simulate", ink_file, "--model", tiny_model, "--mnist", mnist, "--recipe", "quick")
    assert done.code == 2
    assert "starts from scratch" in done.complaint


@pytest.mark.parametrize("number", ["0", "-3", "few", "2.5"])
def test_that_what_is_no_number_of_drawings_is_refused_in_words(
    run: Run, ink_file: Path, number: str
) -> None:
    done = run("simulate", ink_file, f"--after={number}")
    assert done.code == 2
    assert f"--after: '{number}' is not a whole number above 0" in done.err


def test_that_what_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    done = run("simulate", tmp_path / "nobody.jsonl")
    assert done.code == 2
    assert "nobody.jsonl" in done.complaint
