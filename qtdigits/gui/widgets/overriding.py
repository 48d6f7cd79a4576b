"""`override` for methods that Qt calls.

`typing.override` came with Python 3.12; the backport costs 15 ms at the window's start, and only the type checker needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import override
else:

    def override(method: Callable[..., Any]) -> Callable[..., Any]:
        return method


__all__ = ["override"]
