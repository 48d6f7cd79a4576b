"""The figures of a running training, with a clock that stands still until told."""

import pytest

from qtdigits.ml.pace import EVENT_INTERVAL_S, Pace, RecentMeans


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def make_pace(clock: Clock) -> Pace:
    return Pace(steps=20, epochs=2, n_training=100, n_validation=10, clock=clock)


def run_batches(pace: Pace, clock: Clock, n: int, *, took_s: float, first: bool = False) -> list[bool]:
    due = []
    for number in range(n):
        clock.now_s += took_s
        due.append(pace.batch_ended(10, is_first=first and number == 0))
    return due


def test_that_the_first_batch_is_reported_at_once() -> None:
    clock = Clock()
    assert run_batches(make_pace(clock), clock, 1, took_s=0.001, first=True) == [True]


def test_that_reports_come_no_more_often_than_an_eye_can_follow() -> None:
    clock = Clock()
    due = run_batches(make_pace(clock), clock, 1000, took_s=EVENT_INTERVAL_S / 10, first=True)
    assert 85 <= sum(due) <= 100


def test_that_slow_batches_are_all_reported() -> None:
    clock = Clock()
    assert all(run_batches(make_pace(clock), clock, 10, took_s=1.0, first=True))


def test_that_the_time_for_building_the_graph_is_not_taken_for_the_pace() -> None:
    clock = Clock()
    pace = make_pace(clock)
    clock.now_s += 30.0
    pace.batch_ended(10, is_first=True)
    assert pace.remaining_s(1) == 0.0
    run_batches(pace, clock, 9, took_s=1.0)
    assert pace.images_per_s == pytest.approx(10.0)
    assert pace.remaining_s(10) == pytest.approx(10.0, rel=0.2)


def test_that_the_remaining_time_includes_the_validations() -> None:
    clock = Clock()
    pace = make_pace(clock)
    run_batches(pace, clock, 10, took_s=1.0, first=True)
    clock.now_s += 7.0
    pace.validated()
    assert pace.remaining_s(10) == pytest.approx(10.0 + 7.0)
    assert pace.elapsed_s == pytest.approx(17.0)


def test_that_time_in_which_the_run_waited_does_not_count() -> None:
    clock = Clock()
    pace = make_pace(clock)
    run_batches(pace, clock, 5, took_s=1.0, first=True)
    clock.now_s += 3600.0
    pace.leave_out(3600.0)
    run_batches(pace, clock, 5, took_s=1.0)
    assert pace.elapsed_s == pytest.approx(10.0)
    assert pace.images_per_s == pytest.approx(10.0)
    assert pace.remaining_s(10) == pytest.approx(10.0, rel=0.2)


def test_that_a_batch_that_the_machine_slept_through_does_not_count() -> None:
    clock = Clock()
    pace = make_pace(clock)
    run_batches(pace, clock, 5, took_s=1.0, first=True)
    run_batches(pace, clock, 1, took_s=8 * 3600.0)
    run_batches(pace, clock, 4, took_s=1.0)
    assert pace.elapsed_s == pytest.approx(9.0)
    assert pace.images_per_s == pytest.approx(10.0)


def test_that_a_validation_that_the_machine_slept_through_counts_as_the_one_before() -> None:
    clock = Clock()
    pace = make_pace(clock)
    for took_s in (2.0, 8 * 3600.0):
        run_batches(pace, clock, 10, took_s=1.0)
        pace.resume()
        clock.now_s += took_s
        pace.validated()
    assert pace.elapsed_s == pytest.approx(24.0)
    assert pace.remaining_s(10) == pytest.approx(10.0, rel=0.2)


def test_that_batches_that_are_slow_from_the_start_are_no_sleep() -> None:
    clock = Clock()
    pace = make_pace(clock)
    run_batches(pace, clock, 4, took_s=90.0, first=True)
    assert pace.elapsed_s == pytest.approx(360.0)


def test_that_a_run_that_goes_on_counts_the_time_before() -> None:
    clock = Clock()
    pace = make_pace(clock)
    pace.begin_after(17.0, validations=1)
    run_batches(pace, clock, 10, took_s=1.0, first=True)
    assert pace.elapsed_s == pytest.approx(27.0)
    clock.now_s += 7.0
    pace.validated()
    assert pace.remaining_s(20) == pytest.approx(0.0)


def test_that_nothing_remains_after_the_last_validation() -> None:
    clock = Clock()
    pace = make_pace(clock)
    for _ in range(2):
        run_batches(pace, clock, 10, took_s=1.0)
        pace.validated()
    assert pace.remaining_s(20) == pytest.approx(0.0)


def test_that_means_of_the_epoch_become_means_of_the_last_batches() -> None:
    means = RecentMeans()
    assert means.since_last(10, {"loss": 2.0}) == {"loss": 2.0}
    assert means.since_last(30, {"loss": 1.0}) == {"loss": pytest.approx(0.5)}
    means.restart()
    assert means.since_last(10, {"loss": 0.3}) == {"loss": pytest.approx(0.3)}
