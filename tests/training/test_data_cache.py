from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from qtdigits.errors import DataMissingError, StoreError
from qtdigits.training import data_cache as fetching
from qtdigits.training.data_cache import DataCache, fetch_mnist


class Network:
    """Stands in for `download_mnist`: each call gets as far as the next of `steps`, and breaks off if that is not the end."""

    def __init__(self, *steps: int, total: int = 100) -> None:
        self._steps, self._total = list(steps), total
        self.calls = 0

    def __call__(self, folder: Path, *, progress: Callable[[int, int], None], timeout_s: float) -> Path:
        assert timeout_s > 0
        self.calls += 1
        if self._steps:
            reached = self._steps.pop(0)
            progress(reached, self._total)
            if reached == self._total:
                return folder / "mnist.npz"
        raise DataMissingError("The connection broke.")


def ignore(_done: int, _total: int) -> None:
    pass


def test_that_a_download_that_breaks_goes_on_as_long_as_something_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "download_mnist", Network(30, 80, 100))
    seen: list[tuple[int, int]] = []
    assert (
        fetch_mnist(tmp_path, progress=lambda done, total: seen.append((done, total)))
        == tmp_path / "mnist.npz"
    )
    assert seen == [(30, 100), (80, 100), (100, 100)]


def test_that_nobody_waits_for_a_network_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network()
    monkeypatch.setattr(fetching, "download_mnist", network)
    with pytest.raises(DataMissingError):
        fetch_mnist(tmp_path, progress=ignore)
    assert network.calls == 1


def test_that_a_connection_that_brings_nothing_new_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(40, 40, 100)
    monkeypatch.setattr(fetching, "download_mnist", network)
    with pytest.raises(DataMissingError):
        fetch_mnist(tmp_path, progress=ignore)
    assert network.calls == 2


def test_that_a_person_may_give_the_download_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "download_mnist", Network(30, 100))

    def give_up(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_mnist(tmp_path, progress=give_up)


@pytest.mark.parametrize("error", [DataMissingError("No network."), StoreError("The disk is full.")])
def test_that_a_failed_download_leaves_the_cache_without_mnist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_args: object, **_kwargs: object) -> Path:
        raise error

    monkeypatch.setattr(fetching, "download_mnist", fail)
    assert DataCache().fetch_mnist(tmp_path, ignore) is None
