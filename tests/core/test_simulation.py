"""Simulated users: counts that add up, and writers that are chosen by the seed."""

from __future__ import annotations

import numpy as np

from qtdigits.core.score.writers import Plan, SimulatedStep, SimulatedWriter, Simulation, chosen_writers


def step(after: int, without: str, with_learning: str) -> SimulatedStep:
    """From strings in which "r" is a drawing that was read right."""
    return SimulatedStep.of(
        after, np.array([c == "r" for c in without]), np.array([c == "r" for c in with_learning])
    )


def test_that_fixed_and_broken_explain_the_difference() -> None:
    found = step(20, "rrrxxxr", "rrxrrxr")
    assert (found.n, found.errors_without, found.errors_with, found.fixed, found.broken) == (7, 3, 2, 2, 1)
    assert found.errors_with == found.errors_without - found.fixed + found.broken
    assert found.fewer is not None
    np.testing.assert_allclose(found.fewer, 1 / 3)
    assert step(20, "rr", "rr").fewer is None


def test_that_writers_add_up_over_the_steps_they_reached() -> None:
    long = SimulatedWriter("a", 60, (step(0, "xxr", "xxr"), step(20, "xr", "rr"), step(50, "r", "r")), 0.99)
    short = SimulatedWriter("b", 25, (step(0, "xr", "xr"),), 0.97)
    found = Simulation("base", (long, short), 0.995)
    assert [(s.after, s.n, s.errors_without, s.errors_with) for s in found.steps] == [
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
