"""The public API: its documentation's examples run, and importing it loads nothing heavy."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import qtdigits
from qtdigits.core.run.control import Control
from qtdigits.errors import CancelledError, InputError, TrainingError

DOCS = Path(__file__).parent.parent / "docs"
NAMES = {
    "Ink",
    "Judging",
    "Memory",
    "Reader",
    "Reading",
    "SampleStore",
    "Score",
    "evaluate",
    "normalise_image",
    "render",
    "train",
}


@pytest.mark.tensorflow
def test_that_the_examples_of_the_documentation_run(capsys: pytest.CaptureFixture[str]) -> None:
    page = DOCS / "api.md"
    examples = re.findall(
        r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(examples) >= 7
    names: dict[str, object] = {}
    for number, example in enumerate(examples, 1):
        exec(compile(example, f"{page.name}, example {number}", "exec"), names)
    assert "completed" in capsys.readouterr().out


@pytest.mark.tensorflow
@pytest.mark.slow
def test_that_the_example_of_an_own_hand_learns_it() -> None:
    done = subprocess.run(
        [sys.executable, DOCS / "examples" / "own_hand.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "60 drawings by synthetic" in done.stdout
    assert re.search(r"^after: \d+ of 30 later drawings read right", done.stdout, re.MULTILINE)


def test_that_importing_it_loads_nothing_heavy() -> None:
    heavy = {"PySide6", "tensorflow", "keras", "pandas", "pyqtgraph", "numpy", "h5py", "ai_edge_litert"}
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, qtdigits; print(sorted(set(sys.modules) & {heavy}))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_that_it_offers_exactly_what_it_documents() -> None:
    assert {name for name in dir(qtdigits) if not name.startswith("_")} == NAMES
    for name in NAMES:
        assert getattr(qtdigits, name).__doc__
        assert name in (DOCS / "api.md").read_text(encoding="utf-8")
    with pytest.raises(AttributeError, match="draw"):
        qtdigits.draw  # noqa: B018


@pytest.mark.tensorflow
def test_that_a_training_that_ends_without_a_model_raises(data_dir: Path) -> None:
    cancelled = Control()
    cancelled.cancel()
    with pytest.raises(CancelledError):
        qtdigits.train("quick", data_dir=data_dir, control=cancelled)
    with pytest.raises(TrainingError, match=r"nothing-here\.h5"):
        qtdigits.train("my-hand", data_dir=data_dir, base=str(data_dir / "nothing-here.h5"))


@pytest.mark.parametrize("settings", [{"epoch": 3}, {"epochs": 0}, {"epochs": "many"}])
def test_that_settings_that_cannot_be_are_refused_before_anything_is_trained(
    data_dir: Path, settings: dict[str, object]
) -> None:
    with pytest.raises(InputError, match="epoch"):
        qtdigits.train("quick", data_dir=data_dir, **settings)


def test_that_data_and_models_that_are_not_there_are_named(data_dir: Path) -> None:
    with pytest.raises(InputError, match="no-such-model"):
        qtdigits.Reader.open("no-such-model", data_dir=data_dir)
    with pytest.raises(InputError, match="no-such-file"):
        qtdigits.evaluate("default", data_dir / "no-such-file.jsonl", data_dir=data_dir)
