"""LiteRT programs as files: the constants in them, and what they say about themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

METADATA = "qtdigits"
"""The name of the metadata in a program: JSON in UTF-8."""
_IDENTIFIER = b"TFL3"


def constants_of(program: bytes) -> list[NDArray[Any]]:
    """Return all constant arrays of a program that loads."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=program, num_threads=1)
    found = []
    for tensor in interpreter.get_tensor_details():
        try:  # before anything is allocated, only constants have values
            found.append(np.array(interpreter.get_tensor(tensor["index"])))
        except ValueError:
            continue
    return found


def with_metadata(program: bytes, facts: Mapping[str, Any]) -> bytes:
    """Return the program with `facts` as its metadata; it computes the same."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(program, 0)
    content = schema.BufferT()
    content.data = np.frombuffer(json.dumps(facts, ensure_ascii=False).encode(), np.uint8)
    entry = schema.MetadataT()
    entry.name, entry.buffer = METADATA, len(model.buffers)
    model.buffers.append(content)
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(len(program) + len(content.data) + 1024)
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())
