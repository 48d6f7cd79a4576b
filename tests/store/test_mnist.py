from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from qtdigits.errors import CancelledError, DataMissingError, InputError, StoreError
from qtdigits.store.data.mnist import find_mnist, load_mnist
from qtdigits.store.data.mnist_download import download_mnist


def _arrays() -> dict[str, np.ndarray]:
    images = np.zeros((12, 28, 28), np.uint8)
    digits = np.arange(12, dtype=np.uint8) % 10
    return {"x_train": images, "y_train": digits, "x_test": images[:3] + 1, "y_test": digits[:3]}


def _save(path: Path, **changes: np.ndarray | None) -> Path:
    arrays = {name: array for name, array in (_arrays() | changes).items() if array is not None}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path


def test_that_both_parts_are_loaded(tmp_path: Path) -> None:
    path = _save(tmp_path / "mnist.npz")
    mnist = load_mnist(path)
    assert (mnist.training.name, len(mnist.training)) == ("MNIST training", 12)
    assert (mnist.test.name, mnist.test.labels) == ("MNIST test", ("0", "1", "2"))
    assert mnist.test.images.max() == 1
    assert mnist.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_test": None}, "lacks x_test or y_test"),
        ({"x_train": np.zeros((12, 28, 28))}, "x_train has the shape .* and type float64"),
        ({"x_train": np.zeros((12, 784), np.uint8)}, r"x_train has the shape \(12, 784\)"),
        ({"x_test": np.zeros((0, 28, 28), np.uint8)}, "x_test has the shape"),
        ({"y_train": np.zeros(11, np.uint8)}, "y_train is not one digit for each of the 12 images"),
        ({"y_train": np.full(12, 10)}, "y_train is not one digit"),
        ({"y_train": np.array([None] * 12)}, "not a usable .npz file"),
    ],
)
def test_that_a_file_that_is_not_mnist_is_refused(
    tmp_path: Path, changes: dict[str, np.ndarray | None], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load_mnist(_save(tmp_path / "mnist.npz", **changes))


def test_that_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match=r"There is no file .*mnist\.npz"):
        load_mnist(tmp_path / "mnist.npz")


def test_that_mnist_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    folder = tmp_path / "data"
    assert find_mnist(folder=folder) is None
    cached = _save(tmp_path / "keras" / "datasets" / "mnist.npz")
    assert find_mnist(folder=folder) == cached
    own = _save(folder / "mnist.npz")
    assert find_mnist(folder=folder) == own
    named = _save(tmp_path / "named.npz")
    monkeypatch.setenv("QTDIGITS_MNIST", str(named))
    assert find_mnist(folder=folder) == named
    explicit = _save(tmp_path / "explicit.npz")
    assert find_mnist(explicit=explicit, folder=folder) == explicit


def test_that_a_file_that_was_meant_is_not_replaced_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _save(tmp_path / "mnist.npz")
    monkeypatch.setenv("QTDIGITS_MNIST", str(tmp_path / "gone.npz"))
    with pytest.raises(DataMissingError, match=r"QTDIGITS_MNIST names .*gone\.npz"):
        find_mnist(folder=tmp_path)
    with pytest.raises(DataMissingError, match=r"no file .*nowhere\.npz"):
        find_mnist(explicit=tmp_path / "nowhere.npz", folder=tmp_path)


CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `CONTENT`. `breaks_after`: so many bytes of an answer are sent; `knows_ranges`: Range is obeyed."""

    breaks_after: int | None = None
    knows_ranges = True
    ranges: list[str | None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/mnist.npz"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.ranges.append(asked)
        start = (
            int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.server.knows_ranges else 0
        )
        if start >= len(CONTENT):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start:][: self.server.breaks_after])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.ranges = []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_that_a_download_shows_progress_and_takes_its_name_at_the_end(tmp_path: Path, server: Server) -> None:
    seen = []

    def progress(done: int, total: int) -> None:
        seen.append((done, total))
        assert not (tmp_path / "mnist.npz").exists()

    path = download_mnist(tmp_path, url=server.url, sha256=SHA256, progress=progress)
    assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_that_a_broken_download_goes_on_where_it_stopped(
    tmp_path: Path, server: Server, knows_ranges: bool
) -> None:
    server.knows_ranges = knows_ranges
    server.breaks_after = 100_000
    with pytest.raises(DataMissingError, match=r"100,000 of 256,000 bytes.*the download is resumed"):
        download_mnist(tmp_path, url=server.url, sha256=SHA256)
    assert [path.name for path in tmp_path.iterdir()] == ["mnist.npz.part"]
    server.breaks_after = None
    path = download_mnist(tmp_path, url=server.url, sha256=SHA256)
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=100000-"]


def test_that_a_cancelled_download_keeps_what_has_come(tmp_path: Path, server: Server) -> None:
    def progress(done: int, total: int) -> None:
        if done > 100_000:
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        download_mnist(tmp_path, url=server.url, sha256=SHA256, progress=progress)
    assert (tmp_path / "mnist.npz.part").stat().st_size > 100_000
    assert download_mnist(tmp_path, url=server.url, sha256=SHA256).read_bytes() == CONTENT


def test_that_a_part_that_is_whole_already_is_taken(tmp_path: Path, server: Server) -> None:
    (tmp_path / "mnist.npz.part").write_bytes(CONTENT)
    assert download_mnist(tmp_path, url=server.url, sha256=SHA256).read_bytes() == CONTENT


def test_that_something_else_is_not_kept(tmp_path: Path, server: Server) -> None:
    with pytest.raises(DataMissingError, match="is not MNIST"):
        download_mnist(tmp_path, url=server.url)
    assert list(tmp_path.iterdir()) == []


def test_that_without_a_network_it_says_what_to_do(tmp_path: Path, server: Server) -> None:
    url = server.url
    server.server_close()
    with pytest.raises(DataMissingError, match=r"could not be downloaded.*put mnist\.npz into"):
        download_mnist(tmp_path, url=url)
    assert list(tmp_path.iterdir()) == []


def test_that_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        download_mnist(tmp_path / "file", opener=lambda request, timeout: io.BytesIO())


def test_that_mnist_itself_loads(mnist_path: Path) -> None:
    mnist = load_mnist(mnist_path)
    assert (len(mnist.training), len(mnist.test)) == (60_000, 10_000)
    assert set(mnist.test.labels) == set("0123456789")
