"""The border through which everything comes in that was made elsewhere: files are opened, unpacked and decoded here.

Whatever is wrong becomes an `InputError`; the limits are in `limits`.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeVar, cast

import msgspec
from msgspec import Meta

from qtdigits.errors import InputError
from qtdigits.limits import DATA_BYTES, FREE_BYTES, NESTING, TEXT, UNPACKING, Limit

T = TypeVar("T")

Text = Annotated[str, Meta(max_length=TEXT.most)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Share = Annotated[float, Meta(ge=0, le=1)]
_LARGEST = 2**63
GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_NOT_AS_DECLARED = (msgspec.MsgspecError, ValueError, RecursionError)
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def open_file(path: Path, most: Limit = DATA_BYTES) -> BinaryIO:
    """Open a file to read. Never waits: a pipe, device, socket or folder is refused, and so is a file above the limit `most`.

    Raises `InputError`.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        what = _KINDS.get(stat.S_IFMT(status.st_mode), "no file")
        raise InputError(f"{path} is {what}.", "Save what it holds as a file, and name that.")
    stream = os.fdopen(descriptor, "rb")
    if status.st_size > most.most:
        stream.close()
        most.check(status.st_size, str(path))
    return stream


def read_file(path: Path, most: Limit) -> bytes:
    """Return the content of a small file. Raises `InputError`."""
    with open_file(path, most) as stream:
        try:
            content = stream.read(most.most + 1)
        except OSError as error:
            raise unreadable(path, error) from error
    most.check(len(content), str(path))
    return content


@contextmanager
def open_plain_or_gzip(path: Path) -> Iterator[BinaryIO]:
    """Open a file of data, unpacking it when it is a gzip file. Every error of reading in the block becomes an `InputError`."""
    with open_file(path) as plain:
        try:
            is_packed = plain.read(2) == GZIP_MAGIC
            plain.seek(0)
            yield io.BufferedReader(_Unpacked(path, plain), 1 << 16) if is_packed else plain
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(
                f"{path} is damaged: it cannot be unpacked.", "Use another copy of it."
            ) from error
        except OSError as error:
            raise unreadable(path, error) from error


class _Unpacked(io.RawIOBase):
    """A gzip file as a stream that ends with an `InputError` when it unpacks to too much."""

    def __init__(self, path: Path, packed: BinaryIO) -> None:
        self._path, self._packed = path, packed
        self._unpacking = gzip.GzipFile(fileobj=packed, mode="rb")
        self._unpacked = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        count = self._unpacking.readinto(buffer)
        self._unpacked += count
        check_unpacking(self._path, self._packed.tell(), self._unpacked)
        return count


def check_unpacking(path: Path, packed: int, unpacked: int) -> None:
    """Raise `InputError` when `packed` bytes of the file unpack to more than real data does."""
    DATA_BYTES.check(unpacked, f"{path}, unpacked,")
    if unpacked > FREE_BYTES.most:
        UNPACKING.check(unpacked // max(packed, 1), str(path))


def lines(path: Path, stream: BinaryIO, length: Limit, count: Limit) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a text file with their numbers, without a byte order mark. Raises `InputError` above a limit."""
    number = 0
    while line := stream.readline(length.most + 1):
        number += 1
        if len(line) > length.most:
            length.check(len(line), f"{path}, line {number}")
        if number > count.most:
            count.check(number, str(path))
        yield number, line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line


def decoded(content: bytes | str | msgspec.Raw, kind: type[T], *, what: str = "") -> T:
    """Return what a JSON text holds as `kind`, every value checked. Raises `InputError` that begins with `what`."""
    decoder = _decoder(cast(Any, kind))
    try:
        found: T = decoder.decode(content)
    except _NOT_AS_DECLARED as error:
        raise _not_as_declared(what, error) from error
    return found


def parsed(text: str, *, what: str) -> dict[str, Any]:
    """Return the JSON object of a line between processes, of any form. Raises `InputError` that begins with `what`.

    Unlike `decoded` it takes numbers that are none, and names of files that are not UTF-8, as they are between processes.
    """
    try:
        found = msgspec.convert(json.loads(text), dict[str, Any])
        if "\\u" in text:  # half a character; that of such a name has been read as `surrogateescape` does
            json.dumps(found, ensure_ascii=False).encode(errors="surrogateescape")
    except _NOT_AS_DECLARED as error:
        raise _not_as_declared(what, error) from error
    check_plain(found, what)
    return found


def check_plain(values: object, what: str) -> None:
    """Raise `InputError` when values of any form are nested too deeply, or hold a number that is too large."""
    level: list[Any] = [values]
    for _ in range(NESTING.most):
        level = [one for inner in level for one in (inner.values() if isinstance(inner, dict) else inner)]
        if any(type(one) is int and abs(one) > _LARGEST for one in level):
            raise InputError(f"{what}: a number is too large.")
        level = [one for one in level if isinstance(one, dict | list)]
        if not level:
            return
    NESTING.check(NESTING.most + 1, what)


def converted(values: object, kind: type[T], *, what: str = "", is_text: bool = False) -> T:
    """Return `values` as `kind`, checked. Raises `InputError` that begins with `what`.

    `is_text`: numbers may be text, as on a command line.
    """
    try:
        return msgspec.convert(values, kind, strict=not is_text)
    except _NOT_AS_DECLARED as error:
        raise _not_as_declared(what, error) from error


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _not_as_declared(what: str, error: Exception) -> InputError:
    why = str(error)
    if isinstance(error, RecursionError):
        why = "it is nested too deeply"
    elif not isinstance(error, msgspec.ValidationError):
        why = f"it is not JSON: {why}"
    return InputError(f"{what}: {why}." if what else f"{why}.")


def unreadable(path: Path, error: OSError | ValueError) -> InputError:
    """Return the error to show when reading the person's file `path` failed with `error`."""
    if isinstance(error, FileNotFoundError):
        return InputError(f"There is no file {path}.", "Check the path.")
    return InputError(cannot_read(path, error), "Check the path and its permissions.")


def cannot_read(path: Path, error: OSError | ValueError) -> str:
    """Return the sentence to show when reading `path` failed with `error`."""
    return f"{path} cannot be read: {reason(error)}."


def reason(error: OSError | ValueError) -> str:
    """Return a clause such as "permission denied"."""
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
