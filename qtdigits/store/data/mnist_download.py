"""Download MNIST as Keras publishes it, `mnist.npz`. Only whoever does it needs the modules of the network."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from qtdigits.errors import DataMissingError
from qtdigits.store.data.mnist import FILE_NAME
from qtdigits.store.files import cannot_write, make_folder

MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
TIMEOUT_S = 30.0

_CHUNK = 1 << 16


def download_mnist(
    folder: Path,
    *,
    url: str = MNIST_URL,
    sha256: str = MNIST_SHA256,
    progress: Callable[[int, int], None] = lambda done, total: None,
    opener: Callable[..., Any] = urlopen,
    timeout_s: float = TIMEOUT_S,
) -> Path:
    """Download `mnist.npz` into `folder` and return its path; `progress` gets bytes done and in all (0: unknown).

    When the connection breaks or `progress` raises, the next call resumes from `mnist.npz.part`. The file takes its name only
    when its SHA-256 is right. Raises `DataMissingError` or `StoreError`.
    """
    make_folder(folder)
    path, part = folder / FILE_NAME, folder / f"{FILE_NAME}.part"
    try:
        _fetch(url, part, progress, lambda request: opener(request, timeout=timeout_s))
    except (OSError, HTTPException) as error:
        raise DataMissingError(
            f"MNIST could not be downloaded from {url}: {_reason(error)}.",
            f"Try again (the download is resumed), or put {FILE_NAME} into {folder}.",
        ) from error
    try:
        _finish(part, path, url, sha256)
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


def _fetch(
    url: str, part: Path, progress: Callable[[int, int], None], open_url: Callable[[Request], Any]
) -> None:
    done = part.stat().st_size if part.exists() else 0
    request = Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        response = open_url(request)
    except HTTPError as error:
        # The part is complete, or too long: its SHA-256 tells.
        if done and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            error.close()
            return
        raise
    with response:
        done = done if response.status == HTTPStatus.PARTIAL_CONTENT else 0
        length = int(response.headers.get("Content-Length") or 0)
        total = done + length if length else 0
        _receive(response, part, done, total, progress)


def _receive(response: Any, part: Path, done: int, total: int, progress: Callable[[int, int], None]) -> None:
    try:
        stream = part.open("ab" if done else "wb")
    except OSError as error:
        raise cannot_write(part, error) from error
    with stream:
        progress(done, total)
        while chunk := response.read(_CHUNK):
            try:
                stream.write(chunk)
            except OSError as error:
                raise cannot_write(part, error) from error
            done += len(chunk)
            progress(done, total)
    if total and done < total:
        raise OSError(f"the connection ended after {done:,} of {total:,} bytes")


def _finish(part: Path, path: Path, url: str, sha256: str) -> None:
    with part.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    if found != sha256:
        part.unlink()
        raise DataMissingError(f"What came from {url} is not MNIST (SHA-256 {found[:12]}…).", "Try again.")
    part.replace(path)


def _reason(error: Exception) -> str:
    """Return the cause, such as "Name or service not known", rather than the error that wraps it."""
    cause = error.reason if isinstance(error, URLError) else error
    return str(getattr(cause, "strerror", None) or cause)
