"""How what the engine was asked for comes to its one end, whatever happens on the way."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import TypeVar

from qtdigits.errors import CancelledError, QtDigitsError

Finished = TypeVar("Finished")
Cancelled = TypeVar("Cancelled")
Failed = TypeVar("Failed")


def ending_of(
    work: Callable[[], Finished],
    *,
    cancelled: Callable[[], Cancelled],
    failed: Callable[[BaseException], Failed],
) -> Finished | Cancelled | Failed:
    """What `work` gives; else `cancelled()` where it was given up, `failed(error)` for anything else that it raises.

    Never raises; the trace of what nobody expected goes to stderr.
    """
    try:
        return work()
    except (CancelledError, KeyboardInterrupt):
        return cancelled()
    except QtDigitsError as error:
        return failed(error)
    except BaseException as error:  # noqa: BLE001 - the person must hear of whatever it is, as an event
        traceback.print_exc(file=sys.stderr)
        return failed(error)
