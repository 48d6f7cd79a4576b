"""The *Models* tab: all models with their scores, which one is in use, and a replay of all drawings by every model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from qtdigits.core.drawing.samples import MNIST_TEST, MY_HOLD_OUT
from qtdigits.core.formatting import UNKNOWN, counted, not_counted, percent
from qtdigits.core.score.metrics import Tally
from qtdigits.errors import CancelledError, QtDigitsError
from qtdigits.gui.background import Background
from qtdigits.gui.import_export import ImportExport
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.pages import RefreshingPanel
from qtdigits.gui.widgets.parts import (
    LEFT,
    RIGHT,
    button,
    choice_table,
    label,
    named,
    offer_columns,
    table_cell,
)
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.store.library import DRAWN_SCORE, ModelEntry, ModelLibrary
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.compare import NOTHING, Drawings, Replayed, headers_of, replay

COLUMNS = (
    "",
    "Model",
    "Drawings right",
    MY_HOLD_OUT.capitalize(),
    "Mine, not learned",
    "By strangers",
    MNIST_TEST,
    "Made",
    "Network",
)
NAME_COLUMN, USED_COLUMN, HOLD_OUT_COLUMN, NOT_LEARNED_COLUMN = range(1, 5)
REPLAYED_COLUMNS = (USED_COLUMN, HOLD_OUT_COLUMN, NOT_LEARNED_COLUMN)
FIGURE_COLUMNS = (*REPLAYED_COLUMNS, 5, 6)
HIDDEN_COLUMNS = (NOT_LEARNED_COLUMN, 5, 7, 8)
LEAST_NOTE_PX = 340
IMPORTED = "Nor do imported drawings for a model that was trained on files: they may be from the same file."
NOTE = "Drawings right: as each model read them when they were judged."


class ModelsPanel(RefreshingPanel):
    """Reads the list only while it is visible. A replay runs in the background, until the session is closed."""

    def __init__(
        self, *, session: Session, import_export: ImportExport, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._import_export = import_export
        self._replayed: Mapping[Path, Replayed] = {}
        self._entries: list[ModelEntry] = []
        self._background = Background(self)
        self._is_closing = Event()
        self._work = ""
        self._table = choice_table(COLUMNS, name="modelsTable", title="Models", numbers=FIGURE_COLUMNS)
        offer_columns(self._table, name_column=NAME_COLUMN, hidden=HIDDEN_COLUMNS)
        self._details = label(role="muted", name="modelDetails", wraps=True)
        self._use = button("Use this model", "useModelButton", is_primary=True)
        self._roll_back = button(
            "Roll back", "modelsRollBackButton", "Go back to the model that was in use before this one"
        )
        self._replay = button(
            "Read my drawings", "replayButton", "Let every model read all of your stored drawings again"
        )
        self._export = button(
            "Export…", "exportModelButton", "Write the chosen model for another program: ONNX, LiteRT, Keras"
        )
        self._import = button(
            "Import…", "importModelButton", "Add a model file of another QtDigits, or of Keras (.h5, .keras)"
        )
        self._cancel = button("Cancel", "cancelModelButton", "Cancel the import or export")
        self._cancel.hide()
        self._working = named(QProgressBar(), "modelProgress")
        self._working.setRange(0, 0)
        self._working.setTextVisible(False)
        self._working.hide()
        self._note = label(NOTE, role="muted", name="modelsNote", wraps=True)
        self._lay_out()
        self._connect()
        self._update_buttons()

    def _lay_out(self) -> None:
        below = WrappingRow()
        below.add_stretching(self._note, least_px=LEAST_NOTE_PX)
        for group in ((self._cancel, self._import, self._export), (self._replay, self._roll_back, self._use)):
            row = QHBoxLayout(together := QWidget())
            row.setContentsMargins(0, 0, 0, 0)
            for choice in group:
                row.addWidget(choice)
            below.add(together)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.addWidget(self._table, 1)
        layout.addWidget(self._details)
        layout.addWidget(self._working)
        layout.addLayout(below)

    def _connect(self) -> None:
        session = self._session
        self._use.clicked.connect(self._use_chosen)
        self._roll_back.clicked.connect(session.roll_back)
        self._replay.clicked.connect(self.replay)
        self._export.clicked.connect(self._export_chosen)
        self._import.clicked.connect(self._import_export.import_model)
        self._cancel.clicked.connect(self._import_export.cancel_model_work)
        self._import_export.model_work_changed.connect(self._on_model_work)
        self._import_export.model_added.connect(self._on_added)
        self._table.itemSelectionChanged.connect(self._update_buttons)
        self._table.itemActivated.connect(self._use_chosen)
        self._background.done.connect(self._on_replayed)
        self._background.failed.connect(self._on_replay_failed)
        self._background.busy_changed.connect(self._on_replay_busy)
        session.writer_changed.connect(self._forget_replay)
        session.champion_changed.connect(self.mark_stale)
        session.models_changed.connect(self.mark_stale)
        session.closing.connect(self._on_closing)

    def show_entries(self, entries: list[ModelEntry], in_use: Path | None) -> None:
        self._entries = entries
        writer, is_alone = self._session.writer, self._is_alone
        self._table.setRowCount(len(entries))
        for row, entry in enumerate(entries):
            replayed = self._replayed.get(entry.path)
            is_own = entry.writer == writer or (is_alone and not entry.writer)
            judged = self._judged(entry.name)
            cells = _cells(entry, replayed, judged, is_own=is_own, is_in_use=entry.path == in_use)
            for column, text in enumerate(cells):
                tip = entry.error or _told(replayed, judged, column) or str(entry.path)
                cell = table_cell(text, RIGHT if column in FIGURE_COLUMNS else LEFT, tip=tip)
                self._table.setItem(row, column, cell)
        self._update_buttons()

    @Slot()
    def replay(self) -> None:
        """Let every readable model read all drawings of this writer; does nothing during an earlier replay."""
        if self._background.is_busy:
            return
        paths = [entry.path for entry in self._session.library.entries() if not entry.error]
        session, closing = self._session, self._is_closing
        writer, class_set, data_dir = session.writer, session.class_set, session.data_dir
        self._background.run(writer, lambda: _replayed(paths, writer, class_set, data_dir, closing))

    @override
    def reload(self) -> None:
        self.show_entries(self._session.library.entries(), self._session.model_path)

    @property
    def _is_alone(self) -> bool:
        """Nobody else draws here: a hold-out that is not said to be anybody's is this writer's."""
        try:
            return len(self._session.store.writers()) < 2
        except QtDigitsError:
            return True

    def _judged(self, model: str) -> Tally:
        """Return how many of the writer's drawings the model read right when they were judged."""
        try:
            correct, n = self._session.store.running_accuracy(writer=self._session.writer, model=model)
        except QtDigitsError:
            return NOTHING
        return Tally(n, correct)

    def _chosen(self) -> ModelEntry | None:
        rows = {index.row() for index in self._table.selectedIndexes()}
        return self._entries[rows.pop()] if rows else None

    def _use_chosen(self) -> None:
        entry = self._chosen()
        if entry is not None and not entry.error:
            self._session.use_model(entry.path)

    def _export_chosen(self) -> None:
        entry = self._chosen()
        if entry is not None:
            self._import_export.export_model(entry.path)

    @Slot(str)
    def _on_model_work(self, text: str) -> None:
        """`text`: what is being done with a model; "" when that has ended."""
        self._work = text
        self._working.setVisible(bool(text))
        self._cancel.setVisible(bool(text))
        self._import.setHidden(bool(text))
        self._note.setText(text or NOTE)
        self._update_buttons()

    @Slot(Path, str)
    def _on_added(self, path: Path, told: str) -> None:
        self._note.setText(f"Imported: {told}")
        self.reload()
        self._table.selectRow([entry.path for entry in self._entries].index(path))

    @Slot(str, object)
    def _on_replayed(self, writer: str, result: tuple[Mapping[Path, Replayed], int]) -> None:
        if writer == self._session.writer:
            self._replayed, n_doubted = result
            self._note.setText(_replay_note(writer, self._replayed, n_doubted))
            self.mark_stale()

    @Slot(str, object)
    def _on_replay_failed(self, _writer: str, error: QtDigitsError) -> None:
        self._note.setText(str(error))

    @Slot(bool)
    def _on_replay_busy(self, is_busy: bool) -> None:
        self._replay.setEnabled(not is_busy)
        if is_busy:
            self._note.setText("Every model is reading your drawings …")

    @Slot()
    def _on_closing(self) -> None:
        self._is_closing.set()
        self._background.shutdown()

    @Slot()
    def _forget_replay(self) -> None:
        self._replayed = {}
        self._note.setText(NOTE)
        self.mark_stale()

    def _update_buttons(self) -> None:
        entry = self._chosen()
        is_usable = entry is not None and not entry.error
        self._use.setEnabled(is_usable)
        self._export.setEnabled(is_usable and not self._work)
        self._details.setText(_details_of(entry) if entry else "")
        self._details.setVisible(entry is not None)


def _replayed(
    paths: list[Path], writer: str, class_set: str, data_dir: Path, is_closing: Event
) -> tuple[dict[Path, Replayed], int]:
    """Score the models at `paths` on the drawings of a writer, in a thread; return how many doubted ones do not count, too.

    Raises `CancelledError` when the window closes.
    """

    def look(_done: int, _total: int) -> None:
        if is_closing.is_set():
            raise CancelledError("The replay was cancelled.")

    with SampleStore.open(data_dir) as store:
        drawings = Drawings.of(store, writer=writer, class_set=class_set)
    library = ModelLibrary(data_dir)
    found = replay(paths, drawings, header_of=headers_of(library), load=library.load, progress=look)
    return {one.path: one for one in found}, drawings.n_doubted


def _details_of(entry: ModelEntry) -> str:
    """What the columns do not say."""
    if entry.error:
        return entry.error
    strangers = _percent(entry.scores.get(DRAWN_SCORE))
    read = "" if strangers == UNKNOWN else f"It reads {strangers} of strangers' digits right. "
    return f"{entry.title}, made {_day_of(entry)}. {read}{entry.path}"


def _cells(
    entry: ModelEntry, replayed: Replayed | None, judged: Tally, *, is_own: bool, is_in_use: bool
) -> list[str]:
    """`is_own`: the model was scored on the hold-out of who draws now."""
    if entry.error:
        return ["", f"{entry.name}: cannot be read", *[UNKNOWN] * len(FIGURE_COLUMNS), "", ""]
    if replayed is None or replayed.error:
        mine = [
            _tally(judged),
            _percent(entry.scores.get(MY_HOLD_OUT)) if is_own else UNKNOWN,
            UNKNOWN,
        ]
    else:
        mine = [_tally(tally) for tally in _shown(replayed)]
    others = [_percent(entry.scores.get(name)) for name in (DRAWN_SCORE, MNIST_TEST)]
    return ["in use" if is_in_use else "", entry.name, *mine, *others, _day_of(entry), entry.title]


def _day_of(entry: ModelEntry) -> str:
    return f"{entry.created_at.astimezone():%d %b %Y}"


def _tally(tally: Tally) -> str:
    """97.1 % [92, 99]."""
    if not tally.n:
        return UNKNOWN
    low, high = tally.interval
    return f"{percent(tally.accuracy)} [{100 * low:.0f}, {100 * high:.0f}]"


def _shown(replayed: Replayed) -> tuple[Tally, Tally, Tally]:
    """As it is used, with memory if it has one; then alone."""
    used = replayed.with_memory or replayed.parts
    return used.fair, replayed.parts.hold_out, replayed.parts.not_learned


def _told_as_used(replayed: Replayed) -> str:
    used, alone = (replayed.with_memory or replayed.parts).fair, replayed.parts.fair
    read = f"{used.correct:,} of {used.n:,} that it has not learned are read right"
    if replayed.with_memory is None:
        return f"{read}. This model reads without memory: its file has no embedding."
    return f"{read} with a memory of all your other drawings; {alone.correct:,} without"


def _told(replayed: Replayed | None, judged: Tally, column: int) -> str:
    """The counts behind a figure."""
    if replayed is not None and replayed.error:
        return replayed.error
    if column not in REPLAYED_COLUMNS:
        return ""
    if replayed is None:
        read = f"{judged.correct:,} of {judged.n:,} read right when they were judged"
        return read if column == USED_COLUMN and judged.n else ""
    if column == USED_COLUMN:
        return _told_as_used(replayed)
    tally = _shown(replayed)[REPLAYED_COLUMNS.index(column)]
    of_files = replayed.parts.of_files
    left_out = f"; {of_files.n:,} imported drawings are left out. {IMPORTED}" if of_files.n else ""
    return f"{tally.correct:,} of {tally.n:,} read right{left_out}"


def _replay_note(writer: str, found: Mapping[Path, Replayed], n_doubted: int) -> str:
    first = next((one for one in found.values() if not one.error), None)
    n = first.parts.n if first else 0
    doubtful = f" {not_counted(n_doubted)}." if n_doubted else ""
    if first and not n:
        return f"There are no drawings by {writer} to read yet.{doubtful}"
    broken = ", ".join(one.name for one in found.values() if one.error)
    left_out = f" Could not be used: {broken}." if broken else ""
    imported = f" {IMPORTED}" if any(one.parts.of_files.n for one in found.values()) else ""
    return (
        f"Read just now: {counted(n, 'drawing')} by {writer}, with 95 % intervals. "
        f"What a model was trained on does not count for it.{doubtful}{imported}{left_out}"
    )


def _percent(score: Mapping[str, Any] | None) -> str:
    return percent(score["accuracy"], 2) if score and score.get("n") else UNKNOWN
