"""The classes and the labels of models in `samples.db`. Changes of classes are made here; each can be undone.

A class has a row for good. Merging points to another row (`merged_into`; `root_id` is where that leads in the end), so that its
drawings need not be touched, and come back with it. `trials` name classes by their own labels: renaming changes those too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

from qtdigits.core.drawing.classes import Classes, ClassState, ListedClass, OwnedClass, free_name
from qtdigits.core.drawing.labels import Class, LabelSet, clean_label, labels_in
from qtdigits.core.drawing.samples import Verdict, now
from qtdigits.errors import InputError, StoreError
from qtdigits.store.tables.database import FILE_NAME, Database
from qtdigits.store.tables.row_types import milliseconds_of
from qtdigits.store.tables.rows import clean_name, shown_label

_MERGES_SEEN = 1000


_SOUND = "typeof(id) = 'text' AND typeof(label) = 'text'"
"""A row of `classes` that a damaged disk has left with another kind of value is passed over."""


@dataclass(frozen=True)
class _Row:
    id: str
    label: str
    merged_into: str | None
    retired_at: int | None
    deleted_at: int | None

    @property
    def state(self) -> ClassState:
        if self.merged_into is not None:
            return ClassState.MERGED
        if self.deleted_at is not None:
            return ClassState.DELETED
        return ClassState.ACTIVE if self.retired_at is None else ClassState.RETIRED


@dataclass(frozen=True)
class ClassChange:
    """How a class was before a change, None: not there; `n_drawings` are those that the change concerns."""

    id: str
    before: _Row | None
    n_drawings: int = 0


@dataclass(frozen=True)
class SetChange:
    """The ids of the classes that a set had before a change, none where it was not there; and the classes that came with it."""

    name: str
    before: tuple[str, ...]
    came: tuple[ClassChange, ...] = ()


class ClassTable:
    """The classes; reached as `SampleStore.class_table`. `editing` is a transaction that changes stored samples.

    Every method that changes something is one transaction. Classes are given by their labels; `InputError` says what is wrong.
    """

    def __init__(self, database: Database, editing: Callable[[], AbstractContextManager[None]]) -> None:
        self._db = database
        self._editing = editing

    def all(self, set_name: str = "") -> Classes:
        """Return all classes in their order, deleted ones too; answers are limited to the set of this name, if there is one."""
        return _all(self._db, set_name)

    def sets(self) -> dict[str, tuple[str, ...]]:
        """Return the named sets, the oldest first, with the labels of their classes that are in use."""
        names = [
            row["name"]
            for row in self._db.rows("SELECT name FROM class_sets WHERE typeof(name) = 'text' ORDER BY id")
        ]
        return {name: self.all(name).active.labels for name in names}

    def listed(self, outputs: LabelSet) -> list[ListedClass]:
        """Return all classes with what lists tell of them; `outputs` are those of the model in use."""
        classes, sets = self.all(), self.sets()
        trained = {c.id: c for c in classes.owners(outputs)}
        labels = {c.id: c.label for c in classes.owned}
        counts = {
            row["root_id"]: (int(row["n"]), int(row["held_out"]))
            for row in self._db.rows(
                """SELECT root_id, total(n) AS n, total(n * held_out) AS held_out
                    FROM sample_tally JOIN classes ON classes.id = class_id GROUP BY root_id"""
            )
        }
        return [
            ListedClass(
                *(c.id, c.label, c.state, labels[c.root] if c.state is ClassState.MERGED else ""),
                *counts.get(c.id, (0, 0)),
                c.id in trained,
                tuple(name for name, members in sets.items() if c.label in members),
            )
            for c in (*classes.owned, *(c for c in trained.values() if c.id not in labels))
        ]

    def put_set(self, name: str, labels: Iterable[str]) -> SetChange:
        """Make a set, or change it to these classes; new ones are created. Raises `InputError` for an invalid name or label."""
        name = clean_name(name, what="the name of a set")
        cleaned = labels_in(labels)
        if not cleaned:
            raise InputError(f"The set {name!r} would be empty.", "Name its classes.")
        with self._editing():
            rows = self._rows()
            ids = dict.fromkeys(class_in_use(self._db, label).id for label in cleaned)
            return SetChange(name, self._put_members(name, ids), self._came_since(rows))

    def add_to_set(self, name: str, label: str) -> None:
        """Add a class, created when absent, to a set. Nothing happens where there is no such set."""
        with self._editing():
            added = class_in_use(self._db, clean_label(label)).id
            if members := self._members(name):
                self._put_members(name, dict.fromkeys((*members, added)))

    def delete_set(self, name: str) -> SetChange:
        """Remove a set; its classes stay. Raises `InputError` where there is none."""
        with self._editing():
            before = self._put_members(name, ())
            if not before:
                raise InputError(
                    f"There is no set {name!r}.", f"Sets: {', '.join(self.sets()) or 'none yet'}."
                )
            return SetChange(name, before)

    def add(self, label: str) -> ClassChange:
        """Add a class, or bring back a deleted one without drawings. Raises `InputError` for an invalid label and a taken one."""
        label = clean_label(label)
        with self._editing():
            rows = self._rows()
            if not any(row.label == label and row.state is ClassState.DELETED for row, _ in rows.values()):
                self._refuse_taken(label)
            class_labelled(self._db, label)
            return self._came_since(rows)[0]

    def adopt(self, classes: LabelSet) -> None:
        """Add the classes of a model that nobody owns yet, with their ids, so that they can be renamed, merged or retired."""
        with self._editing():
            taken = {text for row, _ in self._rows().values() for text in (row.id, row.label)}
            for c in classes:
                if not taken & {c.id, c.label}:
                    _insert(self._db, c)

    def rename(self, label: str, new: str) -> ClassChange:
        """Give a class another label. Its id, its drawings, and the models that know it stay as they are."""
        new = clean_label(new)
        with self._editing():
            row = self._find(label, ClassState.ACTIVE, ClassState.RETIRED)
            return self._change(replace(row, label=new))

    def merge(self, source: str, into: str) -> ClassChange:
        """Count all drawings of `source` as drawings of `into`, from now on and in what was judged so far."""
        with self._editing():
            rows = self._find(source, ClassState.ACTIVE), self._find(into, ClassState.ACTIVE)
            if source == into:
                raise InputError(f"{source!r} cannot be merged with itself.", "Name two different classes.")
            return self._change(replace(rows[0], merged_into=rows[1].id))

    def retire(self, label: str) -> ClassChange:
        """Take a class out of use: it is not answered any more, and its drawings, which are kept, count nowhere."""
        with self._editing():
            row = self._find(label, ClassState.ACTIVE)
            self._refuse_last(row)
            return self._change(replace(row, retired_at=milliseconds_of(now())))

    def delete(self, label: str) -> ClassChange:
        """Put the drawings of a class into the trash, and the class with them."""
        with self._editing():
            row = self._find(label, ClassState.ACTIVE, ClassState.RETIRED)
            self._refuse_last(row)
            return self._change(replace(row, deleted_at=milliseconds_of(now())))

    def restore(self, label: str) -> ClassChange:
        """Bring back a class that was retired, merged or deleted, with its drawings as far as they are still there."""
        with self._editing():
            row = self._find(label)
            if row.state is ClassState.ACTIVE:
                raise InputError(
                    f"The class {label!r} is in use.", "Only retired, merged or deleted ones come back."
                )
            return self._change(replace(row, merged_into=None, retired_at=None, deleted_at=None))

    def remove(self, label: str) -> ClassChange:
        """Remove a class that was made by mistake; it is deleted where it has drawings by now."""
        with self._editing():
            return self._remove(self._find(label))

    @overload
    def undo(self, change: ClassChange) -> ClassChange: ...
    @overload
    def undo(self, change: SetChange) -> SetChange: ...
    def undo(self, change: ClassChange | SetChange) -> ClassChange | SetChange:
        """Make a class or a set what it was before `change`, and return how it was before that: undoing it is redoing."""
        with self._editing():
            if isinstance(change, ClassChange):
                return self._undo(change)
            before, came = self._members(change.name), tuple(map(self._undo, change.came))
            self._put_members(change.name, change.before)
            return SetChange(change.name, before, came)

    def _undo(self, change: ClassChange) -> ClassChange:
        if change.before is not None:
            return self._change(change.before)
        return self._remove(self._rows()[change.id][0])

    def _remove(self, row: _Row) -> ClassChange:
        """Remove a class, also from sets; where it has drawings, it is deleted. The caller holds the transaction."""
        is_used = "SELECT 1 FROM samples WHERE ?1 IN (class_id, given_class_id)"
        if self._merged_into(row.id) or self._db.row(is_used, (row.id,)):
            return self._change(replace(row, deleted_at=milliseconds_of(now())))
        self._db.execute("DELETE FROM class_set_members WHERE class_id = ?", (row.id,))
        self._db.execute("DELETE FROM classes WHERE id = ?", (row.id,))
        return ClassChange(row.id, row)

    def _came_since(self, rows: Mapping[str, tuple[_Row, str]]) -> tuple[ClassChange, ...]:
        """Return the classes that were added to `rows`, or are in use again."""
        return tuple(
            ClassChange(row.id, rows[row.id][0] if row.id in rows else None)
            for row, _ in self._rows().values()
            if row.id not in rows or rows[row.id][0] != row
        )

    def _members(self, name: str) -> tuple[str, ...]:
        found = self._db.rows(
            "SELECT class_id FROM class_set_members JOIN class_sets ON id = set_id WHERE name = ?", (name,)
        )
        return tuple(row["class_id"] for row in found)

    def _put_members(self, name: str, ids: Collection[str]) -> tuple[str, ...]:
        """Let a set have these classes, none: remove it. Return those it had. The caller holds the transaction."""
        before = self._members(name)
        if not ids:
            self._db.execute("DELETE FROM class_sets WHERE name = ?", (name,))
            return before
        self._db.execute("INSERT INTO class_sets (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
        set_id = self._db.value("SELECT id FROM class_sets WHERE name = ?", (name,))
        self._db.execute("DELETE FROM class_set_members WHERE set_id = ?", (set_id,))
        self._db.execute_many("INSERT INTO class_set_members VALUES (?, ?)", [(set_id, one) for one in ids])
        return before

    def _change(self, row: _Row) -> ClassChange:
        """Make a class what `row` says. The caller holds the transaction."""
        if row.id not in self._rows():
            _insert(self._db, Class(row.id, row.label))
        before, old_root = self._rows()[row.id]
        if row.label != before.label:
            self._refuse_taken(row.label)
            _rename_in_history(self._db, before.label, row.label)
        self._db.execute(
            "UPDATE classes SET label = ?, merged_into = ?, retired_at = ?, deleted_at = ? WHERE id = ?",
            (row.label, row.merged_into, row.retired_at, row.deleted_at, row.id),
        )
        concerned = self._group(row.id, old_root)
        self._set_roots()
        if row.merged_into != before.merged_into:
            for root in (old_root, self._rows()[row.id][1]):
                self._judge_anew(root)
        if row.deleted_at != before.deleted_at:
            _move_to_trash(self._db, concerned, before.deleted_at, row.deleted_at)
        n = self._db.value(
            """SELECT count(*) FROM samples WHERE class_id IN (SELECT value FROM json_each(?))
                AND (deleted_at IS NULL OR deleted_at = ?)""",
            (json.dumps(concerned), row.deleted_at),
        )
        return ClassChange(row.id, before, int(n))

    def _rows(self) -> dict[str, tuple[_Row, str]]:
        """Return all rows and their roots by id, in their order."""
        return _rows(self._db)

    def _find(self, label: str, *states: ClassState) -> _Row:
        """Return the class, which has to be in one of the states, where some are given."""
        rows = [row for row, _ in self._rows().values()]
        found = next((row for row in rows if row.label == clean_label(label)), None)
        if found is None:
            in_use = ", ".join(row.label for row in rows if row.state is ClassState.ACTIVE)
            raise InputError(f"There is no class {label!r}.", f"Classes: {in_use}.")
        if states and found.state not in states:
            raise self._not_in_use(found)
        return found

    def _group(self, class_id: str, root: str) -> list[str]:
        """Return the class and all that were merged into it."""
        if class_id != root:
            return [class_id, *self._merged_into(class_id)]
        return [row["id"] for row in self._db.rows("SELECT id FROM classes WHERE root_id = ?", (root,))]

    def _merged_into(self, class_id: str) -> list[str]:
        found = [
            row["id"] for row in self._db.rows("SELECT id FROM classes WHERE merged_into = ?", (class_id,))
        ]
        return [*found, *(more for one in found for more in self._merged_into(one))]

    def _set_roots(self) -> None:
        rows = {row.id: row for row, _ in self._rows().values()}
        roots = {class_id: _root_of(class_id, rows) for class_id in rows}
        self._db.execute_many(
            "UPDATE classes SET root_id = ? WHERE id = ? AND root_id <> ?",
            [(root, class_id, root) for class_id, root in roots.items()],
        )

    def _judge_anew(self, root: str) -> None:
        """A reading counts as right if the answer and the label are shown as the same class now."""
        is_right = f"{shown_label('answer')} = {shown_label('truth')}"
        verdict = f"CASE WHEN {is_right} THEN '{Verdict.CONFIRMED}' ELSE '{Verdict.CORRECTED}' END"
        self._db.execute(
            f"""UPDATE trials SET verdict = {verdict} WHERE verdict <> ? AND verdict <> {verdict}
                AND truth IN (SELECT label FROM classes WHERE root_id = ?)""",
            (Verdict.SKIPPED, root),
        )

    def _refuse_taken(self, label: str) -> None:
        row = next((row for row, _ in self._rows().values() if row.label == label), None)
        if row is not None and row.state is ClassState.ACTIVE:
            raise InputError(
                f"There is a class {label!r} already.", "Choose another label, or merge the two classes."
            )
        if row is not None:
            raise self._not_in_use(row)

    def _refuse_last(self, row: _Row) -> None:
        if len(active_classes(self._db)) == 1 and row.state is ClassState.ACTIVE:
            raise InputError(f"{row.label!r} is the last class.", "Add or restore another one first.")

    def _not_in_use(self, row: _Row) -> InputError:
        label = row.label
        if row.state is ClassState.ACTIVE:
            return InputError(f"There is a class {label!r} already.", "Choose another label.")
        what = f"The class {label!r} was {row.state}"
        if row.merged_into is not None:
            what += f" into {self._rows()[row.merged_into][0].label!r}"
        return InputError(f"{what}.", "Restore it first, or choose another label.")


def classes_of(folder: Path, set_name: str = "") -> Classes:
    """Return `ClassTable.all` of the store in `folder`; no classes where there is no store, or one that cannot be read."""
    path = folder / FILE_NAME
    if not path.is_file():
        return Classes()
    try:
        with closing(Database.open_read_only(path)) as db:
            return _all(db, set_name)
    except StoreError:
        return Classes()


def active_classes(db: Database) -> LabelSet:
    """Return the classes in use, in their order."""
    found = db.rows(
        f"""SELECT id, label FROM classes
            WHERE {_SOUND} AND merged_into IS NULL AND retired_at IS NULL AND deleted_at IS NULL ORDER BY position"""
    )
    return LabelSet(tuple(Class(row["id"], row["label"]) for row in found))


def class_labelled(db: Database, label: str) -> Class:
    """Return the class that drawings with this label belong to, created when absent: of a merged one, the one it counts as.

    The caller holds the transaction.
    """
    row = db.row(
        """SELECT id, label, deleted_at FROM classes
            WHERE id = (SELECT root_id FROM classes WHERE label = ?)""",
        (label,),
    )
    if row is not None:
        if row["deleted_at"] is not None:  # what it had stays in the trash
            db.execute("UPDATE classes SET deleted_at = NULL WHERE id = ?", (row["id"],))
        return Class(row["id"], row["label"])
    made = Class.named(label)
    # A renamed class may have this very label as its id.
    taken = {row["id"] for row in db.rows("SELECT id FROM classes")}
    made = Class(free_name(made.id, taken), made.label)
    _insert(db, made)
    return made


def class_in_use(db: Database, label: str) -> Class:
    """As `class_labelled`; a retired class comes back, as a person has just given this label."""
    found = class_labelled(db, label)
    db.execute("UPDATE classes SET retired_at = NULL WHERE id = ? AND retired_at IS NOT NULL", (found.id,))
    return found


def import_class(db: Database, label: str, *, retired_at: int | None) -> None:
    """Add a class of another store, unless there is one of this label; if it is retired there, it is retired here."""
    if not db.row("SELECT 1 FROM classes WHERE label = ?", (label,)):
        made = class_labelled(db, label)
        db.execute("UPDATE classes SET retired_at = ? WHERE id = ?", (retired_at, made.id))


def label_set_id(db: Database, labels: tuple[str, ...]) -> int:
    """Return the row id of a model's labels, created when absent: many trials share one."""
    return label_set_id_of_json(db, json.dumps(labels, ensure_ascii=False))


def label_set_id_of_json(db: Database, text: str) -> int:
    """As `label_set_id`, for labels as a JSON array."""
    db.execute("INSERT INTO label_sets (labels) VALUES (?) ON CONFLICT DO NOTHING", (text,))
    return int(db.value("SELECT id FROM label_sets WHERE labels = ?", (text,)))


def _rows(db: Database) -> dict[str, tuple[_Row, str]]:
    found = db.rows(
        f"""SELECT id, label, merged_into, retired_at, deleted_at, root_id FROM classes
            WHERE {_SOUND} ORDER BY position"""
    )
    return {row["id"]: (_Row(*tuple(row)[:-1]), row["root_id"]) for row in found}


def _all(db: Database, set_name: str) -> Classes:
    owned = tuple(OwnedClass(row.id, row.label, row.state, root) for row, root in _rows(db).values())
    members = db.rows(
        """SELECT classes.root_id FROM class_sets JOIN class_set_members ON set_id = class_sets.id
            JOIN classes ON classes.id = class_id WHERE name = ?""",
        (set_name,),
    )
    return Classes(owned, frozenset(row["root_id"] for row in members) or None)


def _insert(db: Database, made: Class) -> None:
    db.execute(
        """INSERT INTO classes (id, label, position, root_id)
            SELECT ?, ?, coalesce(max(position) + 1, 0), ? FROM classes""",
        (made.id, made.label, made.id),
    )


def _rename_in_history(db: Database, old: str, new: str) -> None:
    for table, column in (("trials", "truth"), ("trials", "answer"), ("samples", "suggestion")):
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (new, old))
    for row in list(db.rows("SELECT id, labels FROM label_sets")):
        labels = json.loads(row["labels"])
        if old not in labels:
            continue
        renamed = tuple(new if label == old else label for label in labels)
        kept = label_set_id(db, renamed)
        db.execute("UPDATE trials SET label_set_id = ? WHERE label_set_id = ?", (kept, row["id"]))
        db.execute("DELETE FROM label_sets WHERE id = ?", (row["id"],))


def _move_to_trash(db: Database, class_ids: list[str], was: int | None, becomes: int | None) -> None:
    """Change `deleted_at` of the drawings of some classes from `was`, which may be None, to `becomes`."""
    db.execute(
        """UPDATE samples SET deleted_at = ? WHERE deleted_at IS ?
            AND class_id IN (SELECT value FROM json_each(?))""",
        (becomes, was, json.dumps(class_ids)),
    )


def _root_of(class_id: str, rows: Mapping[str, _Row]) -> str:
    for _ in range(_MERGES_SEEN):
        into = rows[class_id].merged_into
        if into is None:
            return class_id
        class_id = into
    raise InputError("This cannot be undone any more.", "Bring back the classes one by one.")
