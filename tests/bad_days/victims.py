"""Programs to be killed: `python -m tests.bad_days.victims WORK FOLDER [POINT N_PASSED]`.

Each says on standard output what it has done, a line for each thing, as soon as it is
done. It goes on for ever, or until it comes to POINT after it has passed it N_PASSED times: there it kills itself.

Points, which are looked out for where one is given, are the statements with which SQLite changes a store, what is done to
files, and the moment before something is said. Each is named when it is reached ("at COMMIT").
"""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from qtdigits.core.judging import Judging, Reading
from qtdigits.core.memory import Memory
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model, save_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.import_export import import_samples
from tests.store.values import a_model, a_sample

N_EDITED = 40
CHAMPIONS = ("a", "b", "c", "b")
"""Who is the champion after each step of `promote`: three promotions and a roll-back, over and over."""


NAMING_WORDS = {
    **dict.fromkeys(("DELETE", "INSERT", "UPDATE"), 3),
    **dict.fromkeys(("ALTER", "BEGIN", "COMMIT", "CREATE", "DROP"), 2),
}
"""How many words of a statement name it, by its first; those that change nothing are no points."""

FILE_EVENTS = {"os.link": "link", "os.remove": "remove", "os.rename": "rename"}
STEPS_IN_A_STATEMENT = 100_000
"""Of SQLite's machine: a statement that takes more has points in its middle."""


def say(word: object) -> None:
    reach("say")
    print(word, flush=True)  # noqa: T201


def reach(point: str) -> None:
    if not _death:
        return
    print(f"at {point}", flush=True)  # noqa: T201
    if [point, str(_passed[point])] == _death:
        os.kill(os.getpid(), signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
    _passed[point] += 1


def reach_statement(statement: str) -> None:
    words = statement.split()
    if words[0] in NAMING_WORDS:
        reach(" ".join(words[: NAMING_WORDS[words[0]]]))


_death: list[str] = []
_passed: Counter[str] = Counter()


def arm(point: str, n_passed: str) -> None:
    """Let the points be noticed from now on, and die at `point` when it was passed so often."""
    connect, fsync = sqlite3.connect, os.fsync

    def connect_noticed(*args: object, **options: object) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.set_trace_callback(reach_statement)
        connection.set_progress_handler(lambda: reach("inside a statement"), STEPS_IN_A_STATEMENT)
        return connection

    def fsync_noticed(descriptor: int) -> None:
        reach("fsync")
        fsync(descriptor)

    sqlite3.connect, os.fsync = connect_noticed, fsync_noticed
    sys.addaudithook(lambda event, _: reach(FILE_EVENTS[event]) if event in FILE_EVENTS else None)
    _death[:] = [point, n_passed]


def judge(folder: Path) -> None:
    """Draws with the mouse's hand and confirms; says a number that is in the drawing."""
    model = load_model(ModelLibrary(folder, shipped=folder / "shipped").champion_path(), weights=False)
    store = SampleStore.open(folder)
    judging = Judging(store=store, writer="me", reader=SevenReader(model))
    for number in itertools.count(store.count()):
        judging.add_stroke(drawing_of(number), device="mouse")
        judging.judge()
        say(number)


def bring_in(folder: Path) -> None:
    """Imports the files `w0.jsonl`, `w1.jsonl`, … one after the other; says the writer's name."""
    for path in sorted((folder / "files").iterdir()):
        import_samples(folder / "data", path, writer="")
        say(path.stem)
    while True:
        import_samples(folder / "data", path, writer="")


def edit(folder: Path) -> None:
    """Relabels, weighs, deletes and puts back drawings, and merges writers; says what it has done."""
    with SampleStore.open(folder) as store:
        for number in itertools.count():
            for name in ("Ada", "Bob"):
                store.add_samples(a_sample("3", name) for _ in range(N_EDITED))
            bobs = store.ids(writer="Bob", label="3").tolist()
            store.relabel(bobs, "8")
            say(f"relabelled {number}")
            store.set_weight(bobs, 3)
            store.restore(store.delete_samples(bobs))
            store.merge_writers("Bob", "Ada")
            say(f"merged {number}")
            store.delete_samples(store.ids(writer="Ada", label="3").tolist())
            say(f"deleted {number}")


def promote(folder: Path) -> None:
    """Says the name of each champion."""
    library = ModelLibrary(folder, shipped=folder / "shipped")
    while True:
        for name in CHAMPIONS[:-1]:
            library.promote(folder / "models" / f"{name}.h5")
            say(name)
        say(library.roll_back().stem)


def save(folder: Path) -> None:
    """Saves a model over an old one and as a new one, by turns; says the file's name."""
    library = ModelLibrary(folder, shipped=folder / "shipped")
    for number in itertools.count():
        for path in (folder / "models" / "again.h5", library.new_path("new")):
            save_model(a_model(name=path.stem, seed=number), path)
            say(path.name)


def migrate(folder: Path) -> None:
    """Opens a store of an older version."""
    SampleStore.open(folder).close()
    say("migrated")
    signal.pause()


def own_an_engine(folder: Path) -> None:
    """Starts an engine, as the window does; says its process id."""
    from qtdigits.engine.client import EngineClient

    engine = EngineClient(data_dir=folder)
    engine.start()
    say(engine.pid)
    signal.pause()


def drawing_of(number: int) -> np.ndarray:
    """A stroke that no other number has."""
    return np.array([[400, 200, 0, 1], [400 + number, 800, 50, 1]], np.float32)


def number_of(stroke: np.ndarray) -> int:
    return int(stroke[1, 0]) - 400


class SevenReader:
    """Reads everything as a 7."""

    has_embedding = False

    def __init__(self, model) -> None:
        self.model_name, self.label_set = model.name, model.label_set
        self.undecided_below = model.undecided_below

    def read(self, raster: np.ndarray, memory: Memory | None = None) -> Reading:
        probabilities = np.where(np.arange(10) == 7, 0.91, 0.01).astype(np.float32)
        return Reading(raster, self.label_set.labels, probabilities, self.undecided_below)


WORKS = {work.__name__: work for work in (judge, bring_in, edit, promote, save, migrate, own_an_engine)}

if __name__ == "__main__":
    a_sample()  # whatever is imported late is imported now
    say("ready")
    if sys.argv[3:]:
        arm(*sys.argv[3:])
    WORKS[sys.argv[1]](Path(sys.argv[2]))
