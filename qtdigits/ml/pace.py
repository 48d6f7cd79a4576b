"""Figures of a training while it runs: how fast, how long still, and what the last batches were like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter

EVENT_INTERVAL_S = 0.05
"""Batches are reported no more often than this: twenty points a second are as many as an eye can follow."""

FIRST_VALIDATION_SHARE = 0.35
"""What validating an image costs of training on it, until a validation has been timed."""

SLEEP_S = 30.0
SLEEP_FACTOR = 50.0
VALIDATION_FACTOR = 5.0
"""A batch that takes longer than half a minute and than fifty usual ones is one that the machine slept through; so is a
validation of five usual ones."""


class Pace:
    """Times batches and validations. The first batch is left out of the rate: it includes building the graph."""

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
        """Since the run began to train, pauses left out."""
        return self._clock() - self._start

    def begin_after(self, elapsed_s: float, *, validations: int) -> None:
        """The run has been trained for so long before, and validated so often."""
        self._start -= elapsed_s
        self._validations = validations

    def leave_out(self, waited_s: float) -> None:
        """So much time went by in which nobody trained."""
        self._start += waited_s
        self._mark += waited_s
        if self._last_event is not None:
            self._last_event += waited_s

    def resume(self) -> None:
        """Training goes on after something else, such as a validation."""
        self._mark = self._clock()

    def batch_ended(self, n_images: int, *, is_first: bool) -> bool:
        """Count a batch. True when it is time to report."""
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
        """A validation has ended that began when training was last marked."""
        now = self._clock()
        took_s, self._mark = now - self._mark, now
        usual_s = self._validation_s or 0.0
        if _must_have_slept(took_s, VALIDATION_FACTOR * usual_s):
            self._start += took_s - usual_s
        else:
            self._validation_s = took_s
        self._validations += 1

    def remaining_s(self, step: int) -> float:
        """Time to the end of the last validation, as far as one can tell; 0 before the second batch."""
        if not self._timed_steps:
            return 0.0
        step_s = self._timed_s / self._timed_steps
        epoch_s = step_s * self._steps / self._epochs
        validation_s = epoch_s * self._validation_share if self._validation_s is None else self._validation_s
        return step_s * (self._steps - step) + validation_s * (self._epochs - self._validations)


def _must_have_slept(took_s: float, most_s: float) -> bool:
    """Whether something took so long that the machine was asleep. Some systems' clocks stand still then, others do not."""
    return took_s > SLEEP_S and took_s > most_s > 0.0


class RecentMeans:
    """Keras reports means over the epoch so far; a curve wants them over the batches since its last point."""

    def __init__(self) -> None:
        self._images = 0
        self._sums: dict[str, float] = {}

    def restart(self) -> None:
        """A new epoch: the means begin anew."""
        self._images, self._sums = 0, {}

    def begin_after(self, images: int, means: Mapping[str, float]) -> None:
        """The epoch was begun before: its first `images` had these means."""
        self.since_last(images, means)

    def since_last(self, images: int, means: Mapping[str, float]) -> dict[str, float]:
        """Means over the images since the last call; `images` and `means` are those of the epoch so far."""
        sums = {name: float(mean) * images for name, mean in means.items()}
        count = images - self._images
        recent = {name: (total - self._sums.get(name, 0.0)) / count for name, total in sums.items()}
        self._images, self._sums = images, sums
        return recent
