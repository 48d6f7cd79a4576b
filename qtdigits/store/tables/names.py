"""Writers, classes and label sets in `samples.db`: the names that samples and trials refer to."""

from __future__ import annotations

import json

from qtdigits.core.drawing.labels import Class, LabelSet
from qtdigits.errors import InputError
from qtdigits.store.tables.database import Database
from qtdigits.store.tables.rows import clean_name


class NameTables:
    """Queries only; the caller holds the transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def writers(self) -> list[str]:
        return [row["name"] for row in self._db.rows("SELECT name FROM writers ORDER BY id")]

    def add_writer(self, name: str) -> None:
        """Raises `InputError` for a name that is taken or cannot be one."""
        self._refuse_taken(clean_name(name))
        self.writer_id(name)

    def rename_writer(self, old: str, new: str) -> None:
        """Raises `InputError` for a name that is taken or cannot be one, and when there is no writer `old`."""
        new = clean_name(new)
        if new != old:
            self._refuse_taken(new)
        if not self._db.execute("UPDATE writers SET name = ? WHERE name = ?", (new, old)).rowcount:
            raise self._no_writer(old)

    def add_writer_of_elsewhere(self, name: str, key: str) -> None:
        """A writer of another store, unless there is one of this name: the hold-out goes on as it was begun there."""
        self._db.execute("INSERT INTO writers (name, key) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, key))

    def require_writer(self, name: str) -> None:
        """Raises `InputError` when there is no such writer."""
        if not self._db.row("SELECT 1 FROM writers WHERE name = ?", (name,)):
            raise self._no_writer(name)

    def writer_id(self, name: str) -> int:
        """The row of the writer, made when there is none."""
        name = clean_name(name)
        self._db.execute("INSERT INTO writers (name, key) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, name))
        return int(self._db.value("SELECT id FROM writers WHERE name = ?", (name,)))

    def hold_out_key(self, writer_id: int) -> str:
        """The writer's first name, by which the hold-out is chosen."""
        return str(self._db.value("SELECT key FROM writers WHERE id = ?", (writer_id,)))

    def classes(self) -> LabelSet:
        found = self._db.rows("SELECT id, label FROM classes ORDER BY position")
        return LabelSet(tuple(Class(row["id"], row["label"]) for row in found))

    def class_labelled(self, label: str) -> Class:
        """The class with this label, made when there is none."""
        row = self._db.row("SELECT id, label FROM classes WHERE label = ?", (label,))
        if row is not None:
            return Class(row["id"], row["label"])
        made = Class.named(label)
        # The id of a class that was renamed may be this very label.
        taken = {row["id"] for row in self._db.rows("SELECT id FROM classes")}
        free = next(i for i in (made.id, *(f"{made.id}~{n}" for n in range(2, 10_000))) if i not in taken)
        self._db.execute(
            "INSERT INTO classes SELECT ?, ?, coalesce(max(position) + 1, 0) FROM classes", (free, made.label)
        )
        return Class(free, made.label)

    def label_set_id(self, labels: tuple[str, ...]) -> int:
        """The row of a model's labels, made when there is none: many trials share one."""
        return self.label_set_id_of(json.dumps(labels, ensure_ascii=False))

    def label_set_id_of(self, text: str) -> int:
        """The same for labels that are a JSON array already."""
        self._db.execute("INSERT INTO label_sets (labels) VALUES (?) ON CONFLICT DO NOTHING", (text,))
        return int(self._db.value("SELECT id FROM label_sets WHERE labels = ?", (text,)))

    def _refuse_taken(self, name: str) -> None:
        if self._db.row("SELECT 1 FROM writers WHERE name = ?", (name,)):
            raise InputError(f"There is a writer {name!r} already.", "Choose another name.")

    def _no_writer(self, name: str) -> InputError:
        return InputError(
            f"There is no writer {name!r}.", f"Writers: {', '.join(self.writers()) or 'none yet'}."
        )
