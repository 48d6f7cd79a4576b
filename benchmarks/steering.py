"""How soon a training is where the person wants it: from the click to the first point, and from the word to its being obeyed.

In the real window with the real engine; the recipe is `cnn-32-64` on all of MNIST. There is nothing to set beside it: a plain
`fit` has neither a first point nor a stop.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from statistics import median

from benchmarks.common import Row, finish, open_window, run_child
from benchmarks.gaps import GapWatch

RECIPE = "cnn-32-64"
ROUNDS = 3


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="qtdigits-steering-") as folder:
        figures = run_child("steering", folder)
    targets = {
        "start → first point, engine not yet started": ("cold_s", "≤ 8 s"),
        "start → first point, engine warm": ("warm_s", "≤ 1.5 s"),
        "pause → obeyed": ("pause_s", "≤ 0.5 s"),
        "stop → obeyed": ("stop_s", "≤ 0.5 s"),
        "cancel → obeyed": ("cancel_s", "≤ 0.5 s"),
    }
    return [Row(what, figures[name], None, "s", "", target) for what, (name, target) in targets.items()]


def child(folder: str) -> None:
    from qtdigits.core.run.events import BatchEnded, Event, RunCancelled, RunFinished, RunPaused

    app, window = open_window("litert", folder)
    start_engine = window.trainer.start_engine
    window.trainer.start_engine = lambda: None  # type: ignore[method-assign] # the click starts it
    window.show()
    watch = GapWatch(app)
    panel = window.training_panel
    watch.until(lambda: window.curves.are_made, 60)
    window.trainer.start_engine = start_engine  # type: ignore[method-assign]
    panel.choose_recipe(RECIPE)
    heard: list[Event] = []
    window.trainer.process.event_received.connect(heard.append)

    def seconds_until(kind: type[Event], act: Callable[[], object]) -> float:
        heard.clear()
        started = time.perf_counter()
        act()
        watch.until(lambda: any(isinstance(event, kind) for event in heard), 300)
        return time.perf_counter() - started

    cold = seconds_until(BatchEnded, panel.start_training)
    took: dict[str, list[float]] = {"warm_s": [], "pause_s": [], "stop_s": [], "cancel_s": []}
    took["cancel_s"].append(seconds_until(RunCancelled, window.trainer.cancel))
    for _ in range(ROUNDS):
        watch.until(lambda: not window.trainer.is_busy, 300)
        took["warm_s"].append(seconds_until(BatchEnded, panel.start_training))
        watch.run_for(2)
        took["pause_s"].append(seconds_until(RunPaused, panel.pause_or_resume))
        seconds_until(BatchEnded, panel.pause_or_resume)
        watch.run_for(1)
        took["cancel_s"].append(seconds_until(RunCancelled, window.trainer.cancel))
    watch.until(lambda: not window.trainer.is_busy, 300)
    seconds_until(BatchEnded, panel.start_training)
    watch.run_for(2)
    # it is obeyed with the last batch; what comes then is validation, scoring and storing
    last_batch = [time.perf_counter()]
    window.trainer.process.event_received.connect(
        lambda event: last_batch.append(time.perf_counter()) if isinstance(event, BatchEnded) else None
    )
    started = time.perf_counter()
    seconds_until(RunFinished, window.trainer.stop)
    took["stop_s"].append(max(0.0, last_batch[-1] - started))
    finish(cold_s=cold, **{name: median(seconds) for name, seconds in took.items()})


if __name__ == "__main__":
    import sys

    child(sys.argv[1])
