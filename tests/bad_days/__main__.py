"""Kill the program at named points, at random and in the middle of writes; fill its disk, break its fsync, change its clock.

    python -m tests.bad_days                    1,000 kills and 100 faults: `make faults`
    python -m tests.bad_days 60 --seed 7        fewer, by another seed

Prints what was acknowledged, and what of it is lost or doubled, for each kind of work; ends with 1 if anything is.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from bad_days import victims
from bad_days.forking import KINDS, REFUSED, Fault, Outcome, has_shim, run, victim
from bad_days.looking import DRAWINGS_PER_FILE, Found, look
from bad_days.victims import drawing_of, say
from qtdigits.core.judging import Judging
from qtdigits.core.recipe import recipe_of
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import BatchEnded, RunStarted
from qtdigits.paths import shipped_models_dir
from qtdigits.store.data.ink_files import LabelledInk, write_ink_jsonl
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model, save_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.train import train_job
from tests.store.values import a_sample, an_ink

Work = Callable[[Path], None]
LINGER_S = 0.05
"""A kill at random comes so long, at most, after the victim has said some number of things."""
KILLS_ON_ONE_FOLDER = 20
READY = """
import sys, time
from qtdigits.gui import app
application, window = app.create(["--data-dir", sys.argv[1]])
window.became_ready.connect(application.quit)
window.show()
application.exec()
print("ready", flush=True)
import os
os._exit(0)
"""


# ------------------------------------------------------------------------------------------------------ kinds of work


def window(folder: Path) -> None:
    """The whole window: draws, corrects, goes on to the next drawing; says the number that is in the drawing."""
    from PySide6.QtCore import QTimer

    from qtdigits.gui import app

    application, opened = app.create(["--data-dir", str(folder)])
    numbers = iter(range(opened.session.store.count(), 1_000_000))
    timer = QTimer()

    def draw() -> None:
        opened.session.add_stroke(drawing_of(number := next(numbers)), "mouse")
        opened.drawing.judge("7")
        say(number)

    def begin() -> None:
        opened.findChild(QTimer, "quietTimer").stop()  # it would start an engine
        timer.start(0)

    timer.timeout.connect(draw)
    opened.session.set_writer("me")
    opened.became_ready.connect(begin)
    opened.show()
    application.exec()


def train(folder: Path) -> None:
    """Trains for ever, a few seconds each; says when a run has begun."""
    recipe = recipe_of({"dense": "8", "epochs": 2, "batch_size": 20, "mnist_images": 0, "augmentation": 0})
    ink = (str(folder / "files" / "w0.jsonl"),)
    while True:
        job = TrainingJob.new(recipe, data_dir=folder, ink_files=ink, use_drawings=False)

        def tell(event: object, job: TrainingJob = job) -> None:
            if isinstance(event, RunStarted):
                say(f"began {job.id}")
            elif isinstance(event, BatchEnded):
                victims.reach("batch")

        train_job(job, emit=tell, control=Control())


def judge_as(writer: str) -> Work:
    """As `judge`, beside others who do the same; says writer and number."""

    def judge_beside(folder: Path) -> None:
        model = load_model(ModelLibrary(folder, shipped=folder / "shipped").champion_path(), weights=False)
        store = SampleStore.open(folder)
        judging = Judging(store=store, writer=writer, reader=victims.SevenReader(model))
        for number in range(store.count(writer=writer), 10**6):
            judging.add_stroke(drawing_of(number), device="mouse")
            judging.judge()
            say(f"{writer} {number}")

    return judge_beside


WORKS: dict[str, tuple[Work, float]] = {
    "judge": (victims.judge, 0.41),
    "bring_in": (victims.bring_in, 0.12),
    "edit": (victims.edit, 0.1),
    "promote": (victims.promote, 0.12),
    "save": (victims.save, 0.08),
    "side by side": (victims.judge, 0.12),
    "window": (window, 0.03),
    "train": (train, 0.02),
}
"""Each with its part of the kills."""


def make_folder(folder: Path) -> None:
    """A data folder with models, a store, files to import."""
    model = load_model(shipped_models_dir() / "mlp-50-50.h5")
    for name in ("models/a", "models/b", "models/c", "models/again", "shipped/s"):
        path = folder / f"{name}.h5"
        path.parent.mkdir(exist_ok=True, parents=True)
        save_model(replace(model, name=path.stem), path)
    SampleStore.open(folder).close()
    (folder / "files").mkdir()
    for number in range(6):
        inks = [LabelledInk(str(i % 10), f"w{number}", an_ink()) for i in range(DRAWINGS_PER_FILE)]
        write_ink_jsonl(folder / "files" / f"w{number}.jsonl", inks)
    ModelLibrary(folder, shipped=folder / "shipped").promote(folder / "models" / "b.h5")


# -------------------------------------------------------------------------------------------------------------- rounds


@dataclass
class Tally:
    kills: int = 0
    found: Found = field(default_factory=Found)
    starts_s: list[tuple[float, float]] = field(default_factory=list)


class Rounds:
    """Kills and faults, one after the other, each followed by a look at what is left."""

    def __init__(self, seed: int, scratch: Path, *, has_shim: bool) -> None:
        self._random, self._scratch, self._has_shim = Random(seed), scratch, has_shim
        self._template = scratch / "template"
        make_folder(self._template)
        self._points: list[tuple[str, int]] = []

    def kill(self, name: str, n_kills: int) -> Tally:
        work, tally = WORKS[name][0], Tally()
        self._points = [] if name in {"side by side", "window"} else self._points_of(work)
        folder, n_on_it = self._fresh(), 0
        while tally.kills < n_kills:
            if n_on_it >= KILLS_ON_ONE_FOLDER or name in {"bring_in", "promote"}:
                folder, n_on_it = self._fresh(), 0
            said, n = self._kill_once(name, work, folder)
            tally.found.add(look(name, folder, said))
            tally.kills += n
            n_on_it += n
            if name == "window":
                tally.starts_s.append(start_s(folder))
        return tally

    def break_down(self, name: str, fault: Fault) -> tuple[Outcome, Found]:
        """Let the work meet a fault; what was acknowledged before, or in spite of it, must be there."""
        folder = self._fresh()
        outcome = run(WORKS[name][0], folder, fault, until_said=5)
        found = look(name, folder, outcome.said)
        if not outcome.was_killed and outcome.code != REFUSED:
            found.wrong += (f"{name}, {fault.kind} from {fault.after}: {outcome.complaint[-600:]}",)
        return outcome, found

    def _kill_once(self, name: str, work: Work, folder: Path) -> tuple[tuple[str, ...], int]:
        """What was said, and how many were killed."""
        if name == "side by side":
            return self._kill_three(folder), 3
        how = self._random.randrange(3)
        if how == 0 and self._points:
            point, n_passed = self._random.choice(self._points)
            fault = Fault(point=point, after=self._random.randrange(n_passed))
            return killed(run(work, folder, fault)), 1
        if how == 1 and self._has_shim and name not in {"window", "train"}:
            fault = Fault("killed in a write", self._random.randrange(150))
            return killed(run(work, folder, fault, until_said=40)), 1
        n_said = self._random.randrange({"bring_in": 5, "train": 2}.get(name, 20))
        linger_s = self._random.uniform(0.0, 4.0 if name == "train" else LINGER_S)
        return killed(run(work, folder, Fault(), until_said=n_said, linger_s=linger_s)), 1

    def _kill_three(self, folder: Path) -> tuple[str, ...]:
        """Three writers who draw at the same time are killed one after the other."""
        heard = b""
        with ExitStack() as alive:
            three = [alive.enter_context(victim(judge_as(f"w{i}"), folder, Fault())) for i in range(3)]
            for pid, _ in three:
                time.sleep(self._random.uniform(0.02, 0.4))
                os.kill(pid, signal.SIGKILL)
            for _, pipe in three:
                while chunk := os.read(pipe, 1 << 16):
                    heard += chunk
                heard = heard[: heard.rfind(b"\n") + 1]
        return tuple(heard.decode().splitlines())

    def _points_of(self, work: Work) -> list[tuple[str, int]]:
        """Points that the work passes, and how often until it has said four things."""
        outcome = run(work, self._fresh(), Fault(point="nowhere"), until_said=4 if work is not train else 2)
        assert outcome.code < 0, outcome.complaint
        return list(Counter(outcome.passed).items())

    def _fresh(self) -> Path:
        folder = self._scratch / "data"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._template, folder)
        return folder


def killed(outcome: Outcome) -> tuple[str, ...]:
    """What a victim has said that was killed, and did not end by itself."""
    assert outcome.was_killed, outcome.complaint
    return outcome.said


def start_s(folder: Path) -> tuple[float, float]:
    """Seconds from the start of the program to a window that can read, and how many of them the processor worked."""
    began, worked = time.monotonic(), sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    command = [sys.executable, "-c", READY, str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert ended.stdout == "ready\n", ended.stdout + ended.stderr
    took = time.monotonic() - began
    return took, sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - worked


def faults(seed: int, n_each: int) -> Iterator[tuple[str, Fault]]:
    random = Random(seed)
    for kind in KINDS[1:-1]:
        for name in ("judge", "bring_in", "edit", "promote", "save"):
            for _ in range(n_each):
                after = (
                    0
                    if kind == "fsync is slow"
                    else random.randrange(60 if kind in {"full", "read-only"} else 12)
                )
                yield name, Fault(kind, after)
    for years in (-60, -1, 1, 30):
        for name in ("judge", "bring_in", "edit"):
            yield name, Fault("none", clock_s=years * 366 * 86_400)


# --------------------------------------------------------------------------------------------------------------- table


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "kills", nargs="?", type=int, default=1000, help="how many in all (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--faults", type=int, default=4, help="of each kind for each work (default: %(default)s)"
    )
    parser.add_argument(
        "--only", nargs="+", choices=WORKS, default=list(WORKS), help="only these kinds of work"
    )
    args = parser.parse_args()
    is_armed = has_shim(sys.argv[1:])
    a_sample()  # whatever is imported late is imported now
    # In memory where there is such a folder: a kill loses nothing that the system was given, on a disk or not.
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:
        rounds = Rounds(args.seed, Path(scratch), has_shim=is_armed)
        columns = f"{'acknowledged':>14}{'lost':>6}{'doubled':>9}{'champion works':>18}{'wrong':>7}"
        print(f"seed {args.seed}\n{'kills':<16}{'n':>6}{columns}", flush=True)
        is_well = kill_all(rounds, args.only, args.kills)
        if is_armed and args.faults:
            is_well = break_all(rounds, args.seed, args.faults, args.only) and is_well
        elif args.faults:
            print("No C compiler, or not Linux: disks, fsync and clock stayed as they are.")
    return 0 if is_well else 1


def kill_all(rounds: Rounds, names: list[str], n_kills: int) -> bool:
    total, starts = Tally(), []
    for name in names:
        if name == "train":
            import qtdigits.ml.training  # noqa: F401 - now, as a fork is light only before
        tally = rounds.kill(name, max(1, round(n_kills * WORKS[name][1])))
        show(name, tally.kills, tally.found)
        total.kills += tally.kills
        total.found.add(tally.found)
        starts += tally.starts_s
    show("all", total.kills, total.found)
    if starts:
        took, worked = zip(*starts, strict=True)
        print(
            f"start after a kill → ready: median {statistics.median(took):.2f} s, longest {max(took):.2f} s; "
            f"of the processor's time: median {statistics.median(worked):.2f} s ({len(starts)} starts)"
        )
    return is_fine(total.found)


def break_all(rounds: Rounds, seed: int, n_each: int, names: list[str]) -> bool:
    tallies: dict[str, Tally] = {}
    refused: Counter[str] = Counter()
    for name, fault in faults(seed, n_each):
        if name not in names:
            continue
        outcome, found = rounds.break_down(name, fault)
        kind = fault.kind if not fault.clock_s else "clock is wrong"
        tally = tallies.setdefault(kind, Tally())
        tally.kills += 1
        tally.found.add(found)
        refused[kind] += outcome.code == REFUSED
    print(
        f"\n{'faults':<16}{'n':>6}{'acknowledged':>14}{'lost':>6}{'doubled':>9}{'champion works':>18}{'wrong':>7}{'said so':>9}"
    )
    for kind, tally in tallies.items():
        show(kind, tally.kills, tally.found, f"{refused[kind]:>9}")
    return all(is_fine(tally.found) for tally in tallies.values())


def show(name: str, n: int, found: Found, more: str = "") -> None:
    champion = f"{found.champions_that_work} of {found.champions}"
    print(
        f"{name:<16}{n:>6}{found.acknowledged:>14,}{found.lost:>6}{found.doubled:>9}{champion:>18}{len(found.wrong):>7}{more}",
        flush=True,
    )
    for wrong in found.wrong[:5]:
        print(f"    {wrong}", flush=True)


def is_fine(found: Found) -> bool:
    return not (found.lost or found.doubled or found.wrong) and found.champions == found.champions_that_work


if __name__ == "__main__":
    sys.exit(main())
