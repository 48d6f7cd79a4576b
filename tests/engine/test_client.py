"""The real engine behind the real client: it trains, obeys, dies and comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qtdigits.core.run.events import (
    BatchEnded,
    EngineLost,
    EngineReady,
    Event,
    Notice,
    RunCancelled,
    RunFailed,
    RunFinished,
)
from qtdigits.engine.client import KILLED, EngineClient, engine_command
from qtdigits.engine.protocol import ControlCommand, RunJob
from qtdigits.errors import EngineError
from qtdigits.store.model_files import check_model
from qtdigits.training.jobs import TrainingJob
from tiny_training import TINY_RECIPE, write_tiny_mnist

pytestmark = pytest.mark.tensorflow

ENDLESS = TINY_RECIPE.with_values(epochs=1000)


@pytest.fixture
def client(data_dir: Path) -> Iterator[EngineClient]:
    write_tiny_mnist(data_dir / "mnist.npz")
    client = EngineClient(data_dir=data_dir)
    client.start()
    yield client
    client.close()


def until(
    events: Iterator[Event], kind: type[Event] | object, then: Callable[[], object] = lambda: None
) -> list[Event]:
    """The events up to the first of `kind`; `then` is called when it has come."""
    seen = []
    for event in events:
        seen.append(event)
        if isinstance(event, kind):  # type: ignore[arg-type]
            then()
            return seen
    raise AssertionError(f"the stream ended with {seen[-1:]}")


def test_that_an_engine_trains_stops_cancels_and_ends_when_asked(
    client: EngineClient, data_dir: Path
) -> None:
    events = client.events()
    ready = until(events, EngineReady)[-1]
    assert isinstance(ready, EngineReady)
    assert ready.pid == client.pid
    assert "tensorflow" in ready.versions

    finished = _train(client, events, TrainingJob.new(TINY_RECIPE, data_dir=data_dir))[-1]
    assert isinstance(finished, RunFinished), finished
    assert (finished.outcome, finished.epochs) == ("completed", 2)
    assert check_model(Path(finished.model)).label_set.labels == tuple("0123456789")

    request = TrainingJob.new(ENDLESS, data_dir=data_dir)
    client.send(RunJob(request))
    until(events, BatchEnded, lambda: client.send(ControlCommand.STOP))
    stopped = until(events, RunFinished | RunFailed)[-1]
    assert isinstance(stopped, RunFinished), stopped
    assert (stopped.run, stopped.outcome) == (request.id, "stopped")

    request = TrainingJob.new(ENDLESS, data_dir=data_dir)
    client.send(RunJob(request))
    until(events, BatchEnded, lambda: client.send(RunJob(TrainingJob.new(ENDLESS, data_dir=data_dir))))
    busy = until(events, RunFailed)[-1]
    assert isinstance(busy, RunFailed)
    assert busy.kind == "busy"
    client.send(ControlCommand.CANCEL)
    assert until(events, RunCancelled)[-1] == RunCancelled(request.id)

    assert len(list((data_dir / "models").glob("*.h5"))) == 2
    client.close()
    assert list(events) == []
    assert not client.is_running
    with pytest.raises(EngineError):
        client.send(ControlCommand.STOP)


def _train(client: EngineClient, events: Iterator[Event], request: TrainingJob) -> list[Event]:
    client.send(RunJob(request))
    return until(events, RunFinished | RunFailed | RunCancelled)


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_that_kill_9_in_the_middle_is_reported_and_the_next_engine_works(
    client: EngineClient, data_dir: Path
) -> None:
    events = client.events()
    client.send(RunJob(TrainingJob.new(ENDLESS, data_dir=data_dir)))
    until(events, BatchEnded, lambda: os.kill(client.pid or 0, signal.SIGKILL))
    *_, lost = events
    assert lost == EngineLost(KILLED, -9)
    assert not list(data_dir.glob("models/*"))

    again = EngineClient(data_dir=data_dir)
    again.start()
    try:
        finished = _train(again, again.events(), TrainingJob.new(TINY_RECIPE, data_dir=data_dir))[-1]
    finally:
        again.close()
    assert isinstance(finished, RunFinished), finished


@pytest.mark.skipif(os.name == "nt", reason="SIGTERM is POSIX")
def test_that_a_terminated_engine_gives_up_its_run_and_goes(client: EngineClient, data_dir: Path) -> None:
    events = client.events()
    client.send(RunJob(TrainingJob.new(ENDLESS, data_dir=data_dir)))
    until(events, BatchEnded, lambda: os.kill(client.pid or 0, signal.SIGTERM))
    *_, cancelled, lost = events
    assert isinstance(cancelled, RunCancelled)
    assert lost == EngineLost("The training engine stopped (exit code 0).", 0)


def test_that_an_engine_ends_with_its_input_even_while_it_trains(data_dir: Path) -> None:
    """As when the window crashed: nobody said goodbye, the pipe is just closed."""
    from qtdigits.engine.protocol import encode_command

    write_tiny_mnist(data_dir / "mnist.npz")
    train = encode_command(RunJob(TrainingJob.new(ENDLESS, data_dir=data_dir)))
    engine = subprocess.Popen(
        engine_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert engine.stdin is not None
    assert engine.stdout is not None
    with engine:
        engine.stdin.write(train + "\nno command\n")
        engine.stdin.flush()
        lines = []
        for line in engine.stdout:
            lines.append(line)
            if "batch_ended" in line and not engine.stdin.closed:
                engine.stdin.close()
    assert engine.returncode == 0
    assert any(Notice.__name__.lower() in line and "did not understand" in line for line in lines)
    assert "run_cancelled" in lines[-1]


def test_that_an_engine_without_input_ends_at_once(data_dir: Path) -> None:
    done = subprocess.run(
        engine_command(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert all(line.startswith('{"event"') for line in done.stdout.splitlines())


SPEAKS = """
import sys
print('{"event": "engine_ready", "pid": 1}', flush=True)
print('what is this', flush=True)
sys.stdin.readline()
print('last words', file=sys.stderr)
print('{"event": "run_canc', end="", flush=True)
sys.exit(3)
"""


def test_that_the_last_words_of_a_crashed_engine_are_passed_on(data_dir: Path) -> None:
    client = EngineClient(command=[sys.executable, "-c", SPEAKS], data_dir=data_dir)
    client.start()
    events = client.events()
    assert isinstance(next(events), EngineReady)
    client.send(ControlCommand.STOP)
    assert list(events) == [
        EngineLost("The training engine stopped (exit code 3). It said last: last words", 3)
    ]
    client.close()
    assert "last words" in (data_dir / "logs" / "engine.log").read_text()


def test_that_the_log_before_is_kept(data_dir: Path) -> None:
    for _ in range(2):
        client = EngineClient(command=[sys.executable, "-c", SPEAKS], data_dir=data_dir)
        client.start()
        client.close()
    assert {file.name for file in (data_dir / "logs").iterdir()} == {"engine.log", "engine.previous.log"}


def test_that_an_engine_that_does_not_listen_is_ended(data_dir: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('{}', flush=True); time.sleep(600)"
    client = EngineClient(command=[sys.executable, "-c", deaf], data_dir=data_dir)
    client.start()
    client.close(timeout_s=0.2)
    assert not client.is_running


@pytest.mark.skipif(sys.platform == "win32", reason="there are neither process groups nor sessions")
def test_that_ctrl_c_does_not_reach_the_engine_and_its_low_priority_counts_beside_the_window(
    data_dir: Path,
) -> None:
    client = EngineClient(command=[sys.executable, "-c", SPEAKS], data_dir=data_dir)
    client.start()
    pid = client.pid
    assert pid is not None
    assert os.getpgid(pid) == pid
    assert os.getsid(pid) == os.getsid(0)
    client.close()


def test_that_a_killed_engine_is_lost(data_dir: Path) -> None:
    client = EngineClient(command=[sys.executable, "-c", SPEAKS], data_dir=data_dir)
    client.start()
    events = client.events()
    next(events)
    client.kill()
    assert isinstance(list(events)[-1], EngineLost)
    client.kill()
    client.close()


def test_that_an_engine_that_cannot_be_started_says_so(data_dir: Path) -> None:
    client = EngineClient(command=[str(data_dir / "no-such-program")], data_dir=data_dir)
    with pytest.raises(EngineError, match="could not be started"):
        client.start()
    with pytest.raises(EngineError, match="not running"):
        client.send(ControlCommand.STOP)
    client.close()


def test_that_an_unwritable_log_does_not_keep_the_engine_from_starting(data_dir: Path) -> None:
    (data_dir / "logs").write_text("a file where the folder should be")
    client = EngineClient(command=[sys.executable, "-c", SPEAKS], data_dir=data_dir)
    client.start()
    events = client.events()
    next(events)
    client.send(ControlCommand.STOP)
    assert "last words" in str(list(events)[-1])
