"""Process start → window painted and able to read: the first reading is done."""

from __future__ import annotations

import compileall
import sys
import time
from pathlib import Path

from benchmarks.common import Row, finish, open_window, run_child


def measure(times: int = 5) -> list[Row]:
    compileall.compile_dir(
        Path(__file__).parents[1] / "qtdigits", quiet=1
    )  # as set-up, or a first start, leaves it
    start_s("litert")  # warms the file cache for both
    pairs = [(start_s("litert"), start_s("keras")) for _ in range(times)]
    ours, theirs = (sorted(side)[times // 2] for side in zip(*pairs, strict=True))
    beside = "the same window importing TensorFlow and loading the Keras model"
    return [Row("start → painted and able to read", ours, theirs, "s", beside, "≤ 1/5; ≤ 0.6 s")]


def start_s(reader: str, data_dir: Path | None = None) -> float:
    """Seconds of one start; `data_dir`: instead of the benchmarks' own data folder."""
    started = time.time()
    return float(run_child("startup", reader, *([str(data_dir)] if data_dir else []))["ready_at"]) - started


def child(reader: str, data_dir: str | None = None) -> None:
    app, window = open_window(reader, data_dir)

    def on_ready() -> None:
        import numpy as np

        window.repaint()
        reader = window.session.reader
        assert reader is not None
        reader.read(np.zeros((28, 28), np.uint8))  # able to read is who has read
        finish(ready_at=time.time())

    window.became_ready.connect(on_ready)
    window.show()
    app.exec()


if __name__ == "__main__":
    child(*sys.argv[1:])
