"""Files that were made by hand to do harm: `python -m tests.fuzz.hostile` prints what the program says to each.

Each must get one line on stderr and exit code 2, within 2 seconds of the processor's time and 500 MB.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import resource
import signal
import sqlite3
import struct
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import h5py
import numpy as np

import hostile_files
from fuzz import specimens as s
from fuzz.mutations import header_of
from qtdigits.cli.main import main as qtdigits
from qtdigits.core.run.events import Notice, decode_event
from qtdigits.engine.server import Server
from qtdigits.store.hdf5 import digest_of_attributes
from qtdigits.store.model_files import save_model
from qtdigits.store.tables.samples import SampleStore
from tests.store.values import a_model

LIMIT_S, LIMIT_BYTES, HANGS_S = 2.0, 500 << 20, 30.0
IMPORT, MERGE, CHECK = ("samples", "import"), ("samples", "merge"), ("models", "check")
RECIPE = ("train", "--no-drawings", "--mnist-images", "0", "--recipe")
PICTURE = ("recognise", "mlp-50-50")

Case = tuple[str, tuple[str, ...], str, Callable[[Path], object]]
"""What it is, the command, the name of the file that is given to it, and how it is made."""


def packed(unit: bytes, times: int, *, start: bytes = b"", end: bytes = b"") -> bytes:
    """gzip of `start`, `unit` over and over and `end`; members may follow one another, so that this takes no time."""
    return gzip.compress(start) + gzip.compress(unit, 9) * times + gzip.compress(end)


def ink_files() -> Iterator[tuple[str, bytes]]:
    mb, start = 1 << 20, b'{"label": "7", "strokes": [[[1, 1], [2, 2]]'
    yield "a line of 2 GB", packed(b"x" * (16 * mb), 128, start=b'{"label": "')
    yield (
        "30 million points in one stroke",
        packed(b",[1,1]" * (mb // 4), 120, start=start[:-1], end=b"]]}\n"),
    )
    yield "3 million strokes", packed(b",[[1,1]]" * (mb // 4), 12, start=start, end=b"]}\n")
    yield "a gigabyte of empty lines", packed(b"\n" * (16 * mb), 64, start=b'{"label": "7", "strokes": []}\n')
    yield "a gigabyte of blanks", packed(b" " * (16 * mb), 64, start=b"{")
    yield "brackets, 100,000 deep", b'{"label": "7", "strokes": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    yield (
        "objects, 100,000 deep",
        b'{"label": "7", "x": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}\n",
    )
    yield "a number of 400 digits", start + b",[[" + b"9" * 400 + b", 1]]]}\n"
    yield "a number of 4,301 digits", start + b",[[" + b"9" * 4301 + b", 1]]]}\n"
    yield (
        "a number of a million digits as label",
        b'{"label": ' + b"9" * 1_000_000 + b', "strokes": [[[1, 1]]]}\n',
    )
    for what, point in (
        ("NaN", b"NaN"),
        ("infinity", b"-Infinity"),
        ("1e999", b"1e999"),
        ("1e308", b"1e308"),
        ("text", b'"x"'),
    ):
        yield f"a coordinate that is {what}", b'{"label": "7", "strokes": [[[' + point + b", 1], [2, 2]]]}\n"
    yield "half of a surrogate pair as label", b'{"label": "\\ud800", "strokes": [[[1, 1]]]}\n'
    yield "escape sequences as label", b'{"label": "\\u001b]0;x\\u0007", "strokes": [[[1, 1]]]}\n'
    yield "escape sequences as writer", b'{"label": "7", "writer": "\\u001b[31m", "strokes": [[[1, 1]]]}\n'
    yield "a label of 70,000 letters", b'{"label": "' + b"x" * 70_000 + b'", "strokes": [[[1, 1]]]}\n'
    yield (
        "a writer of 70,000 letters",
        b'{"label": "7", "writer": "' + b"x" * 70_000 + b'", "strokes": [[[1, 1]]]}\n',
    )
    yield "a gzip file that ends too early", gzip.compress(s.INK * 100)[:-9]
    yield "a gzip file with another check sum", gzip.compress(s.INK)[:-8] + bytes(8)
    yield "bytes that are no UTF-8", b'{"label": "\xff\xfe", "strokes": [[[1, 1]]]}\n'


def npz(header: str, content: bytes = b"", method: int = zipfile.ZIP_STORED) -> bytes:
    """`x` with a header of one's own, beside a good `y`."""
    told = header.encode("latin-1").ljust(118)[:65_000] + b"\n"
    good = io.BytesIO()
    np.save(good, np.array([7, 3]))
    image = io.BytesIO()
    with zipfile.ZipFile(image, "w", method) as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(told)) + told + content)
        archive.writestr("y.npy", good.getvalue())
    return image.getvalue()


def array_files() -> Iterator[tuple[str, bytes]]:
    shapes = (
        "(40000, 40000)",
        "(2, 4294967295, 4294967295)",
        f"({2**63},)",
        "(-1, 28, 28)",
        "(2, 28, 28)",
        "(0, 0, 0)",
    )
    for shape in shapes:
        yield f".npz of {shape}", npz(f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}")
    for kind in ("|O", "<M8[ns]", "<U2000000000", "|V2000000000", "<c16"):
        yield (
            f".npz of type {kind}",
            npz(f"{{'descr': '{kind}', 'fortran_order': False, 'shape': (2, 28, 28)}}", bytes(99)),
        )
    yield ".npz with a header that is a program", npz("__import__('os').system('true')")
    yield ".npz with brackets in its header", npz("(" * 50_000)
    lzma = npz(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 28, 28)}", bytes(1568), zipfile.ZIP_LZMA
    )
    yield ".npz of damaged LZMA", lzma.replace(lzma[60:90], bytes(30))
    bomb = npz(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (255085, 28, 28)}",
        bytes(200_000_000),
        zipfile.ZIP_DEFLATED,
    )
    yield ".npz of 200 MB of zeros", bomb
    for what, numbers in (
        ("40,000 x 40,000", (1, 40_000, 40_000)),
        ("4 billion images", (2**32 - 1, 28, 28)),
        ("nothing", (0, 0, 0)),
    ):
        yield f"IDX of {what}", struct.pack(">4I", 0x803, *numbers)
    yield "IDX of 24 bytes", struct.pack(">6I", 0x803, 2**31, 2**31, 2**31, 0, 0)
    yield (
        "IDX, packed, of 2 GB",
        packed(bytes(16 << 20), 128, start=struct.pack(">4I", 0x803, 2_700_000, 28, 28)),
    )
    yield "a CSV line of 300 MB", b"1," * (150 << 20)
    yield "a CSV line of 300 MB, packed", packed(b"1," * (4 << 20), 38)
    yield "a CSV value of 10,000 digits", b"9" * 10_000 + b",1" * 783 + b"\n"
    yield (
        "UNIPEN, a line of 300 MB",
        packed(b"1 " * (4 << 20), 38, start=b'.SEGMENT DIGIT 0 ? "7"\n.PEN_DOWN\n'),
    )
    yield (
        "UNIPEN of 30 million points",
        packed(b"1 1\n" * (1 << 20), 30, start=b'.SEGMENT DIGIT 0 ? "7"\n.PEN_DOWN\n'),
    )
    yield "UNIPEN with a point of 400 digits", b'.SEGMENT DIGIT 0 ? "7"\n.PEN_DOWN\n' + b"9" * 400 + b" 1\n"


def png(width: int, height: int, *chunks: tuple[bytes, bytes], bits: int = 8) -> bytes:
    header = b"IHDR", struct.pack(">2I5B", width, height, bits, 0, 0, 0, 0)
    body = ((struct.pack(">I", len(data)), kind + data) for kind, data in (header, *chunks, (b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + b"".join(n + data + struct.pack(">I", zlib.crc32(data)) for n, data in body)


def picture_files() -> Iterator[tuple[str, bytes]]:
    empty = b"IDAT", zlib.compress(b"")
    yield "a PNG of 20 x 2,097,176", png(20, 2_097_176, empty, bits=1)
    yield "a PNG of 2 billion x 2 billion", png(2**31 - 1, 2**31 - 1, empty)
    yield "a PNG of 0 x 0", png(0, 0, empty)
    yield "a PNG of 30,000 x 30,000", png(30_000, 30_000, (b"IDAT", zlib.compress(bytes(30_001 * 3000), 9)))
    yield (
        "a PNG with text of 300 MB",
        png(28, 28, (b"zTXt", b"a\0\0" + zlib.compress(bytes(300 << 20), 9)), empty),
    )
    yield "a PNG without data", png(28, 28)
    yield "a JPEG that is its first bytes", s.jpeg()[:30]
    yield "a picture that is a recipe", s.recipes()[0]


def recipe_files() -> Iterator[tuple[str, bytes]]:
    yield "brackets, 100,000 deep", b"epochs = " + b"[" * 100_000 + b"]" * 100_000
    yield "tables, 10,000 deep", b"[" + b"a." * 10_000 + b"b]\nx = 1"
    yield "epochs of 5,000 digits", b"epochs = " + b"9" * 5000
    for value in ("-1", "10e400", "inf", "nan", "true", '"x"', "1979-05-27", "[1]", "9223372036854775808"):
        yield f"epochs = {value}", b"epochs = " + value.encode()
        yield f"learning_rate = {value}", b"learning_rate = " + (b"-1" if value == "true" else value.encode())
    yield "a layer of 10 billion neurons", b'dense = "10000000000"'
    yield "a million layers", b'dense = "' + b"1," * 1_000_000 + b'1"'
    yield "a name of a million letters", b'name = "' + b"x" * 1_000_000 + b'"'
    yield "escape sequences in a name of a field", b'"\\u001b[31m" = 1'
    yield "bytes that are no UTF-8", b'name = "\xff"'
    yield "64 MB of comments", b"# a comment\n" * (5 << 20)


def model(change: Callable[[h5py.File], object], *, sums: bool = True) -> Callable[[Path], object]:
    """A model file, changed, with the right check sums of its header."""

    def make(path: Path) -> None:
        save_model(a_model(), path)
        with h5py.File(path, "r+") as file:
            change(file)
            if sums:
                file.attrs["sha256"] = np.bytes_(digest_of_attributes(header_of(file)))

    return make


def with_attribute(name: str, value: object) -> Callable[[h5py.File], object]:
    def change(file: h5py.File) -> None:
        text = (value if isinstance(value, str) else json.dumps(value)).encode()
        file.attrs.create(name, text, dtype=h5py.string_dtype("utf-8", len(text)))

    return change


def model_files() -> Iterator[tuple[str, Callable[[Path], object]]]:
    layers = [{"neurons": 10_000_000_000, "activation": "relu"}]
    yield "a network of 10 billion weights", model(with_attribute("network", {"dense": layers, "blocks": []}))
    yield "JSON 20,000 deep in its header", model(with_attribute("scores", "[" * 20_000 + "]" * 20_000))
    yield "a score that is text", model(with_attribute("scores", {"pendigits": {"accuracy": "x", "n": []}}))
    yield "labels that are numbers", model(with_attribute("labels", [1, 2]))
    yield "no labels", model(with_attribute("labels", []))
    yield "a label twice", model(with_attribute("labels", ["1"] * 10))
    yield (
        "a link to another file",
        model(
            lambda file: [
                file.__delitem__("litert"),
                file.__setitem__("litert", h5py.ExternalLink("/etc/passwd", "/")),
            ]
        ),
    )
    yield (
        "a soft link to itself",
        model(
            lambda file: [file.__delitem__("litert"), file.__setitem__("litert", h5py.SoftLink("/litert"))]
        ),
    )
    yield (
        "a compressed array",
        model(
            lambda file: [
                file.__delitem__("litert"),
                file.create_dataset("litert", data=np.zeros(10**8, np.uint8), compression="gzip"),
            ]
        ),
    )
    yield (
        "an array of 10 GB without content",
        model(lambda file: [file.__delitem__("litert"), file.create_dataset("litert", (10**10,), np.uint8)]),
    )
    yield "a header without check sum", model(with_attribute("name", "changed"), sums=False)
    yield (
        "one of its halves",
        lambda path: (save_model(a_model(), path), os.truncate(path, path.stat().st_size // 2)),
    )


def store(*statements: str) -> Callable[[Path], object]:
    """A store that SQL has changed."""

    def make(path: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            SampleStore.open(Path(folder)).close()
            path.write_bytes(s.store() if not statements else (Path(folder) / "samples.db").read_bytes())
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            db.execute(statement)
        db.close()

    return make


def store_files() -> Iterator[tuple[str, Callable[[Path], object]]]:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id, 'w' AS name, 'k' AS key FROM n"
    blobs = "SELECT 1 AS id, hex(zeroblob(900000000)) AS name, 'k' AS key"
    yield "an endless view as table", store("DROP TABLE writers", f"CREATE VIEW writers AS {endless}")
    yield "a view of a gigabyte as table", store("DROP TABLE writers", f"CREATE VIEW writers AS {blobs}")
    yield (
        "a trigger of its own",
        store("CREATE TRIGGER t AFTER INSERT ON writers BEGIN DELETE FROM samples; END"),
    )
    yield "a table missing", store("DROP TABLE trials")
    yield "a computed column", store("ALTER TABLE writers ADD COLUMN x TEXT AS (hex(zeroblob(100000000)))")
    yield "a newer version", store("PRAGMA user_version = 1000000")
    yield "another program's", store("PRAGMA application_id = 7")
    yield "its first page alone", lambda path: (store("SELECT 1")(path), os.truncate(path, 4096))


def special_files() -> Iterator[Case]:
    """Pipes, devices and folders where a file is wanted."""
    for what, make in (
        ("a pipe", os.mkfifo),
        ("a folder", Path.mkdir),
        ("a link to /dev/zero", lambda path: path.symlink_to("/dev/zero")),
    ):
        for command in (
            IMPORT,
            MERGE,
            CHECK,
            RECIPE,
            PICTURE,
            ("evaluate", "mlp-50-50", "--on"),
            ("train", "--no-drawings", "--mnist-images", "0", "--ink"),
        ):
            if (what, command) != ("a folder", PICTURE):
                yield (
                    f"{what} as {' '.join(command[:2])} FILE",
                    command,
                    "other.h5" if command == CHECK else "other",
                    make,
                )


def cases() -> Iterator[Case]:
    def written(content: bytes) -> Callable[[Path], object]:
        return lambda path: path.write_bytes(content)

    yield from ((f"ink: {what}", IMPORT, "other.jsonl", written(content)) for what, content in ink_files())
    yield from (
        (what, IMPORT, "images.csv" if "CSV" in what else "images", written(content))
        for what, content in array_files()
    )
    yield from ((what, PICTURE, "7.png", written(content)) for what, content in picture_files())
    yield from (
        (f"recipe: {what}", RECIPE, "other.toml", written(content)) for what, content in recipe_files()
    )
    yield from ((f"model: {what}", CHECK, "other.h5", make) for what, make in model_files())
    yield from ((f"store: {what}", MERGE, "other.db", make) for what, make in store_files())
    yield from special_files()


def attempt(case: Case, folder: Path) -> tuple[str, float, float]:
    """Give the file to the program in a forked process. What is wrong with the answer, "" for nothing; seconds; megabytes."""
    _, command, name, make = case
    make(folder / name)
    (folder / "labels").write_bytes(s.IDX_LABELS)
    (folder / "labels.csv").write_text("7\n")
    pid = os.fork()
    if pid == 0:
        answer = 99
        try:
            with (folder / "err").open("w") as err, (folder / "out").open("w") as out:
                os.dup2(out.fileno(), 1), os.dup2(err.fileno(), 2)
            resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))  # so that the machine survives
            answer = qtdigits([*command, str(folder / name), "--data-dir", str(folder / "data")])
            sys.stdout.flush(), sys.stderr.flush()
        finally:
            os._exit(answer)
    deadline = time.monotonic() + HANGS_S
    while (ended := os.wait4(pid, os.WNOHANG))[0] == 0:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
    code, used = os.waitstatus_to_exitcode(ended[1]), ended[2]
    return (*_judged(code, (folder / "err").read_text("utf-8", "replace"), used), used.ru_maxrss / 1000)


def _judged(code: int, said: str, used: resource.struct_rusage) -> tuple[str, float]:
    took = used.ru_utime + used.ru_stime
    said = "".join(line for line in said.splitlines(keepends=True) if not line.endswith("…\n"))  # progress
    faults = [
        f"ended with {code}" if code != 2 else "",
        "" if said.count("\n") == 1 and said.startswith("qtdigits: ") else f"said {said[-300:]!r}",
        "" if said.strip().isprintable() else "said what a terminal obeys",
        "" if took < LIMIT_S else "took too long",
        "" if used.ru_maxrss < LIMIT_BYTES >> 10 else "took too much memory",
    ]
    return "; ".join(fault for fault in faults if fault), took


def engine_lines() -> Iterator[tuple[str, bytes]]:
    job = json.dumps({"command": "run_job", "job": {**s.JOB.to_json(), "recipe": []}}).encode()
    yield "a recipe that is a list", job
    yield "a number of 400 digits", job.replace(b'"newest_sample": 0', b'"newest_sample": ' + b"9" * 400)
    yield "JSON 100,000 deep", b"[" * 100_000
    yield "a job that is a number", b'{"command": "run_job", "job": 7}'
    yield "no JSON", b"\xff\xfe\x00"
    yield "10 MB of letters", b"x" * 10_000_000


def heard(line: bytes) -> str:
    """What is wrong with an engine's answer to a line, and to the one after it."""
    answers = io.StringIO()
    server = Server(
        commands=[line + b"\n", b'{"command": "run_job"}\n'], events=answers, leave=lambda _code: None
    )
    try:
        server.listen()
    except Exception as error:  # noqa: BLE001 - it is what is looked for
        return f"stopped listening: {type(error).__name__}"
    notices = [decode_event(answer) for answer in answers.getvalue().splitlines()]
    return (
        ""
        if len(notices) == 2 and all(isinstance(notice, Notice) for notice in notices)
        else f"said {notices}"
    )


def main() -> int:
    n, n_good, slowest, largest = 0, 0, 0.0, 0.0
    s.store(), s.jpeg()
    import pandas  # noqa: F401 - what is imported late is imported before the fork

    import qtdigits.reader
    import qtdigits.training.train  # noqa: F401

    for case in cases():
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            wrong, took, mb = attempt(case, Path(folder))
        n, n_good, slowest, largest = n + 1, n_good + (not wrong), max(slowest, took), max(largest, mb)
        print(f"{case[0][:60]:<60} {took:5.2f} s {mb:5.0f} MB  {wrong or 'one line, 2'}", flush=True)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        for found in hostile_files.results(Path(folder), list(hostile_files.CASES)):
            wrong = (
                ""
                if hostile_files.is_refused(found)
                else f"ended with {found['code']}: {str(found['said'])[-300:]!r}"
            )
            took, mb = float(found["seconds"]), float(found["megabytes"])
            n, n_good, slowest, largest = n + 1, n_good + (not wrong), max(slowest, took), max(largest, mb)
            print(
                f"{found['name'][:60]:<60} {took:5.2f} s {mb:5.0f} MB  {wrong or 'one line, 2'}", flush=True
            )
    for what, line in engine_lines():
        wrong = heard(line)
        n, n_good = n + 1, n_good + (not wrong)
        print(f"{'engine: ' + what:<60} {wrong or 'answered, and listens on'}", flush=True)
    print(f"{n_good} of {n} got what they should; the slowest {slowest:.2f} s, the largest {largest:.0f} MB")
    return 0 if n_good == n else 1


if __name__ == "__main__":
    sys.exit(main())
