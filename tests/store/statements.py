"""What SQLite is asked, and how it would answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable


def statements_of(connection: sqlite3.Connection, work: Callable[[], object]) -> list[str]:
    """The statements that `work` gives to SQLite."""
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    work()
    connection.set_trace_callback(None)
    return statements


def plans_of(connection: sqlite3.Connection, work: Callable[[], object]) -> list[str]:
    """The steps by which SQLite answers the queries of `work`."""
    statements = statements_of(connection, work)
    return [row["detail"] for s in statements for row in connection.execute(f"EXPLAIN QUERY PLAN {s}")]
