"""What every test gets: no display, no network, no access to the person's own files, and no mess left behind.

Start-up order: this module sets the environment before pytest-qt imports Qt; `pytest_configure` makes the scratch
home; the autouse fixtures below go round every test; `hygiene` does their looking.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from hygiene import Leftovers, LogWatch, refuse_network

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

# The data sets are taken out of the environment, so that a test behaves the same with and without them;
# a test that wants one asks for its fixture.
DATA_VARIABLES = ("QTDIGITS_MNIST", "QTDIGITS_INK", "QTDIGITS_REPORT_CSV")
# Workers of pytest-xdist inherit this process's environment: for them they are kept under another name.
_given_data = {
    name: path
    for name in DATA_VARIABLES
    if (path := os.environ.pop(name, "") or os.environ.get(f"TESTS_{name}", ""))
}
os.environ.update({f"TESTS_{name}": path for name, path in _given_data.items()})

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# A busy machine must not fail a property for being slow; pytest-timeout looks after what hangs.
hypothesis.settings.register_profile("qtdigits", deadline=None, print_blob=True)
hypothesis.settings.load_profile("qtdigits")

_scratch_home = pytest.StashKey[Path]()
_call_failed = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Point everything that looks for a home at a scratch folder, in this process and in its children."""
    scratch = Path(tempfile.mkdtemp(prefix="qtdigits-tests-"))
    config.stash[_scratch_home] = scratch
    os.environ["QTDIGITS_DATA_DIR"] = str(scratch / "data")
    os.environ["KERAS_HOME"] = str(scratch / "keras")
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"):
        os.environ[name] = str(scratch)
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        os.environ[name] = str(scratch / name.lower())
    refuse_network()


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[_scratch_home], ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark by folder: `-m "not tensorflow"` leaves out what takes long."""
    tests = config.rootpath / "tests"
    folder_markers = {"gui": pytest.mark.gui, "ml": pytest.mark.tensorflow}
    for item in items:
        folder = item.path.relative_to(tests).parts[0] if item.path.is_relative_to(tests) else ""
        if folder in folder_markers:
            item.add_marker(folder_markers[folder])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[_call_failed] = report.failed
    return report


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread, a timer, a process or a window behind.

    A test that has failed already is not blamed again (its traceback keeps its objects alive), but cleaned up after.
    """
    leftovers = Leftovers()
    leftovers.watch()
    try:
        yield
    finally:
        found = leftovers.collect()
    if found and not request.node.stash.get(_call_failed, False):
        pytest.fail("left behind: " + "; ".join(found), pytrace=False)


@pytest.fixture(autouse=True)
def no_unexpected_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that logs a warning or an error which it does not announce with `expects_log`."""
    expected = [marker.args[0] for marker in request.node.iter_markers("expects_log")]
    with LogWatch(expected) as watch:
        yield
    if request.node.stash.get(_call_failed, False):
        return
    if watch.unexpected:
        pytest.fail("unexpected log: " + "; ".join(watch.unexpected), pytrace=False)
    if watch.missing:
        pytest.fail("expected log that did not come: " + "; ".join(watch.missing), pytrace=False)


@pytest.fixture
def qtbot(qapp: object, request: pytest.FixtureRequest) -> QtBot:
    """pytest-qt's, but one that waits for a busy machine."""
    from patience import PatientQtBot

    return PatientQtBot(request)


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder of the test's own, found through `QTDIGITS_DATA_DIR` here and in child processes."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("QTDIGITS_DATA_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def mnist_path() -> Path:
    """`mnist.npz` as Keras publishes it."""
    return _given("QTDIGITS_MNIST")


@pytest.fixture(scope="session")
def ink_dir() -> Path:
    """A folder of ink collections, `*.jsonl.gz` and UNIPEN."""
    return _given("QTDIGITS_INK")


@pytest.fixture(scope="session")
def report_csv_dir() -> Path:
    """The corrections of the 2022 report, `images.csv` and `labels.csv`."""
    return _given("QTDIGITS_REPORT_CSV")


def _given(variable: str) -> Path:
    if variable not in _given_data:
        pytest.skip(f"{variable} is not set")
    path = Path(_given_data[variable])
    assert path.exists(), f"{variable} names {path}, which does not exist"
    return path
