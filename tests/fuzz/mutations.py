"""Changing valid files a little: bytes, JSON and TOML values, members of archives, headers of models, cells of stores."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import re
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random
from typing import Any

import h5py

from qtdigits.store.hdf5 import digest_of_attributes

Mutation = Callable[[bytes, Random], bytes]

# fmt: off
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 2, 255, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**25, -(10**400)),
    *(0.5, -0.0, 1e-320, 3.5e38, 1.7e308, float("nan"), float("inf"), float("-inf"), "", " ", "7", "-1", "1e999"),
    *("x" * 300, "x" * 70_000, "\0", "\n", "\x1b[31mred\x1b]0;title\x07", "\u202eltr", "\ud800", "ß\u0301", "𝟟", "None"),
    *("../../../etc/passwd", "/dev/zero", "shipped:x.h5", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"),
    *([], {}, [[]], [None], {"": None}, ["a", 1], [[0, 0]], {"name": []}),
)
RAW_VALUES = (
    *("9" * 5000, "-" + "9" * 400, "1e999", "1e-999", "NaN", "-Infinity", '"\\ud800"', "0" * 40, "1." + "3" * 3000),
    *("[" * 3000 + "]" * 3000, '{"a":' * 3000 + "1" + "}" * 3000, "[" * 200_000, "[0," * 40_000 + "0" + "]" * 40_000),
)
"""JSON that Python's encoder would not write."""
ODD_INTS = (0, 1, 2, 3, 7, 8, 16, 27, 28, 29, 127, 128, 255, 256, 784, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31)
ODD_INTS += (2**32 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1)
ODD_WORDS = ("", "x", '"', "0x10", "１", "1_0", "-1", "1e3", "\0")
ODD_TOML = ("1979-05-27", "inf", "nan", "0x7f", "[1, 2]", "{a = 1}", "'\''x'\''", "true", "1e400", '"50:relu:0.5, 3"')
TYPES = ("|u1", "<f8", "<f4", ">i2", "|O", "<U99", "|V8", "|b1", "<M8[ns]", "<c16", "|S0", "[('a','<f4')]")
CHUNKS = (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP", b"tRNS", b"PLTE", b"acTL", b"fcTL", b"gAMA")
TIMES = (10**12, 2**53, 2**62, -(2**62), 2**63 - 1, -(2**63), 253402300799999)
FLOATS = (0.0, 1.0, 1e38, -1e38, float("nan"), float("inf"), 1e-45)
# fmt: on
_NUMBER = re.compile(rb"-?\d+(\.\d+)?([eE][+-]?\d+)?")


def change_bytes(content: bytes, random: Random) -> bytes:
    """Flip, overwrite, insert, repeat, move or cut off some bytes, once or a few times."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        place, length = random.randrange(len(changed) + 1), random.choice((1, 2, 4, 8, 16, 200))
        match random.randrange(8):
            case 0 if changed:
                changed[place % len(changed)] ^= 1 << random.randrange(8)
            case 1:
                changed[place : place + length] = random.randbytes(length)
            case 2:
                changed[place:place] = random.randbytes(length)
            case 3:
                del changed[place : place + length]
            case 4:
                changed[place:place] = changed[place : place + length] * random.choice((1, 2, 50))
            case 5:
                start = random.randrange(len(changed) + 1)
                changed[place:place] = changed[start : start + length]
            case 6 if random.random() < 0.3:
                del changed[place:]
            case _:
                size, order = random.choice((1, 2, 4, 8)), random.choice("<>")
                value = random.choice(ODD_INTS) & (1 << 8 * size) - 1
                changed[place : place + size] = struct.pack(f"{order}{' BH I   Q'[size]}", value)
    return bytes(changed)


def change_numbers(content: bytes, random: Random) -> bytes:
    """Replace one number, or word between separators, in a text by an odd one."""
    found = list(_NUMBER.finditer(content))
    if not found:
        return change_bytes(content, random)
    chosen = random.choice(found)
    odd = random.choice((*map(str, ODD_INTS), *RAW_VALUES[:9], *ODD_WORDS))
    return content[: chosen.start()] + odd.encode() + content[chosen.end() :]


def change_json(content: bytes, random: Random) -> bytes:
    """Replace, remove or repeat a value somewhere in one line of JSON, or in the whole text."""
    lines = content.split(b"\n")
    place = random.randrange(len(lines))
    for whole in (lines[place], content):
        try:
            value = json.loads(whole)
        except (ValueError, RecursionError):
            continue
        new = _dumped(_changed_value(value, random, random.randrange(6)), random)
        if whole is content:
            return new
        lines[place] = new
        return b"\n".join(lines)
    return change_bytes(content, random)


def change_toml(content: bytes, random: Random) -> bytes:
    """Give one line `name = value` another value."""
    lines = content.splitlines()
    fields = [i for i, line in enumerate(lines) if b"=" in line and not line.startswith(b"#")]
    if not fields:
        return change_bytes(content, random)
    place, odd = random.choice(fields), random.choice(ODD_TOML).encode()
    like_json = _dumped(random.choice(ODD_VALUES), random), _dumped("", random, raw=0.9)
    lines[place] = lines[place].partition(b"=")[0] + b"= " + random.choice((odd, *like_json))
    return b"\n".join(lines)


def packed(change: Mutation) -> Mutation:
    """Change what is in a gzip file."""
    return lambda content, random: gzip.compress(change(gzip.decompress(content), random), 1, mtime=0)


def change_archive(content: bytes, random: Random) -> bytes:
    """Change a member of an `.npz`, its header or JSON more often than its values; or drop, rename or repeat it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    place = random.randrange(len(members))
    name, array = members[place]
    start = 10 + struct.unpack_from("<H", array, 8)[0]
    match random.randrange(8):
        case 0:
            del members[place]
        case 1:
            members[place] = (random.choice(members)[0], array)
        case 2:
            members[place] = (name, change_bytes(array, random))
        case 3 if array[start : start + 1] in {b"{", b"["}:
            text = change_json(array[start:], random)
            members[place] = (
                name,
                _npy(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(text)},)}}", text),
            )
        case 3 | 4:
            kind = random.choice(TYPES)
            members[place] = (name, re.sub(rb"'[|<>=][a-z]\d'", f"{kind!r}".encode(), array, count=1))
        case 5:
            members[place] = (name, array[:start] + change_bytes(array[start:], random))
        case _:
            odd = random.choice(ODD_INTS)
            odd = f"({odd},)", f"({odd}, 28, 28)", f"({odd}, {odd})", "()", "(0,)", f"(-{odd},)", "(1,)*40"
            shape = random.choice(odd)
            header = re.sub(rb"'shape': \([^)]*\)", b"'shape': " + shape.encode(), array[10:start])
            members[place] = (name, _npy(header.decode("latin-1").strip(), array[start:]))
    changed = io.BytesIO()
    method = zipfile.ZIP_STORED
    if random.random() < 0.2:
        method = random.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2))
    with zipfile.ZipFile(changed, "w", method) as archive:
        for name, array in dict(members).items():
            archive.writestr(name, array)
    return changed.getvalue()


def change_png(content: bytes, random: Random) -> bytes:
    """Change one chunk, or repeat or leave it out, with right check sums."""
    chunks, place = [], 8
    while place < len(content):
        (length,) = struct.unpack_from(">I", content, place)
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += 12 + length
    place = random.randrange(len(chunks))
    kind, body = chunks[place]
    match random.randrange(5):
        case 0:
            del chunks[place]
        case 1:
            chunks.insert(place, random.choice(chunks))
        case 2:
            extra = random.choice(CHUNKS)
            chunks.insert(1, (extra, random.randbytes(random.choice((0, 1, 4, 30))) + zlib.compress(body)))
        case _:
            chunks[place] = (kind, change_bytes(body, random))
    told = [(struct.pack(">I", len(body)), kind + body) for kind, body in chunks]
    return content[:8] + b"".join(size + body + struct.pack(">I", zlib.crc32(body)) for size, body in told)


def change_model_header(content: bytes, random: Random) -> bytes:
    """Change one attribute of a model file, most often a value in its JSON, and write the right check sum."""
    image = io.BytesIO(content)
    with h5py.File(image, "r+") as file:
        values = header_of(file)
        name = random.choice(sorted(set(values) - {"digests", "format"}))
        if isinstance(values[name], str):
            change = random.choice((change_json, change_json, change_json, change_bytes))
            text = change(values[name].encode(), random) if name != "name" else random.choice(ODD_VALUES)
            values[name] = (
                text.decode("utf-8", "replace")
                if isinstance(text, bytes)
                else str(text).replace("\ud800", "?")
            )
            values[name] = values[name].replace("\0", " ")[:60_000]
        else:
            values[name] = random.choice((0, 1, 2, 3, -1, 2**31, 2**63 - 1, -(2**63)))
        if random.random() < 0.03:
            del values[name]
            del file.attrs[name]
        for name, value in {**values, "sha256": digest_of_attributes(values)}.items():
            kind = (
                "<i8" if isinstance(value, int) else h5py.string_dtype("utf-8", max(len(value.encode()), 1))
            )
            file.attrs.create(name, value if isinstance(value, int) else value.encode(), dtype=kind)
    return image.getvalue()


def change_keras(content: bytes, random: Random) -> bytes:
    """Change the configuration in a Keras file of either kind, or the weights' bytes."""
    if not content.startswith(b"PK"):
        image = io.BytesIO(content)
        with h5py.File(image, "r+") as file:
            text = change_json(file.attrs["model_config"].encode(), random)
            file.attrs["model_config"] = text.decode("utf-8", "replace").replace("\0", " ")[:60_000]
        return image.getvalue()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = random.choice((*members, "config.json", "config.json"))
    members[name] = (change_json if name.endswith(".json") else change_bytes)(members[name], random)
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return changed.getvalue()


def header_of(file: h5py.File) -> dict[str, str | int]:
    """The attributes of a model file but its check sum."""
    found = {name: value for name, value in file.attrs.items() if name != "sha256"}
    return {name: value.decode() if isinstance(value, bytes) else int(value) for name, value in found.items()}


def change_cells(content: bytes, random: Random) -> bytes:
    """Give a few cells of a store, past its own checks, odd values; now and then, change its schema."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.deserialize(content)
    db.execute("PRAGMA ignore_check_constraints = ON")
    names = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    tables = [row[0] for row in names]
    for _ in range(random.choice((1, 1, 2, 5))):
        table = random.choice(tables)
        column, kind = random.choice(list(db.execute(f"SELECT name, type FROM pragma_table_info('{table}')")))
        value = _cell(kind, random, db.execute(f"SELECT {column} FROM {table} LIMIT 1").fetchone())
        wrecking = f"DROP TABLE {table}", f"DELETE FROM {table}", f"ALTER TABLE {table} DROP COLUMN {column}"
        with contextlib.suppress(sqlite3.Error, OverflowError, UnicodeEncodeError):
            if random.random() < 0.04:
                db.execute(random.choice(wrecking))
            else:
                rows = random.choice(("true", "rowid % 2 = 0"))
                db.execute(f"UPDATE {table} SET {column} = ? WHERE {rows}", (value,))
    return db.serialize()


def _cell(kind: str, random: Random, present: tuple[Any, ...] | None) -> Any:
    """An odd value of a column's type: others a STRICT table refuses."""
    now = present[0] if present else None
    if kind == "INTEGER":
        return random.choice((None, -1, 0, 1, 2, 99, *TIMES))
    if kind == "BLOB":
        changed = change_bytes(now if isinstance(now, bytes) else b"", random)
        return random.choice((None, b"", b"\0", bytes(784), changed, changed, odd_ink(b"", random)))
    if isinstance(now, str) and now[:1] in {"{", "["} and random.random() < 0.8:
        return change_json(now.encode(), random).decode("utf-8", "replace")
    texts = (value for value in ODD_VALUES if isinstance(value, str))
    return random.choice((None, "[", "{}", "[]", "null", "0", "nonsense", *texts))


def odd_ink(_content: bytes, random: Random) -> bytes:
    """A stored ink with odd counts or coordinates, rightly packed."""
    counts = [random.choice((0, 1, 2, 3, 2**31, 2**32 - 1)) for _ in range(random.choice((0, 1, 2)))]
    points = [random.choice(FLOATS) for _ in range(random.choice((0, 4, 8, 12)))]
    body = struct.pack(f"<{len(counts)}I{len(points)}f", *counts, *points)
    return struct.pack(
        "<BI", random.choice((1, 1, 1, 2)), random.choice((len(counts), 0, 2**32 - 1))
    ) + zlib.compress(body)


def _changed_value(value: Any, random: Random, depth: int) -> Any:
    """Return JSON with one value changed, not deeper than `depth`."""
    if depth and isinstance(value, dict) and value:
        key = random.choice(sorted(value))
        if depth == 1 and random.random() < 0.3:
            return {k: v for k, v in value.items() if k != key}
        if depth == 1 and random.random() < 0.2:
            return {**value, str(random.choice(ODD_VALUES)): value[key]}
        return {**value, key: _changed_value(value[key], random, depth - 1)}
    if depth and isinstance(value, list) and value:
        place = random.randrange(len(value))
        if depth == 1 and random.random() < 0.3:
            return value[:place] + value[place : place + 1] * random.choice((0, 2, 300)) + value[place + 1 :]
        return [*value[:place], _changed_value(value[place], random, depth - 1), *value[place + 1 :]]
    return _RAW if random.random() < 0.2 else random.choice(ODD_VALUES)


_RAW = "raw value here"


def _dumped(value: Any, random: Random, raw: float = 0.0) -> bytes:
    text = json.dumps(_RAW if random.random() < raw else value, ensure_ascii=random.random() < 0.5)
    return text.replace(f'"{_RAW}"', random.choice(RAW_VALUES)).encode("utf-8", "surrogatepass")


def _npy(header: str, content: bytes) -> bytes:
    told = header.encode("latin-1").ljust(118)[:65_000] + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(told)) + told + content
