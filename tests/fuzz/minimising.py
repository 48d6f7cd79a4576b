"""Making an input smaller that finds something."""

from __future__ import annotations

import time

from fuzz.readers import Target
from fuzz.running import Finding, try_inputs

PATIENCE_S = 5.0


def minimised(target: Target, content: bytes, kind: str) -> bytes:
    """Leave out whatever can be left out while the kind stays the same: halves, quarters, … single bytes."""
    deadline = time.monotonic() + PATIENCE_S
    length = len(content) // 2
    while length and time.monotonic() < deadline:
        smaller = [content[:place] + content[place + length :] for place in range(0, len(content), length)]
        found = _first_of_kind(target, smaller, kind, deadline)
        if found is None:
            length //= 2
        else:
            content = smaller[found]
            length = min(length, len(content) // 2)
    return content


def _first_of_kind(target: Target, contents: list[bytes], kind: str, deadline: float) -> int | None:
    results = try_inputs(target, contents.__getitem__, 0, len(contents), until=deadline)
    for result in results:
        if isinstance(result, Finding) and result.kind == kind:
            results.close()
            return result.number
    return None
