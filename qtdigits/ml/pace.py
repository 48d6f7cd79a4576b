"""Speed, time left, and recent loss and accuracy of a training while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter

EVENT_INTERVAL_S = 0.05
"""Shortest time between two batch events: nobody can follow more than twenty points a second."""

FIRST_VALIDATION_SHARE = 0.35
"""Time to validate an image, as a part of the time to train on it, until a validation has been timed."""

SLEEP_S = 30.0
SLEEP_FACTOR = 50.0
VALIDATION_FACTOR = 5.0
"""The machine slept during a batch that took longer than half a minute and fifty usual batches, and during a validation that took
longer than half a minute and five usual ones."""


class Pace:
    """Times batches and validations. The rate excludes the first batch, which includes building the graph."""

    def __init__(
        self,
        *,
        steps: int,
        epochs: int,
        n_training: int,
        n_validation: int,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._steps, self._epochs = steps, epochs
        self._validation_share = FIRST_VALIDATION_SHARE * n_validation / max(n_training, 1)
        self._clock = clock
        self._start = self._mark = clock()
        self._timed_s, self._timed_steps = 0.0, 0
        self._validation_s: float | None = None
        self._validations = 0
        self._last_event: float | None = None
        self._images = 0
        self._images_s = 0.0
        self.images_per_s = 0.0

    @property
    def elapsed_s(self) -> float:
        """Time since the run began to train, without pauses."""
        return self._clock() - self._start

    def begin_after(self, elapsed_s: float, *, validations: int) -> None:
        """Count the time and the validations before the run was interrupted."""
        self._start -= elapsed_s
        self._validations = validations

    def leave_out(self, paused_s: float) -> None:
        """Do not count a pause."""
        self._start += paused_s
        self._mark += paused_s
        if self._last_event is not None:
            self._last_event += paused_s

    def resume(self) -> None:
        """Time the next batch from now on, as after a validation."""
        self._mark = self._clock()

    def batch_ended(self, n_images: int, *, is_first: bool) -> bool:
        """Count a batch; return True when it is time to report."""
        now = self._clock()
        took_s, self._mark = now - self._mark, now
        usual_s = self._timed_s / self._timed_steps if self._timed_steps else 0.0
        if not is_first and _must_have_slept(took_s, SLEEP_FACTOR * usual_s):
            self._start += took_s
        elif not is_first:
            self._timed_s += took_s
            self._timed_steps += 1
            self._images += n_images
            self._images_s += took_s
        if self._last_event is not None and now - self._last_event < EVENT_INTERVAL_S:
            return False
        self._last_event = now
        if self._images_s > 0:
            self.images_per_s = self._images / self._images_s
            self._images, self._images_s = 0, 0.0
        return True

    def validated(self) -> None:
        """Count a validation, which began when the last batch ended."""
        now = self._clock()
        took_s, self._mark = now - self._mark, now
        usual_s = self._validation_s or 0.0
        if _must_have_slept(took_s, VALIDATION_FACTOR * usual_s):
            self._start += took_s - usual_s
        else:
            self._validation_s = took_s
        self._validations += 1

    def remaining_s(self, step: int) -> float:
        """Estimate the time to the end of the last validation; 0 before the second batch."""
        if not self._timed_steps:
            return 0.0
        step_s = self._timed_s / self._timed_steps
        epoch_s = step_s * self._steps / self._epochs
        validation_s = epoch_s * self._validation_share if self._validation_s is None else self._validation_s
        return step_s * (self._steps - step) + validation_s * (self._epochs - self._validations)


def _must_have_slept(took_s: float, most_s: float) -> bool:
    """Whether the machine must have been asleep. On some systems the clock goes on meanwhile."""
    return took_s > SLEEP_S and took_s > most_s > 0.0


class RecentMeans:
    """Turns Keras's means over the epoch so far into means over the batches since the last point of a curve."""

    def __init__(self) -> None:
        self._images = 0
        self._sums: dict[str, float] = {}

    def restart(self) -> None:
        """Begin a new epoch."""
        self._images, self._sums = 0, {}

    def since_last(self, images: int, means: Mapping[str, float]) -> dict[str, float]:
        """Return means over the images since the last call; `images` and `means` are those of the epoch so far."""
        sums = {name: float(mean) * images for name, mean in means.items()}
        count = images - self._images
        recent = {name: (total - self._sums.get(name, 0.0)) / count for name, total in sums.items()}
        self._images, self._sums = images, sums
        return recent
