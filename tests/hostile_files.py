"""Hand-made hostile files, each by a small generator, and a process that tries them on the command line with limits.

python tests/hostile_files.py FOLDER [--full] [NAME …]     prints a line of JSON for each: code, lines on stderr, seconds, MB
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import lzma
import os
import resource
import signal
import socket
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py

from qtdigits.cli.main import main
from qtdigits.paths import shipped_models_dir

Arguments = list[str]
Case = Callable[[Path], Arguments]
LIMIT_S, LIMIT_MB = 2.0, 500
HANG_S = 20
CASES: dict[str, Case] = {}
SHORTER = 50
"""What is packed is shorter by this factor, but for `--full`: it is refused in its first megabytes either way."""


def data(name: str, content: Callable[[], bytes], file: str = "data", **beside: bytes) -> None:
    """A file that is imported."""

    def write(folder: Path) -> Arguments:
        (folder / file).write_bytes(content())
        for other, text in beside.items():
            (folder / other.replace("_", ".")).write_bytes(text)
        return ["samples", "import", str(folder / file)]

    CASES[name] = write


def recipe(name: str, text: str) -> None:
    def write(folder: Path) -> Arguments:
        (folder / "r.toml").write_text(text, "utf-8")
        return ["train", "--recipe", str(folder / "r.toml"), "--out", str(folder / "out.h5")]

    CASES[name] = write


def picture(name: str, content: Callable[[], bytes]) -> None:
    def write(folder: Path) -> Arguments:
        (folder / "a.png").write_bytes(content())
        return ["recognise", "mlp-50-50", str(folder / "a.png")]

    CASES[name] = write


def model(name: str, **attributes: object) -> None:
    """The smallest shipped model with other values in its header, and the digest that fits them."""

    def write(folder: Path) -> Arguments:
        path = folder / "odd.h5"
        path.write_bytes((shipped_models_dir() / "mlp-50-50.h5").read_bytes())
        with h5py.File(path, "r+") as file:
            change_header(file, attributes)
        return ["models", "check", str(path)]

    CASES[name] = write


def change_header(file: h5py.File, attributes: dict[str, object]) -> None:
    from qtdigits.store.hdf5 import digest_of_attributes

    for key, value in attributes.items():
        if isinstance(value, dict) and not isinstance(old := json.loads(file.attrs[key].decode()), list):
            value = {**old, **value}
        text = (value if isinstance(value, str) else json.dumps(value)).encode()
        file.attrs.create(key, text, dtype=h5py.string_dtype("utf-8", max(len(text), 1)))
    kept = {k: v.decode() if isinstance(v, bytes) else int(v) for k, v in file.attrs.items() if k != "sha256"}
    sha = digest_of_attributes(kept).encode()
    file.attrs.create("sha256", sha, dtype=h5py.string_dtype("utf-8", len(sha)))


def ink(strokes: str, **more: object) -> bytes:
    others = "".join(f', "{key}": {json.dumps(value)}' for key, value in more.items())
    return f'{{"label": "7", "strokes": {strokes}{others}}}\n'.encode()


def packed(*pieces: tuple[bytes, int]) -> bytes:
    """Each piece so many times, packed without ever being in memory."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as stream:
        for piece, times in pieces:
            times = times if "--full" in sys.argv or times <= 1_000_000 else times // SHORTER
            block = piece * min(times, max(1, (1 << 20) // len(piece)))
            for _ in range(times * len(piece) // len(block)):
                stream.write(block)
    return out.getvalue()


def idx(magic: int, *sizes: int, content: bytes = b"") -> bytes:
    return struct.pack(f">I{len(sizes)}I", magic, *sizes) + content


def npy(shape: str, descr: str = "'|u1'", content: bytes = b"") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    header = (
        header.ljust(118 - len(header) % 64 + len(header) // 64 * 64 if len(header) > 117 else 117) + b"\n"
    )
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def npz(packing: int = zipfile.ZIP_STORED, **members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return out.getvalue()


def png(width: int, height: int, *, pixels: bytes | None = None, more: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    rows = zlib.compress(b"", 9) if pixels is None else pixels
    head = struct.pack(">2I5B", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def special(name: str, make: Callable[[Path], object], *words: str) -> None:
    """Something that is no file, where each kind of reader expects one."""
    for what, command in {
        "data": ["samples", "import", "{}"],
        "labels": ["samples", "import", "{images}", "--labels", "{}"],
        "recipe": ["train", "--recipe", "{}", "--out", "{out}"],
        "model": ["models", "check", "{}"],
        "picture": ["recognise", "mlp-50-50", "{}"],
        "mnist": ["evaluate", "mlp-50-50", "--on", "mnist", "--mnist", "{}"],
    }.items():

        def write(folder: Path, command: list[str] = command) -> Arguments:
            path = make(folder) or folder / "special"
            (folder / "images.csv").write_text(",".join(["0"] * 784))
            named = {"{}": str(path), "{images}": str(folder / "images.csv"), "{out}": str(folder / "out.h5")}
            return [named.get(word, word) for word in command]

        CASES[f"{name} as {what}"] = write


def _socket(folder: Path) -> None:
    with contextlib.chdir(folder), socket.socket(socket.AF_UNIX) as listening:
        listening.bind("special")


POINTS_250 = "[" + ",".join(["[0,0]"] * 250) + "]"
data(
    "ink: a line of 2 GB", lambda: packed((b'{"label": "7", "strokes": [[[0,0]', 1), (b",[0,0]", 340_000_000))
)
data(
    "ink: 30 million points",
    lambda: packed((b'{"label": "7", "strokes": [[[0,0]', 1), (b",[0,0]", 30_000_000), (b"]]}", 1)),
)
data(
    "ink: 3 million strokes",
    lambda: packed((b'{"label": "7", "strokes": [[]', 1), (b",[]", 3_000_000), (b"]}", 1)),
)
data("ink: a gigabyte of empty lines", lambda: packed((ink("[[[1,2],[3,4]]]"), 1), (b"\n", 1 << 30)))
data("ink: a million empty drawings", lambda: packed((ink("[]"), 1_000_000)))
data("ink: 200,000 points", lambda: ink("[[" + ",".join(["[0,0]"] * 200_000) + "]]"))
data("ink: 20,000 strokes", lambda: ink("[" + ",".join(["[[1,2]]"] * 20_000) + "]"))
data("ink: deep", lambda: b'{"label": "7", "strokes": ' + b"[" * 100_000)
data(
    "ink: deep in another key",
    lambda: ink("[[[1,2]]]")[:-2] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
)
data("ink: 400 digits", lambda: ink(f"[[[{'9' * 400}, 1]]]"))
data("ink: 5000 digits as a label", lambda: ink("[[[1,2]]]").replace(b'"7"', b"9" * 5000))
data("ink: half a character", lambda: ink("[[[1,2]]]").replace(b'"7"', b'"\\ud800"'))
data("ink: half a character as a writer", lambda: ink("[[[1,2]]]")[:-2] + b', "writer": "\\udfff"}')
data("ink: no number", lambda: ink("[[[NaN, Infinity]]]"))
data("ink: text for numbers", lambda: ink('[[["1", "2"]]]'))
data("ink: a truth", lambda: ink("[[[true, 1]]]"))
data("ink: strokes as an object", lambda: ink('{"0": [[1, 2]]}'))
data("ink: a label that is a list", lambda: ink("[]").replace(b'"7"', b"[7]"))
data("ink: a writer that is a list", lambda: ink("[[[1,2]]]", writer=[1]))
data(
    "UNIPEN: a line of 100 MB",
    lambda: packed((b'.SEGMENT DIGIT 0 ? "8"\n.PEN_DOWN\n', 1), (b"1 ", 50_000_000)),
)
data(
    "UNIPEN: 10 million points",
    lambda: packed((b'.SEGMENT DIGIT 0 ? "8"\n.PEN_DOWN\n', 1), (b"1 1\n", 10_000_000)),
)
data(
    "UNIPEN: 10 million strokes",
    lambda: packed((b'.SEGMENT DIGIT 0 ? "8"\n', 1), (b".PEN_DOWN\n", 10_000_000)),
)
data("UNIPEN: a gigabyte of empty lines", lambda: packed((b".X\n", 1), (b"\n", 1 << 30)))
data("UNIPEN: no number", lambda: b'.SEGMENT DIGIT 0 ? "8"\n.PEN_DOWN\nnan inf\n')
LABELS = idx(0x801, 1, content=b"\x05")
for what, content in {
    "IDX: 40,000 x 40,000": idx(0x803, 1, 40_000, 40_000),
    "IDX: four billion images": idx(0x803, 2**32 - 1, 28, 28),
    "IDX: 24 bytes": idx(0x803, 2**31, 0, 0) + bytes(8),
    "IDX: four billion empty images": idx(0x803, 2**32 - 1, 0, 28),
    "IDX: images without pixels": idx(0x803, 1, 0, 0),
    "IDX: truncated": idx(0x803, 1, 28, 28, content=b"\0" * 700),
    "IDX: half a header": idx(0x803, 1),
}.items():
    data(what, lambda content=content: content, "a-images", **{"a-labels": LABELS})
data(
    "IDX: a packed gigabyte",
    lambda: packed((idx(0x803, 1, 32_768, 32_768), 1), (b"\0", 1 << 30)),
    "a-images",
    **{"a-labels": LABELS},
)
Y = npy("(1,)", content=b"\5")
data("npz: 40,000 x 40,000", lambda: npz(x=npy("(1, 40000, 40000)"), y=Y))
data("npz: a shape of 10^30", lambda: npz(x=npy(f"({10**30}, 28, 28)"), y=Y))
data("npz: a negative shape", lambda: npz(x=npy("(-1, -28, 28)", content=b"\0" * 784), y=Y))
data(
    "npz: a packed gigabyte",
    lambda: npz(zipfile.ZIP_DEFLATED, x=npy("(1, 32768, 32768)", content=bytes(1 << 28)), y=Y),
)
data("npz: LZMA", lambda: npz(zipfile.ZIP_LZMA, x=npy("(1, 28, 28)", content=bytes(784)), y=Y))
data("npz: bzip2", lambda: npz(zipfile.ZIP_BZIP2, x=npy("(1, 28, 28)", content=bytes(784)), y=Y))
data(
    "npz: damaged LZMA",
    lambda: npz(zipfile.ZIP_LZMA, x=npy("(1, 28, 28)", content=bytes(784)), y=Y).replace(b"NUMPY", b"XXXXX"),
)
data("npz: objects", lambda: npz(x=npy("(1, 28, 28)", "'|O'", b"\x80\x04K\x01."), y=Y))
data("npz: a header that is no dictionary", lambda: npz(x=npy("(((", content=b""), y=Y))
data(
    "npz: a header of 60 kB",
    lambda: npz(x=b"\x93NUMPY\x01\x00" + struct.pack("<H", 60_000) + b"(" * 60_000, y=Y),
)
data("npz: an odd type", lambda: npz(x=npy("(1, 28, 28)", "'<M8[ns]'", bytes(784 * 8)), y=Y))
data("npz: version 9", lambda: npz(x=npy("(1, 28, 28)").replace(b"Y\x01", b"Y\x09"), y=Y))
data("npz: 100,000 members", lambda: npz(**{f"m{n}": b"" for n in range(100_000)}))
data("npz: images without pixels", lambda: npz(x=npy("(9, 0, 28)"), y=npy("(9,)", content=bytes(9))))
data("npz: no end", lambda: npz(x=npy("(1, 28, 28)", content=bytes(784)), y=Y)[:-30])
data("xz under another name", lambda: lzma.compress(bytes(1000)))
ROW = b",".join([b"0"] * 784) + b"\n"
data("CSV: a line of 300 MB", lambda: packed((b"0,", 150_000_000)), "images.csv", labels_csv=b"7\n")
data("CSV: a plain line of 30 MB", lambda: b"0," * 15_000_000, "images.csv", labels_csv=b"7\n")
data(
    "CSV: a gigabyte of empty lines",
    lambda: packed((ROW, 1), (b"\n", 1 << 30), (ROW, 1)),
    "images.csv",
    labels_csv=b"7\n",
)
data("CSV: 400 digits", lambda: ROW.replace(b"0", b"9" * 50, 1), "images.csv", labels_csv=b"7\n")
data("CSV: labels of a gigabyte", lambda: ROW, "images.csv", labels_csv=packed((b"7\n", 1 << 29)))
picture("PNG: 20 x 2,097,176", lambda: png(20, 2_097_176))
picture("PNG: 65,535 x 65,535", lambda: png(65_535, 65_535))
picture(
    "PNG: 7,000 x 7,000, white",
    lambda: png(7000, 7000, pixels=zlib.compress((b"\0" + b"\xff" * 875) * 7000, 9)),
)
picture("PNG: no pixels", lambda: png(28, 28))
picture("PNG: 0 x 0", lambda: png(0, 0))
picture("PNG: a damaged chunk", lambda: png(28, 28)[:40] + b"\xff" * 30)
EXIF = {
    "nothing": b"",
    "garbage": os.urandom(40),
    "loop": b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\xff\xff\xff\xff\x08\0\0\0\x08\0\0\0",
    "text": b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04abc\0\0\0\0\0",
}
for what, content in EXIF.items():
    picture(
        f"PNG: EXIF of {what}",
        lambda content=content: png(
            28,
            28,
            more=struct.pack(">I", len(content))
            + b"eXIf"
            + content
            + struct.pack(">I", zlib.crc32(b"eXIf" + content)),
        ),
    )
picture(
    "JPEG: 1,000 scans",
    lambda: (
        b"\xff\xd8\xff\xc2\0\x0b\x08\x10\0\x10\0\x01\x01\x11\0" + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0\0" * 1000
    ),
)
recipe("recipe: arrays 100,000 deep", "epochs = " + "[" * 30_000)
recipe("recipe: tables deep", "epochs = " + "{a = " * 8_000)
recipe("recipe: dotted keys deep", "a" + ".a" * 20_000 + " = 1")
recipe("recipe: a dotted field", "epochs" + ".a" * 900 + " = 1")
recipe("recipe: 400 digits", f"epochs = {'9' * 400}")
recipe("recipe: 5,000 digits", f"epochs = {'9' * 5000}")
recipe("recipe: a float of 400 digits", f"learning_rate = {'9' * 400}")
recipe("recipe: a network of 400 digits", f'dense = "{"9" * 400}"')
recipe("recipe: a network of 10,000 layers", f'dense = "{"50," * 10_000}"')
recipe("recipe: no number", "learning_rate = nan")
recipe("recipe: a list", "epochs = [1]")
recipe("recipe: a date", "epochs = 2026-01-01")
recipe("recipe: a name that is none", "name = 7")
recipe("recipe: 10 MB", "# " + "x" * 10_000_000)
recipe("recipe: nothing but NULs", "\0" * 1000)
recipe("recipe: a field of the wrong kind", 'optimizer = ["adam"]')
model("model: made in year 1", provenance={"created_at": "0001-01-01T00:00:00+00:00"})
model("model: made in year 9999", provenance={"created_at": "9999-12-31T23:59:59+00:00"})
model("model: a time that is a list", provenance={"created_at": []})
model("model: sources that are a number", provenance={"sources": 7})
model("model: drawings with a huge number", provenance={"drawings": {"last_sample": 10**30}})
model("model: provenance of a list", provenance="[]")
model("model: deep provenance", provenance='{"x": ' + "[" * 900 + "]" * 900 + "}")
model("model: very deep provenance", provenance='{"x": ' + "[" * 30_000 + "]" * 30_000 + "}")
model("model: a score that is text", scores={"MNIST test": {"accuracy": "much", "n": 1}})
model("model: a score that is huge", scores={"MNIST test": {"accuracy": 1e300, "n": 1}})
model("model: a score that is no number", scores='{"MNIST test": {"accuracy": NaN}}')
model("model: a score of -1", scores={"MNIST test": {"accuracy": -1, "n": 1}})
model("model: a score with n of text", scores={"MNIST test": {"accuracy": 0.5, "n": "many"}})
model(
    "model: a confusion matrix of the wrong size",
    scores={"MNIST test": {"accuracy": 0.5, "n": 1, "classes": ["1"], "confusion": [[1, 2]]}},
)
model("model: scores as a list", scores="[]")
model("model: a label of 1,000 characters", labels=[{"id": "7" * 1000, "label": "7"}])
model("model: a label that is a number", labels=[{"id": 7, "label": 7}])
model("model: no classes", labels=[])
model("model: a network of text", network="7")
model("model: a network with a huge layer", network={"dense": [{"neurons": 10**30}]})
model("model: a recipe of a list", recipe="[]")
model("model: a threshold of text", undecided_below='"x"')
model("model: a threshold of 2", undecided_below="2")
model("model: digests as a list", digests="[]")
special("a pipe", lambda folder: os.mkfifo(folder / "special"))
special("a folder", lambda folder: (folder / "special").mkdir())
special("a socket", _socket)
special("/dev/zero", lambda folder: Path("/dev/zero"))
special("/dev/full", lambda folder: Path("/dev/full"))
for ending in ("a folder as data", "a folder as picture"):
    CASES.pop(ending, None)


def attempt(name: str, folder: Path) -> dict[str, object]:
    """Try one in a forked process, on a data folder of its own."""
    folder.mkdir(parents=True)
    arguments = ["--data-dir", str(folder / "home"), *CASES[name](folder)]
    said = folder / "stderr"
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            os.dup2(os.open(os.devnull, os.O_RDWR), 0)
            os.dup2(os.open(os.devnull, os.O_RDWR), 1)
            os.dup2(os.open(said, os.O_CREAT | os.O_WRONLY), 2)
            signal.alarm(HANG_S)
            resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
            code = main(arguments)
        finally:
            os._exit(code)
    _, status, used = os.wait4(pid, 0)
    return {
        "name": name,
        "code": os.waitstatus_to_exitcode(status),
        "said": said.read_text("utf-8", "replace"),
        "seconds": round(used.ru_utime + used.ru_stime, 2),
        "megabytes": used.ru_maxrss >> 10,
    }


def is_refused(found: dict[str, object]) -> bool:
    """Whether it was refused in one line, with exit code 2, in time and without much memory."""
    lines = str(found["said"]).splitlines()
    return (
        found["code"] == 2
        and len(lines) == 1
        and float(str(found["seconds"])) < LIMIT_S
        and int(str(found["megabytes"])) < LIMIT_MB
    )


def results(folder: Path, names: list[str]) -> Iterator[dict[str, object]]:
    import qtdigits.cli.evaluate
    import qtdigits.cli.models
    import qtdigits.cli.recognise
    import qtdigits.cli.samples
    import qtdigits.cli.train  # noqa: F401 - so that what is measured is the reading

    main(["--data-dir", str(folder / "home"), "models", "check", "mlp-50-50"])
    for number, name in enumerate(names):
        yield attempt(name, folder / str(number))


if __name__ == "__main__":
    with open(os.dup(1), "w") as answers:  # noqa: PTH123
        os.dup2(2, 1)
        names = [word for word in sys.argv[2:] if word != "--full"]
        for found in results(Path(sys.argv[1]), names or list(CASES)):
            answers.write(json.dumps(found) + "\n")
            answers.flush()
