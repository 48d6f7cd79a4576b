"""Learning rates that change during a run."""

from __future__ import annotations

from typing import Any

from qtdigits.ml.backend import keras, tf

FIRST_PART = 0.1
"""The rate of the first step, as a part of the highest."""

LAST_PART = 0.002


@keras.saving.register_keras_serializable("qtdigits")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up in a line over the first `warm_up` of all steps, then down in a line to nearly nothing.

    Ending near 0 is what makes the weights of the last epoch the best ones, without averaging: Smith, Super-convergence, 2018.
    """

    def __init__(self, highest: float, steps: int, warm_up: float = 0.15) -> None:
        super().__init__()
        self.highest, self.steps, self.warm_up = highest, steps, warm_up

    def __call__(self, step: Any) -> Any:
        done = tf.cast(step, tf.float32) / float(max(self.steps, 1))
        rising = FIRST_PART + (1.0 - FIRST_PART) * done / self.warm_up
        falling = tf.maximum((1.0 - done) / (1.0 - self.warm_up), LAST_PART)
        return self.highest * tf.where(done < self.warm_up, rising, falling)

    def get_config(self) -> dict[str, Any]:
        return {"highest": self.highest, "steps": self.steps, "warm_up": self.warm_up}
