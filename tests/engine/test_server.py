"""The engine's side without TensorFlow: who is told what, and when the process leaves."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest

from qtdigits.core.run.control import Control
from qtdigits.core.run.events import JobFinished, Notice, RunCancelled
from qtdigits.engine.protocol import Command, ControlCommand, RunJob, encode_command
from qtdigits.engine.server import Server
from qtdigits.training.jobs import LabelReviewJob, TrainingJob
from tiny_training import TINY_RECIPE


class Harness:
    """A server that hears commands in this thread. Its runs never begin: what matters is what is asked of them."""

    def __init__(self, *, events: io.TextIOBase | None = None) -> None:
        self.events = events or io.StringIO()
        self.exit_codes: list[int] = []
        self.heard: list[bytes] = []
        self.server = Server(commands=self._lines(), events=self.events, leave=self.exit_codes.append)  # type: ignore[arg-type]

    def _lines(self) -> Iterator[bytes]:
        while self.heard:
            yield self.heard.pop(0)

    def hear(self, *commands: Command | bytes) -> None:
        """Listen to these, and then to the end of the input."""
        self.heard += [c if isinstance(c, bytes) else encode_command(c).encode() + b"\n" for c in commands]
        self.server.listen()

    def jobs(self) -> list[tuple[str, Control] | None]:
        found = []
        while not self.server.jobs.empty():
            job = self.server.jobs.get()
            found.append(None if job is None else (job[0].id, job[1]))
        return found

    def said(self) -> list[dict[str, object]]:
        assert isinstance(self.events, io.StringIO)
        return [json.loads(line) for line in self.events.getvalue().splitlines()]


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qtdigits.engine.server.EXIT_GRACE_S", 0.0)


def train(run: str) -> RunJob:
    return RunJob(TrainingJob(run, "data", TINY_RECIPE))


def test_that_the_end_of_the_input_ends_an_idle_engine_at_once() -> None:
    engine = Harness()
    engine.hear()
    assert engine.exit_codes == [0]
    assert engine.jobs() == []


def test_that_quit_is_obeyed_once() -> None:
    engine = Harness()
    engine.hear(ControlCommand.QUIT, ControlCommand.QUIT)
    assert engine.exit_codes == [0]


def test_that_a_run_is_given_up_before_the_engine_ends() -> None:
    engine = Harness()
    engine.hear(train("a"))
    (run, control), end = engine.jobs()  # type: ignore[misc]
    assert run == "a"
    assert control.is_cancelled
    assert end is None


def test_that_a_stop_reaches_the_run_even_before_it_has_begun() -> None:
    engine = Harness()
    engine.server.handle(train("a"))
    engine.server.handle(ControlCommand.STOP)
    (_, control), *_ = engine.jobs()  # type: ignore[misc]
    assert control.is_stopping
    assert not control.is_cancelled
    engine.server.handle(ControlCommand.CANCEL)
    assert control.is_cancelled


def test_that_stop_and_cancel_without_a_run_do_nothing() -> None:
    engine = Harness()
    engine.server.handle(ControlCommand.STOP)
    engine.server.handle(ControlCommand.CANCEL)
    assert (engine.said(), engine.jobs()) == ([], [])


def test_that_a_second_run_is_refused_and_the_first_goes_on() -> None:
    engine = Harness()
    engine.server.handle(train("a"))
    engine.server.handle(train("b"))
    (refusal,) = engine.said()
    assert (refusal["event"], refusal["run"], refusal["kind"]) == ("run_failed", "b", "busy")
    ((run, control),) = engine.jobs()  # type: ignore[misc]
    engine.server.handle(ControlCommand.CANCEL)
    assert (run, control.is_cancelled) == ("a", True)


def test_that_the_next_run_may_come_in_answer_to_the_ending() -> None:
    engine = Harness()
    engine.server.handle(train("a"))
    engine.server.emit(RunCancelled("a"))
    engine.server.handle(train("b"))
    assert [job[0] for job in engine.jobs() if job] == ["a", "b"]
    assert [event["event"] for event in engine.said()] == ["run_cancelled"]


def test_that_what_is_no_command_is_answered_and_listening_goes_on() -> None:
    engine = Harness()
    engine.hear(b"\xff\xfe no command\n", train("a"))
    assert "did not understand" in str(engine.said()[0]["message"])
    assert engine.jobs()[0] is not None


class BrokenPipe(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_that_a_run_is_given_up_when_nobody_reads_its_events() -> None:
    engine = Harness(events=BrokenPipe())
    engine.server.handle(train("a"))
    ((_, control),) = engine.jobs()  # type: ignore[misc]
    engine.server.emit(Notice("a", "nobody reads this"))
    assert control.is_cancelled


def test_that_another_job_is_refused_during_a_run_and_accepted_after_it() -> None:
    engine = Harness()
    review = LabelReviewJob("e", "data")
    engine.server.handle(train("a"))
    engine.server.handle(RunJob(review))
    (refusal,) = engine.said()
    assert (refusal["event"], refusal["id"], refusal["error"]) == ("job_failed", "e", "busy")
    engine.server.emit(RunCancelled("a"))
    engine.server.handle(RunJob(review))
    engine.server.handle(train("b"))
    assert engine.said()[-1]["run"] == "b"
    engine.server.emit(JobFinished("e", "label review", {"n": 3}))
    engine.server.handle(train("c"))
    taken = [engine.server.jobs.get() for _ in range(3)]
    assert [job[0] for job in taken if job][1] == review
