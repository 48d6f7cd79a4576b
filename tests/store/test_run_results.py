"""The result of a run on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from qtdigits.core.run.events import RunCancelled, RunFinished, encode_event
from qtdigits.errors import InputError
from qtdigits.store.run_files import load_result, save_result

SCORES = {"MNIST test": {"accuracy": 0.9, "n": 10, "classes": ["0", "π"], "confusion": [[5, 1], [0, 4]]}}
FINISHED = RunFinished("run", "completed", "/models/n.h5", 3, 2, 9.5, SCORES, {"sentence": "97 → 99 %"})


def test_that_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    save_result(tmp_path, FINISHED)
    assert load_result(tmp_path, "run") == FINISHED
    assert load_result(tmp_path, "another") is None


@pytest.mark.parametrize("content", ["", "junk", "{}", encode_event(RunCancelled("run")), "\xff"])
def test_that_a_file_that_is_no_result_is_said_to_be_damaged(tmp_path: Path, content: str) -> None:
    save_result(tmp_path, FINISHED)
    (tmp_path / "runs" / "run" / "result.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match="damaged"):
        load_result(tmp_path, "run")
