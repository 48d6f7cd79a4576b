"""Import and export from the window: files are asked for, the work is done in the background, its outcome is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.core.drawing.samples import Sample
from qtdigits.core.formatting import counted
from qtdigits.errors import CancelledError, QtDigitsError
from qtdigits.gui.background import Background, Work
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.ask import Ask
from qtdigits.store.files import write_file
from qtdigits.store.tables.editing import Added
from qtdigits.store.tables.rows import EVERYTHING, SampleFilter
from qtdigits.training import import_export as exchange
from qtdigits.training.child import run_program
from qtdigits.training.export.formats import FORMATS, format_of

if TYPE_CHECKING:  # a report is not needed at the start
    from qtdigits.training.report.page import Report

CSV_KIND = "CSV (*.csv)"
INK_KIND = "Ink (*.jsonl.gz *.jsonl)"
MOST_NAMED = 12
"""So many writers or labels are named in a question."""
ANY_KIND = "Drawings (*.jsonl *.jsonl.gz *.csv *.tra *.tes *.npz *.gz *.db);;All files (*)"
MODEL_FILES = "Models of QtDigits or Keras (*.h5 *.keras);;All files (*)"
MODEL_KINDS = ";;".join(f"{one.title} (*{one.suffix})" for one in FORMATS)
PAGE_KIND = "Web page (*.html)"
EXPORT_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class DrawingsWritten:
    """`n` drawings; `n_retired` more are of retired classes and were left out."""

    n: int
    n_retired: int


@dataclass(frozen=True)
class ReportWritten:
    """`headline` is its main sentence."""

    headline: str


@dataclass(frozen=True)
class ModelWritten:
    """`difference` is the largest of a probability from the model's own."""

    difference: float


@dataclass(frozen=True)
class ModelAdded:
    """What was imported, in a sentence."""

    path: Path
    told: str


class ImportExport(QObject):
    """Works in a thread of its own, and tells the session how each job ended.

    What a file holds is told before it is stored. `imported` carries the sentence about what was stored, and the ids of the
    drawings. `model_work_changed` carries what is being done with a model, "" when that has ended; `model_added` its path, and
    what there is to know about it.
    """

    imported = Signal(str, object)
    model_work_changed = Signal(str)
    model_added = Signal(Path, str)

    def __init__(self, *, session: Session, ask: Ask, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._ask = ask
        self._background = Background(self)
        self._background.done.connect(self._on_done)
        self._background.failed.connect(self._on_failed)
        self._model_work = ""
        self._cancelled = Event()
        self._is_closing = Event()
        session.closing.connect(self._on_closing)

    def import_drawings(self) -> None:
        path = self._ask.file_to_open("Import drawings", ANY_KIND)
        if path is not None:
            self._import(path, None)

    def import_csv_pair(self) -> None:
        """Import two files; for the labels the person is asked only if they are not beside the images."""
        images = self._ask.file_to_open("The pair's images.csv: 784 numbers a row", CSV_KIND)
        if images is None:
            return
        beside = images.with_name("labels.csv")
        labels = (
            beside
            if beside.exists()
            else self._ask.file_to_open("The pair's labels.csv: one label a row", CSV_KIND)
        )
        if labels is not None:
            self._import(images, labels)

    def export_ink(self) -> None:
        self.export_chosen(EVERYTHING, "Export drawings as ink")

    def export_chosen(self, chosen: SampleFilter, title: str) -> None:
        """Export some of the drawings as ink."""
        if not self._has_any(chosen):
            return
        path = self._ask.file_to_save(title, "drawings.jsonl.gz", INK_KIND)
        if path is not None:
            work = partial(exchange.export_ink, self._session.data_dir, path, chosen)
            self._run(f"Exporting to {path.name}", partial(_drawings_written, work, self._n_retired(chosen)))

    def export_csv_pair(self) -> None:
        if not self._has_any(EVERYTHING):
            return
        images = self._ask.file_to_save("Export as CSV pair: the images", "images.csv", CSV_KIND)
        if images is None:
            return
        labels = images.with_name(
            "labels.csv" if images.name == "images.csv" else f"{images.stem}-labels.csv"
        )
        work = partial(exchange.export_csv_pair, self._session.data_dir, images, labels)
        name = f"Exporting to {images.name} and {labels.name}"
        self._run(name, partial(_drawings_written, work, self._n_retired(EVERYTHING)))

    def export_model(self, model: Path) -> None:
        """Write a model for another program, by a process of its own: Keras needs TensorFlow."""
        out = self._ask.file_to_save(f"Export {model.stem}", f"{model.stem}{FORMATS[0].suffix}", MODEL_KINDS)
        if out is None:
            return
        try:
            format_of(out)
        except QtDigitsError as error:
            self._session.report(error)
            return
        self._run_model(f"Exporting to {out.name}", partial(_written, model, out, self._cancelled))

    def import_model(self) -> None:
        """Add a model of another data folder, or of Keras's, to the models."""
        path = self._ask.file_to_open("Import a model", MODEL_FILES)
        if path is not None:
            work = partial(_model_added, path, self._session.data_dir, self._cancelled)
            self._run_model(f"Importing {path.name}", work)

    @Slot()
    def cancel_model_work(self) -> None:
        self._cancelled.set()

    def save_report(self) -> None:
        """Write a page about whoever draws now."""
        writer, store = self._session.writer, self._session.store
        try:
            is_empty = not store.count(writer=writer) and not store.judgements.models(writer)
        except QtDigitsError as error:
            self._session.report(error)
            return
        if is_empty:
            self._session.notify(f"There is nothing to report: {writer} has not drawn anything yet.")
            return
        self._save_page(writer, partial(_about_writer, self._session.data_dir, writer, self._is_closing))

    def save_study_report(self, study: str) -> None:
        """Write a page about a study."""
        self._save_page(study, partial(_about_study, self._session.data_dir, study))

    @Slot()
    def _on_closing(self) -> None:
        self._is_closing.set()
        self._cancelled.set()
        self._background.shutdown()

    def _has_any(self, chosen: SampleFilter) -> bool:
        """Return whether there is something to export, and tell if there is not."""
        try:
            n = self._session.store.count(chosen)
        except QtDigitsError as error:
            self._session.report(error)
            return False
        if not n:
            self._session.notify("There are no drawings to export.")
        return n > 0

    def _n_retired(self, chosen: SampleFilter) -> int:
        """Return how many drawings an export leaves out, as their classes are retired."""
        try:
            return self._session.store.count(replace(chosen, is_retired=True))
        except QtDigitsError as error:
            self._session.report(error)
            return 0

    def _import(self, path: Path, labels: Path | None) -> None:
        work = partial(exchange.read_drawings, path, writer=self._session.writer, labels=labels)
        self._run(f"Importing {path.name}", work)

    def _save_page(self, subject: str, report: Callable[[], Report]) -> None:
        from qtdigits.training.report.page import file_name_of

        out = self._ask.file_to_save("Save a report", file_name_of(subject), PAGE_KIND)
        if out is not None:
            self._run(f"Writing {out.name}", partial(_report_written, report, out))

    def _store(self, name: str, drawings: tuple[Sample, ...]) -> None:
        if self._ask.yes(name, import_question(drawings)):
            self._background.run(name, partial(exchange.add_drawings, self._session.data_dir, drawings))
        else:
            self._session.notify(f"{name}: nothing was added.")

    def _run(self, name: str, work: Work) -> None:
        self._session.notify(f"{name} …")
        self._background.run(name, work)

    def _run_model(self, name: str, work: Work) -> None:
        """One model at a time, so that what is cancelled is clear."""
        if not self._model_work:
            self._model_work = name
            self._cancelled.clear()
            self._background.run(name, work)
            self.model_work_changed.emit(f"{name} …")

    def _model_work_ended(self, name: str) -> None:
        if name == self._model_work:
            self._model_work = ""
            self.model_work_changed.emit("")

    def _on_done(self, name: str, result: object) -> None:
        self._model_work_ended(name)
        match result:
            case ModelAdded(path, told):
                self._session.model_trained()
                self._session.tell(f"{path.stem} is one of the models now.")
                self.model_added.emit(path, told)
            case tuple():
                self._store(name, result)
            case Added(added=added, skipped=skipped, ids=ids):
                known = f" {skipped:,} were there already." if skipped else ""
                text = f"{name}: {counted(added, 'drawing')} added.{known}"
                if ids:
                    self.imported.emit(text, ids)
                else:
                    self._session.notify(text)
                self._session.samples_edited()
            case ModelWritten(difference):
                self._session.notify(
                    f"{name}: done. Read back, it answers the same; probabilities differ by at most {difference:.1g}."
                )
            case ReportWritten(headline):
                self._session.notify(f"{name}: done. {headline}")
            case DrawingsWritten(n, n_retired):
                left_out = f" {n_retired:,} of retired classes were left out." if n_retired else ""
                self._session.notify(f"{name}: {counted(n, 'drawing')} written.{left_out}")

    def _on_failed(self, name: str, error: QtDigitsError) -> None:
        self._model_work_ended(name)
        if isinstance(error, CancelledError):
            self._session.notify(f"{name}: cancelled.")
            return
        self._session.report(
            QtDigitsError(f"{name} failed, and nothing was changed. {error.message}", error.remedy)
        )


def _drawings_written(export: Callable[[], int], n_retired: int) -> DrawingsWritten:
    return DrawingsWritten(export(), n_retired)


def _about_writer(data_dir: Path, writer: str, is_closing: Event) -> Report:
    from qtdigits.training.report.writer import writer_report

    def raise_if_closing(_done: int, _total: int) -> None:
        if is_closing.is_set():
            raise CancelledError("The window was closed.")

    return writer_report(data_dir, writer, progress=raise_if_closing)


def _about_study(data_dir: Path, study: str) -> Report:
    from qtdigits.training.report.study import study_report

    return study_report(data_dir, study)


def _report_written(make: Callable[[], Report], out: Path) -> ReportWritten:
    report = make()
    write_file(out, report.html.encode())
    return ReportWritten(report.facts["headline"])


def _model_added(path: Path, data_dir: Path, cancelled: Event) -> ModelAdded:
    from qtdigits.training.import_model import import_model  # is not needed at the start

    done = import_model(path, data_dir=data_dir, is_cancelled=cancelled.is_set)
    return ModelAdded(done.path, done.told)


def _written(model: Path, out: Path, cancelled: Event) -> ModelWritten:
    words = ("models", "export", str(model.resolve()), "--out", str(out.resolve()))
    done = run_program(*words, timeout_s=EXPORT_TIMEOUT_S, is_cancelled=cancelled.is_set)
    return ModelWritten(done["difference"])


def import_question(drawings: Sequence[Sample]) -> str:
    """How many drawings would be added, with which labels, and for whom."""
    labels = Counter(sample.label for sample in drawings)
    writers = sorted({sample.writer for sample in drawings})
    told = [f"{label} ({n:,})" for label, n in sorted(labels.items())]
    return (
        f"Add {counted(len(drawings), 'drawing')} {_listed('by', writers)}?\n\n"
        f"{_listed('Labels, with how many there are of each:', told)}.\n\nThis can be undone."
    )


def _listed(before: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return f"{before} {', '.join(names[:MOST_NAMED])}{more}"
