"""Learning rates that change during a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtdigits.ml.backend import keras, tf

FIRST_PART = 0.1
"""The rate of the first step, as a part of the highest."""

LAST_PART = 0.002

EXTENSION_PART = 0.1
"""Where the rate begins anew when a run that has ended is extended, as a part of the highest."""


@keras.saving.register_keras_serializable("qtdigits")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up in a line over the first `warm_up` of all steps, then down in a line to nearly nothing.

    Ending near 0 is what makes the weights of the last epoch the best ones, without averaging: Smith, Super-convergence, 2018.

    `extensions` are pairs of steps: from the first one on the rate falls in a line from a tenth of the highest to nearly
    nothing at the second one. At the rate that a cycle ends with, nothing would be learned any more.
    """

    def __init__(
        self,
        highest: float,
        steps: int,
        warm_up: float = 0.15,
        extensions: Sequence[tuple[int, int]] = (),
    ) -> None:
        super().__init__()
        self.highest, self.steps, self.warm_up = highest, steps, warm_up
        self.extensions = tuple((int(begin), int(end)) for begin, end in extensions)

    def __call__(self, step: Any) -> Any:
        step = tf.cast(step, tf.float32)
        done = step / float(max(self.steps, 1))
        rising = FIRST_PART + (1.0 - FIRST_PART) * done / self.warm_up
        falling = tf.maximum((1.0 - done) / (1.0 - self.warm_up), LAST_PART)
        part = tf.where(done < self.warm_up, rising, falling)
        for begin, end in self.extensions:
            left = (float(end) - step) / float(max(end - begin, 1))
            part = tf.where(step < float(begin), part, tf.maximum(EXTENSION_PART * left, LAST_PART))
        return self.highest * part

    def get_config(self) -> dict[str, Any]:
        """What Keras makes the schedule of again."""
        return {
            "highest": self.highest,
            "steps": self.steps,
            "warm_up": self.warm_up,
            "extensions": self.extensions,
        }
