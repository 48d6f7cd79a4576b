from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SAVE_OVER_AND_OVER = """
import sys
from pathlib import Path
from qtdigits.core.recipe import Recipe
from qtdigits.training.run_record import model_path_for, store_model
from qtdigits.training.jobs import TrainingJob
from tests.store.values import a_model

request = TrainingJob(id="run", recipe=Recipe(), data_dir=sys.argv[1], name="same")
for _ in range(10):
    out = model_path_for(request)
    print("ready", flush=True)
    sys.stdin.readline()
    store_model(a_model(), request, out)
"""


def test_that_trainings_that_end_at_once_do_not_overwrite_one_anothers_model(tmp_path: Path) -> None:
    terminals = [
        subprocess.Popen(
            [sys.executable, "-c", SAVE_OVER_AND_OVER, tmp_path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        for _ in range(2)
    ]
    for _ in range(10):
        for terminal in terminals:
            assert terminal.stdout is not None
            assert terminal.stdout.readline() == b"ready\n"
        for terminal in terminals:
            assert terminal.stdin is not None
            terminal.stdin.write(b"\n")
    for terminal in terminals:
        terminal.communicate()
    assert [terminal.returncode for terminal in terminals] == [0, 0]
    assert len(list((tmp_path / "models").glob("same*.h5"))) == 20
