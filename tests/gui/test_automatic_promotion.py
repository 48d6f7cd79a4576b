"""A better model takes over by itself: at once, or after the guided session that is going on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Signal

from qtdigits.core.run.events import RunCancelled, RunFinished
from qtdigits.gui.models.automatic_promotion import WAITING, AutomaticPromotion

OLD, NEW = Path("old.h5"), Path("new.h5")


@dataclass
class Drawing:
    """Stands in for the session."""

    model_path: Path = OLD
    writer: str = "me"
    used: list[Path] = field(default_factory=list)

    def use_model(self, path: Path) -> None:
        self.used.append(path)
        self.model_path = path


class Guided(QObject):
    """Stands in for the guided session; `run` is anything while one goes on."""

    ended = Signal(str)
    run: object = None

    def end(self) -> None:
        self.run = None
        self.ended.emit("59 of 60 read right")


class Bench:
    def __init__(self) -> None:
        self.drawing, self.guided, self.is_wished = Drawing(), Guided(), True
        self.told: list[str] = []
        self.promotion = AutomaticPromotion(
            session=self.drawing,  # type: ignore[arg-type]
            guided=self.guided,  # type: ignore[arg-type]
            is_wished=lambda: self.is_wished,
        )
        self.promotion.told.connect(self.told.append)


@pytest.fixture
def bench(qapp: object) -> Bench:
    return Bench()


def finished(advice: str = "use") -> RunFinished:
    return RunFinished(
        "run", "completed", str(NEW), 1, 1, 2.0, {}, {"advice": advice, "sentence": "reads more"}
    )


def test_that_a_better_model_is_used_at_once(bench: Bench) -> None:
    bench.promotion.run_ended(finished())
    assert bench.drawing.used == [NEW]
    assert bench.told == ["A better model is in use: it reads more."]


def test_that_what_is_not_better_or_not_wished_or_no_model_is_left_alone(bench: Bench) -> None:
    bench.promotion.run_ended(finished("ask"))
    bench.promotion.run_ended(RunCancelled("run"))
    bench.is_wished = False
    bench.promotion.run_ended(finished())
    assert bench.drawing.used == bench.told == []


def test_that_it_waits_for_the_end_of_a_guided_session_and_says_so(bench: Bench) -> None:
    bench.guided.run = "going on"
    bench.promotion.run_ended(finished())
    assert (bench.drawing.used, bench.told) == ([], [WAITING])
    bench.guided.end()
    assert bench.drawing.used == [NEW]
    bench.guided.end()
    assert bench.drawing.used == [NEW]


@pytest.mark.parametrize("change", [{"model_path": Path("chosen.h5")}, {"writer": "Ada"}])
def test_that_a_comparison_that_is_out_of_date_decides_nothing(
    bench: Bench, change: dict[str, object]
) -> None:
    bench.guided.run = "going on"
    bench.promotion.run_ended(finished())
    for name, value in change.items():
        setattr(bench.drawing, name, value)
    bench.guided.end()
    assert bench.drawing.used == []


def test_that_a_change_of_mind_meanwhile_counts(bench: Bench) -> None:
    bench.guided.run = "going on"
    bench.promotion.run_ended(finished())
    bench.is_wished = False
    bench.guided.end()
    assert bench.drawing.used == []
