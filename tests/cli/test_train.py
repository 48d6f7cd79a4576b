from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cli.running import Outcome, Run, on_terminal, python, signalled_in_second_epoch
from qtdigits.cli import training_run
from qtdigits.cli.main import make_parser
from qtdigits.cli.train import chosen_recipe
from qtdigits.cli.training_run import obeying_signals
from qtdigits.cli.training_view import PlainView
from qtdigits.core.formatting import duration
from qtdigits.core.recipe import AUGMENTATION_FIELDS, FIELDS
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run.control import Control
from qtdigits.core.run.events import Notice, Progress, RunCancelled, RunFinished, Terminal, decode_event
from qtdigits.core.score.metrics import MOST_IN_CELL
from qtdigits.store.model_files import load_model
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.runs import RunRecord
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob

SMALL = (
    "--recipe",
    "mlp-50-50",
    "--mnist-images",
    "0",
    "--dense",
    "6",
    "--batch-size",
    "32",
    "--epochs",
    "2",
)


@pytest.fixture(scope="module")
def events_run(tmp_path_factory: pytest.TempPathFactory, ink_file: Path) -> tuple[Outcome, Path]:
    """`train --events`, once for all tests that look at what comes out."""
    folder = tmp_path_factory.mktemp("events")
    arguments = ("--data-dir", folder, "--ink", ink_file, "--score-on", ink_file, *SMALL, "--name", "little")
    log = ("--tensorboard", folder / "logs")
    return python("-m", "qtdigits", "train", *arguments, *log, "--events"), folder


@pytest.mark.tensorflow
def test_that_events_come_as_lines_and_end_with_one_terminal_event(events_run: tuple[Outcome, Path]) -> None:
    done, folder = events_run
    assert done.code == 0, done.err
    events = [decode_event(line) for line in done.out.splitlines()]
    names = [type(event).__name__ for event in events]
    assert names.count("RunStarted") == 1
    assert names.count("EpochEnded") == 2
    assert [name for name in names if name in {"RunFinished", "RunCancelled", "RunFailed"}] == ["RunFinished"]
    last = events[-1]
    assert isinstance(last, RunFinished)
    assert Path(last.model).parent == folder / "models"
    assert set(last.scores) == {"validation", "drawings"}


@pytest.mark.tensorflow
def test_that_a_log_for_tensorboard_is_kept_beside_the_events(events_run: tuple[Outcome, Path]) -> None:
    done, folder = events_run
    last = decode_event(done.out.splitlines()[-1])
    assert isinstance(last, RunFinished)
    found = sorted(path.parent.name for path in (folder / "logs" / last.run).glob("*/events.out.tfevents.*"))
    assert found == ["train", "validation"]


@pytest.mark.tensorflow
def test_that_the_drawings_behind_the_figures_are_kept(events_run: tuple[Outcome, Path]) -> None:
    done, folder = events_run
    last = decode_event(done.out.splitlines()[-1])
    assert isinstance(last, RunFinished)
    kept = RunFolder(folder, last.run).readings()
    assert set(kept) == set(last.scores)
    confusion = np.array(last.scores["drawings"]["confusion"])
    wrong = confusion - np.diag(np.diagonal(confusion))
    truth, answer = np.unravel_index(wrong.argmax(), wrong.shape)
    assert len(kept["drawings"].of_cell(truth, answer)) == min(wrong.max(), MOST_IN_CELL) > 0


def test_that_a_file_is_no_folder_for_tensorboard(run: Run, tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    done = run("train", "--tensorboard", tmp_path / "logs")
    assert done.code == 2
    assert "is not a folder" in done.err


@pytest.mark.tensorflow
def test_that_the_model_is_among_the_persons_models(events_run: tuple[Outcome, Path], run: Run) -> None:
    _, folder = events_run
    rows = run("models", "list", "--json", "--data-dir", folder).json["models"]
    own = [row for row in rows if not row["shipped"]]
    assert [(row["name"], row["title"]) for row in own] == [("little", "MLP 6")]


@pytest.mark.tensorflow
def test_that_json_is_one_object_with_the_figures(ink_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.h5"
    arguments = ("--data-dir", tmp_path / "data", "--ink", ink_file, *SMALL, "--out", out, "--seed", "7")
    done = python("-m", "qtdigits", "train", *arguments, "--json")
    assert done.code == 0, done.err
    assert done.json["outcome"] == "completed"
    assert done.json["model"] == str(out)
    assert done.json["scores"]["validation"]["n"] > 0
    assert "epoch 2/2" in done.err
    model = load_model(out)
    assert (model.recipe.seed, model.recipe.epochs, model.name) == (7, 2, "model")


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_that_each_field_of_a_recipe_is_an_option(field: object) -> None:
    values = {
        "blocks": "8:3:2",
        "dense": "20, 10",
        "optimizer": "nadam",
        "learning_rate": "0.01",
        "loss": "mean_squared_error",
        "validation_fraction": "0.25",
        "pooling": "average",
        "schedule": "one-cycle",
        "weight_decay": "0.001",
        "label_smoothing": "0.05",
        "characters_weight": "0.5",
        "characters_augmentation": "1.5",
        "signs_share": "0.25",
        "calibration": "temperature",
        "precision": "auto",
        "augmentation": "0.5",
        "start": "champion",
        "keep": "last",
        "rehearsal": "answers",
        "drawings_share": "0.5",
        **{varied.name: "0.125" for varied in AUGMENTATION_FIELDS},
    }
    name = field.name  # type: ignore[attr-defined]
    given = values.get(name, "3")
    args = make_parser().parse_args(["train", "--recipe", "mlp-50-50", field.flag, given])  # type: ignore[attr-defined]
    recipe = chosen_recipe(args).to_json()
    assert str(recipe[name]) == given
    assert {**recipe, name: None} == {**load_recipe("mlp-50-50").to_json(), name: None}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--recipe", "nonsense"], "nonsense"),
        (["--epochs", "0"], "epochs"),
        (["--epochs", "many"], "epochs"),
        (["--optimizer", "magic"], "optimizer"),
        (["--dense", "50:wave"], "wave"),
        (["--validation-fraction", "0.9"], "validation_fraction"),
        (["--ink", "missing.jsonl"], "missing.jsonl"),
        (["--characters", "missing.jsonl"], "missing.jsonl"),
        (["--turned-characters", __file__], "--characters-weight"),
        (["--csv", "images.csv", "labels.csv"], "images.csv"),
        (["--mnist", "missing.npz"], "missing.npz"),
        (["--score-on", "missing.npz"], "missing.npz"),
        (["--recipe", "quick", "--base", "mlp-50-50"], "--base"),
    ],
)
def test_that_a_request_that_cannot_be_is_refused_before_anything_is_loaded(
    run: Run, data_dir: Path, arguments: list[str], named: str
) -> None:
    done = run("train", *arguments)
    assert done.code == 2
    assert done.out == ""
    assert named in done.complaint
    assert list(data_dir.iterdir()) == []


def test_that_a_bad_recipe_file_is_named_with_its_field(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("epochs = 0\n")
    done = run("train", "--recipe", file)
    assert done.code == 2
    assert str(file) in done.complaint
    assert "epochs" in done.err


def test_that_an_empty_recipe_file_is_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.touch()
    done = run("train", "--recipe", file)
    assert done.code == 2
    assert f"{file} holds no field" in done.complaint


def test_that_a_failed_run_exits_by_the_kind_of_its_error(run: Run, tmp_path: Path, ink_file: Path) -> None:
    nowhere = run("train", "--ink", ink_file, *SMALL, "--out", tmp_path / "no folder" / "model.h5")
    assert nowhere.code == 2
    assert "no folder" in nowhere.err.splitlines()[-1]
    nothing = run("train", "--mnist-images", "0")
    assert nothing.code == 1
    assert nothing.err.splitlines()[-1].startswith("qtdigits: There is nothing to train on.")


def test_that_a_bad_line_in_an_ink_file_ends_the_run_with_2_and_no_model(
    run: Run, data_dir: Path, tmp_path: Path
) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"label": "7", "strokes": [[[1, 2]]]}\n{"label": "7"}\n')
    done = run("train", "--ink", file, *SMALL)
    assert done.code == 2
    assert f"{file}, line 2" in done.err.splitlines()[-1]
    assert not list(data_dir.glob("models/*"))


# Ctrl+C

LONG = (
    "--mnist-images",
    "0",
    "--recipe",
    "mlp-50-50",
    "--epochs",
    "1000",
    "--drawings-weight",
    "1",
    "--events",
)


def long_training(folder: Path, ink_file: Path) -> list[str]:
    """The arguments of a training for a thousand epochs."""
    where = ("--data-dir", str(folder), "--ink", str(ink_file))
    return ["train", *where, *LONG]


def interrupted(folder: Path, ink_file: Path, *, by: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
    """Train for a thousand epochs; press Ctrl+C, or send `by`, when the second has ended."""
    command = [sys.executable, "-m", "qtdigits", *long_training(folder, ink_file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stderr
    guard = threading.Timer(200, process.kill)
    guard.start()
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if '"epoch_ended"' in line and '"epoch": 2' in line:
                break
        process.send_signal(by)
        out, err = process.communicate()
    finally:
        guard.cancel()
        guard.join()
    return process.returncode, "".join(lines) + out, err


@pytest.mark.tensorflow
@pytest.mark.skipif(os.name == "nt", reason="Ctrl+C cannot be sent to one process there")
def test_that_ctrl_c_keeps_the_best_so_far(tmp_path: Path, ink_file: Path) -> None:
    code, out, err = interrupted(tmp_path, ink_file)
    assert code == 0, err
    assert training_run.STOPPING in err
    last = decode_event(out.splitlines()[-1])
    assert isinstance(last, RunFinished)
    assert last.outcome == "stopped"
    assert last.epochs < 1000
    assert load_model(Path(last.model)).history.best_epoch == last.best_epoch


@pytest.mark.tensorflow
@pytest.mark.skipif(os.name == "nt", reason="Ctrl+C cannot be sent to one process there")
def test_that_ctrl_c_twice_leaves_nothing(tmp_path: Path, ink_file: Path) -> None:
    folder = tmp_path / "data"
    done = signalled_in_second_epoch("SIGINT SIGINT", *long_training(folder, ink_file))
    assert done.code == 130, done.err
    assert training_run.CANCELLING in done.err
    assert '"run_cancelled"' in done.out.splitlines()[-1]
    assert not list(folder.glob("models/*"))


@pytest.mark.tensorflow
@pytest.mark.skipif(os.name == "nt", reason="Ctrl+C cannot be sent to one process there")
def test_that_ctrl_c_three_times_has_one_ending_too(tmp_path: Path, ink_file: Path) -> None:
    done = signalled_in_second_epoch("SIGINT SIGINT SIGINT", *long_training(tmp_path, ink_file))
    events = list(map(decode_event, done.out.splitlines()))
    assert [event for event in events if isinstance(event, Terminal)] == events[-1:], done.err
    assert isinstance(events[-1], RunCancelled)
    assert done.code == 130


@pytest.mark.tensorflow
@pytest.mark.skipif(os.name == "nt", reason="there a process is terminated without being asked")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_that_a_training_that_is_asked_to_end_can_be_resumed(
    tmp_path: Path, ink_file: Path, run: Run, name: str
) -> None:
    if signal.getsignal(signal.Signals[name]) is signal.SIG_IGN:
        pytest.skip(f"these tests run where {name} is ignored, as under nohup")
    code, out, err = interrupted(tmp_path, ink_file, by=signal.Signals[name])
    assert code == 130
    assert err.splitlines()[0] == training_run.INTERRUPTING
    events = list(map(decode_event, out.splitlines()))
    (ending,) = (event for event in events if isinstance(event, Terminal))
    assert ending == events[-1] == RunCancelled(ending.run, is_interrupted=True)
    assert f"qtdigits train --resume {ending.run}" in err
    (row,) = run("runs", "list", "--data-dir", tmp_path, "--json").json["runs"]
    assert row["state"] == "interrupted"
    kept = RunFolder(tmp_path, ending.run).latest_checkpoint()
    assert kept is not None
    assert kept.epochs >= 2


@pytest.mark.skipif(os.name == "nt", reason="signals are sent to oneself in another way there")
def test_that_being_asked_to_end_twice_is_no_more_than_once() -> None:
    resumable, other = Control(), Control()
    with obeying_signals(resumable, interrupting="To be resumed."):
        for _ in range(2):
            signal.raise_signal(signal.SIGTERM)
    assert resumable.is_interrupted
    with obeying_signals(other):
        for _ in range(2):
            signal.raise_signal(signal.SIGTERM)
    assert (other.is_stopping, other.is_cancelled) == (True, False)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.skipif(os.name == "nt", reason="a terminal that is closed sends no signal there")
def test_that_nohup_keeps_a_training_from_hearing_of_its_terminal() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with obeying_signals(control := Control(), interrupting="To be resumed."):
            signal.raise_signal(signal.SIGHUP)
        assert not control.is_stopping
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(os.name == "nt", reason="signals are sent to oneself in another way there")
def test_that_the_third_interrupt_ends_the_process_whatever_it_waits_for() -> None:
    done = python(
        "-c",
        """
import signal, threading
from qtdigits.cli.training_run import obeying_signals
from qtdigits.core.run.control import Control
threading.Thread(target=threading.Event().wait).start()  # Python would wait for it, for ever
with obeying_signals(Control(), last_words=lambda: print("ended", flush=True) is None):
    for _ in range(3):
        signal.raise_signal(signal.SIGINT)
""",
    )
    assert done.out == "ended\n"
    assert (done.code, done.err.splitlines()[1:]) == (130, [training_run.CANCELLING, training_run.LEAVING])


@pytest.mark.skipif(os.name == "nt", reason="signals are sent to oneself in another way there")
@pytest.mark.parametrize(
    ("told", "presses", "code", "lines"),
    [
        ("Progress", 3, 130, ["Progress", "RunCancelled"]),
        ("Progress", 4, 130, []),
        ("RunCancelled", 3, 0, ["RunCancelled", "over"]),
    ],
)
def test_that_a_third_interrupt_in_the_middle_of_an_event_lets_it_be_told_and_a_fourth_does_not(
    told: str, presses: int, code: int, lines: list[str]
) -> None:
    done = python(
        "-c",
        f"""
import contextlib, signal
from types import SimpleNamespace
from qtdigits.cli import training_run
from qtdigits.core.run.events import Progress, RunCancelled

class View(contextlib.nullcontext):
    def show(self, event):
        if type(event).__name__ == "{told}":
            for _ in range({presses}):
                signal.raise_signal(signal.SIGINT)
        print(type(event).__name__, flush=True)

def train_fake(request, *, emit, control):
    emit(Progress("r", "data", 1, 2) if "{told}" == "Progress" else RunCancelled("r"))

training_run.train_job = train_fake
training_run.run_training(SimpleNamespace(id="r"), View())
print("over", flush=True)
""",
    )
    assert (done.out.splitlines(), done.code) == (lines, code), done.err


@pytest.mark.skipif(os.name == "nt", reason="signals are sent to oneself in another way there")
def test_that_the_first_interrupt_stops_and_the_second_cancels() -> None:
    control = Control()
    before = signal.getsignal(signal.SIGINT)
    with obeying_signals(control):
        signal.raise_signal(signal.SIGINT)
        assert (control.is_stopping, control.is_cancelled) == (True, False)
        signal.raise_signal(signal.SIGINT)
        assert control.is_cancelled
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.tensorflow
def test_that_a_training_whose_events_nobody_reads_any_more_can_be_resumed(
    tmp_path: Path, ink_file: Path, run: Run
) -> None:
    command = [sys.executable, "-m", "qtdigits", *long_training(tmp_path, ink_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        next(line for line in process.stdout if '"epoch_ended"' in line)
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1
    (row,) = run("runs", "list", "--data-dir", tmp_path, "--json").json["runs"]
    assert row["state"] == "interrupted"
    assert RunFolder(tmp_path, row["id"]).has_checkpoint
    assert not list(tmp_path.glob("models/*"))


# What is shown


def test_that_what_libraries_print_does_not_get_between_the_results() -> None:
    done = python(
        "-c",
        """
import os
from qtdigits.cli.training_run import stdout_for_results
with stdout_for_results() as results:
    print("from Python", flush=True)
    os.write(1, b"from C++\\n")
    results.write("a result\\n")
print("afterwards")
""",
    )
    assert done.out == "a result\nafterwards\n"
    assert done.err == "from Python\nfrom C++\n"


def test_that_plain_lines_say_each_thing_once(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainView() as view:
        for done in range(3):
            view.show(Progress("r", "Reading", done, 3))
        view.show(Notice("r", "MNIST was not found."))
    assert capsys.readouterr().err == "Reading …\nMNIST was not found.\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0:00"), (59.7, "1:00"), (754.0, "12:34"), (3723.0, "1:02:03"), (float("nan"), "?")],
)
def test_that_durations_read_like_a_clock(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.tensorflow
@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_that_people_see_a_live_bar_and_then_a_table_and_the_path(tmp_path: Path, ink_file: Path) -> None:
    out = tmp_path / "model.h5"
    arguments = ("--data-dir", tmp_path / "data", "--ink", ink_file, *SMALL, "--out", out)
    done, shown = on_terminal("-m", "qtdigits", "train", *arguments)
    assert done.code == 0
    for text in ("MLP 6 (4,780 weights, 10 classes)", "Epoch 1 of 2", "epoch 2/2", "images/s"):
        assert text in shown
    lines = done.out.splitlines()
    assert lines[0].startswith("completed after 2 epochs")
    assert any(line.startswith("validation ") for line in lines)
    assert lines[-1] == str(out)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--resume", "zz"), "There is no run 'zz'"),
        (("--resume", ""), "There is no run ''"),
        (("--resume", "zz", "--epochs", "3"), "--epochs does not go with --resume"),
        (("--resume", "zz", "--no-drawings"), "--no-drawings does not go with --resume"),
        (("--more-epochs", "3"), "There is no run to extend"),
        (("--resume", "zz", "--more-epochs", "-3"), "cannot be extended by -3 epochs"),
    ],
)
def test_that_a_run_keeps_its_recipe_and_its_data(run: Run, arguments: tuple[str, ...], said: str) -> None:
    done = run("train", *arguments)
    assert done.code == 2
    assert said in done.complaint


def test_that_a_run_that_has_ended_has_to_be_extended_and_one_that_is_not_kept_cannot_go_on(
    run: Run, data_dir: Path
) -> None:
    with SampleStore.open(data_dir) as store:
        for name in ("ended", "begun"):
            store.runs.add(RunRecord(name, {}))
        store.runs.end("ended", state="completed")
    request = TrainingJob(id="ended", recipe=load_recipe("quick"), data_dir="elsewhere")
    RunFolder(data_dir, "ended").write_request(request.to_json())
    assert "number of epochs" in run("train", "--resume", "ended").complaint
    assert "has no checkpoint" in run("train", "--resume", "ended", "--more-epochs", "2").complaint
    assert "not known any more" in run("train", "--resume", "begun").complaint
    RunFolder(data_dir, "begun").write_request(replace(request, id="begun").to_json())
    extended = run("train", "--resume", "begun", "--more-epochs", "2")
    assert "has not ended (interrupted)" in extended.complaint
