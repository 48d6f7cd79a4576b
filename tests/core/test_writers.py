"""The writer matrix and simulated users: counts that add up, what is marked, writers that are chosen by the seed."""

from __future__ import annotations

import json

import numpy as np

from qtdigits.core.score.comparison import PairedComparison
from qtdigits.core.score.metrics import wilson_interval
from qtdigits.core.score.writers import (
    ALL_OTHERS,
    BASE,
    MatrixRow,
    Plan,
    SimulatedStep,
    SimulatedWriter,
    Simulation,
    WriterMatrix,
    chosen_writers,
)


def right(text: str) -> np.ndarray:
    """From a string in which "r" is a drawing that was read right."""
    return np.array([c == "r" for c in text], bool)


def matrix(**cells: PairedComparison) -> WriterMatrix:
    base = MatrixRow(
        BASE, BASE, 0, {"ada": PairedComparison(40, 20, 20), "bob": PairedComparison(40, 20, 20)}
    )
    return WriterMatrix("m", "ink", ("ada", "bob"), (base, MatrixRow("writer", "ada", 30, cells)))


def test_that_a_comparison_of_nothing_has_no_accuracy() -> None:
    nothing = PairedComparison.of(right(""), right(""))
    assert nothing.tally_after.interval == (0.0, 1.0)
    values = json.loads(json.dumps(matrix(ada=nothing).to_json(), allow_nan=False))
    assert values["rows"][1]["cells"][0]["accuracy"] is None


def test_that_differences_are_marked_with_their_direction() -> None:
    better, worse = PairedComparison(40, 20, 32, 12, 0), PairedComparison(40, 20, 15, 1, 6)
    found = matrix(ada=better, bob=worse)
    assert found.mark(better) == "++"
    assert found.mark(worse) == ""
    much_worse = PairedComparison(40, 20, 8, 0, 12)
    assert matrix(ada=better, bob=much_worse).mark(much_worse) == "--"


def test_that_many_comparisons_make_one_chance_hit_uncertain() -> None:
    hit = PairedComparison(40, 20, 26, 6, 0)  # p = 0.03
    assert matrix(ada=hit).mark(hit) == "++"
    others = {f"writer {k}": PairedComparison(40, 20, 20, k, k) for k in range(1, 4)}
    assert matrix(ada=hit, **others).mark(hit) == "+"


def test_that_the_base_is_not_compared_with_itself() -> None:
    hit = PairedComparison(40, 20, 26, 6, 0)
    found = matrix(ada=hit)
    assert found.compared == (hit,)
    assert all(found.mark(cell) == "" for cell in found.rows[0].cells.values())


def test_that_a_matrix_comes_back_from_json() -> None:
    found = matrix(ada=PairedComparison(8, 4, 7, 4, 1), bob=PairedComparison(40, 20, 32, 12, 0))
    last = MatrixRow(ALL_OTHERS, ALL_OTHERS, 0, {"bob": PairedComparison(40, 20, 20, 3, 3)})
    stopped = WriterMatrix(found.model, found.source, found.writers, (*found.rows, last), is_whole=False)
    values = json.loads(json.dumps(stopped.to_json(), allow_nan=False))
    assert WriterMatrix.from_json(values) == stopped
    assert values["rows"][1]["cells"][1]["mark"] == "++"
    assert "ada" not in last.cells


def test_that_a_stored_cell_has_all_its_figures() -> None:
    cell = PairedComparison.of(right("rrxxx"), right("xrrrx"))
    values = matrix(ada=cell).to_json()["rows"][1]["cells"][0]
    interval = list(wilson_interval(3, 5))
    counts = {"writer": "ada", "n": 5, "base": 2, "correct": 3, "fixed": 2, "broken": 1}
    assert values == counts | {"accuracy": 0.6, "interval": interval, "p_value": 1.0, "mark": ""}


def step(after: int, without: str, with_learning: str) -> SimulatedStep:
    """From strings in which "r" is a drawing that was read right."""
    return SimulatedStep(after, PairedComparison.of(right(without), right(with_learning)))


def test_that_fixed_and_broken_explain_the_difference() -> None:
    found = step(20, "rrrxxxr", "rrxrrxr")
    later = found.later
    assert (later.n, found.errors_without, found.errors_with, later.n_fixed, later.n_broken) == (
        7,
        3,
        2,
        2,
        1,
    )
    assert found.errors_with == found.errors_without - later.n_fixed + later.n_broken
    assert found.fewer is not None
    np.testing.assert_allclose(found.fewer, 1 / 3)
    assert step(20, "rr", "rr").fewer is None


def test_that_writers_add_up_over_the_steps_they_reached() -> None:
    long = SimulatedWriter("a", 60, (step(0, "xxr", "xxr"), step(20, "xr", "rr"), step(50, "r", "r")), 0.99)
    short = SimulatedWriter("b", 25, (step(0, "xr", "xr"),), 0.97)
    found = Simulation("base", (long, short), 0.995)
    assert [(s.after, s.later.n, s.errors_without, s.errors_with) for s in found.steps] == [
        (0, 5, 3, 3),
        (20, 2, 1, 0),
        (50, 1, 0, 0),
    ]
    values = found.to_json()
    assert values["writers"] == 2
    assert [w["writer"] for w in values["per_writer"]] == ["a", "b"]
    assert values["mnist_before"] == 0.995
    np.testing.assert_allclose(values["mnist_after"], 0.98)
    assert found.lowest_mnist == 0.97


def test_that_a_few_writers_are_chosen_by_the_seed_among_those_with_enough_drawings() -> None:
    writers = [name for name in "abcdefgh" for _ in range(30)] + ["rare"] * 5
    assert chosen_writers(writers, None, 1, more_than=20) == [*"abcdefgh", "rare"]
    some = chosen_writers(writers, 3, 1, more_than=20)
    assert len(some) == 3
    assert some == chosen_writers(writers, 3, 1, more_than=20) == sorted(some)
    assert any(chosen_writers(writers, 3, seed, more_than=20) != some for seed in range(2, 6))
    assert all("rare" not in chosen_writers(writers, 3, seed, more_than=20) for seed in range(9))


def test_that_errors_are_counted_on_what_follows_or_on_the_last_only() -> None:
    assert [Plan().first_counted(after, 400) for after in (0, 200)] == [0, 200]
    assert [Plan(last=100).first_counted(after, 400) for after in (0, 200, 350)] == [300, 300, 350]
    assert Plan(last=500).first_counted(0, 400) == 0
