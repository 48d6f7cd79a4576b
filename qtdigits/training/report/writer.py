"""The report about a writer: how well this hand is read, what memory and training are worth, and what was misread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qtdigits.core.drawing.samples import Verdict
from qtdigits.core.formatting import UNKNOWN, counted, percent, percent_range
from qtdigits.core.model import Model
from qtdigits.core.run.figures import recipe_values
from qtdigits.core.score.calibration import (
    Reliability,
    calibration_text,
    expected_calibration_error,
    reliability_from_json,
    reliability_of,
)
from qtdigits.core.score.comparison import Gain, PairedComparison, memory_headline
from qtdigits.core.score.learning import (
    WINDOW,
    LearningPoint,
    before_learning,
    by_corrections,
    fit_curve,
    learning_text,
    merge_points,
    running_curve,
)
from qtdigits.core.score.metrics import Tally
from qtdigits.errors import InputError, ModelFileError
from qtdigits.reader import Reader
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import load_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.accuracy_record import AccuracyRecord
from qtdigits.training.compare import (
    Drawings,
    ancestors,
    headers_of,
    learned_by,
    learning_points,
    may_be_of_files,
    root_ancestor,
)
from qtdigits.training.evaluate import Answers, answers_as_used, answers_of
from qtdigits.training.report.page import (
    Html,
    Report,
    columns,
    facts,
    figure,
    gallery,
    matrix,
    page,
    paragraph,
    section,
    table,
    tiles,
)
from qtdigits.training.report.svg import Axis, Bar, Series, bars, chart

Progress = Callable[[int, int], None]

MOST_MISREAD, MOST_OF_CLASS, MOST_CLASSES, MOST_MODELS = 120, 10, 40, 12
SETTLED = 10
"""The first drawings are right or wrong by 100 %: what comes later is to be seen."""
MOST_COMPARED = 5_000
"""Of more drawings the latest are read, so that a report takes seconds."""
ALONE, WITH_MEMORY = "network alone", "with memory"

JUDGED = (
    "Each drawing counts as it was read when it was drawn, before it could be remembered or learned from: the figure says "
    "what to expect of the next drawing."
)
HELD_OUT = (
    "The drawings that are held out, which no network is ever trained on, read again by each network: alone, and with a memory "
    "of all other drawings by this writer."
)
MAY_BE_KNOWN = "These drawings were imported, perhaps from a file that the model was trained on: then the figures prove little."


@dataclass(frozen=True, eq=False)
class Read:
    """How a network reads the held-out drawings today, alone and with memory (None: it has no embedding)."""

    name: str
    alone: Answers
    used: Answers | None

    @property
    def answers(self) -> dict[str, Answers]:
        return {ALONE: self.alone, **({WITH_MEMORY: self.used} if self.used is not None else {})}


@dataclass(frozen=True, eq=False)
class WriterFigures:
    """All that is measured of a writer. `read` has the network before the personal trainings, and the one in use.

    `model` is the one that the figures of `record` and the `confidences` are about, "" without any; `judged` (model, right,
    judged) of all of them, the last one first. `outcomes` are those of all models.
    """

    writer: str
    n: int
    n_held_out: int
    model: str
    record: AccuracyRecord
    judged: tuple[tuple[str, int, int], ...]
    outcomes: NDArray[np.bool_]
    confidences: tuple[NDArray[np.float64], NDArray[np.bool_]]
    points: tuple[LearningPoint, ...]
    learned: int
    read: tuple[Read, ...] = ()
    n_read_of: int = 0
    may_be_known: bool = False
    lineage: tuple[Model, ...] = ()

    @property
    def gain(self) -> Gain | None:
        """Before the model in use learned this hand, and since."""
        before = before_learning(self.points) if self.learned else Tally(0, 0)
        return Gain(before, self.record.tally) if before.n and self.record.n else None

    @property
    def headline(self) -> str:
        """The sentence that anyone understands."""
        tally = self.record.tally
        if tally.n:
            return _right(tally, f"drawings by {self.writer}")
        if self.read:
            tally = list(self.read[-1].answers.values())[-1].score.tally
            return _right(tally, f"held-out drawings by {self.writer}")
        return f"{counted(self.n, 'drawing')} by {self.writer}; none has been judged yet."


def _right(tally: Tally, what: str) -> str:
    return f"QtDigits read {tally.correct:,} of {tally.n:,} {what} right: {percent(tally.accuracy)}."


def writer_report(folder: Path, writer: str = "", *, progress: Progress = lambda done, total: None) -> Report:
    """Return the report about a writer, "": whoever drew last. Raises `InputError` where there is nothing to report."""
    with SampleStore.open_to_read(folder) as store:
        library = ModelLibrary(folder)
        store.judgements.among = store.class_table.all(library.class_set).among
        writer = _chosen(store, writer)
        found = _figures(store, library, writer, progress)
        parts = [*_sections(found), *_galleries(store, found), *_models(store, library, found)]
    lead = [
        memory_headline(found.record.memory, writer) if found.gain is None else found.gain.headline(writer)
    ]
    tally = found.record.tally
    told = {
        "writer": writer,
        "headline": found.headline,
        "drawings": found.n,
        "model": found.model or None,
        "judged": tally.to_json(),
        "held_out": {
            one.name: {kind: answers.score.tally.to_json() for kind, answers in one.answers.items()}
            for one in found.read
        },
    }
    return Report(writer, page(f"Report about {writer}", found.headline, lead, parts), told)


def _chosen(store: SampleStore, writer: str) -> str:
    names = store.writers()
    if writer:
        if writer not in names:
            raise InputError(f"There is no writer {writer!r}.", f"Writers: {', '.join(names) or 'none yet'}.")
        if store.count(writer=writer) or store.judgements.models(writer):
            return writer
        raise InputError(
            f"{writer} has not drawn anything yet.", "Draw and judge some digits in the window first."
        )
    latest = next(store.samples(newest_first=True, limit=1), None)
    names = [latest.writer] if latest else [name for name in names if store.judgements.models(name)]
    if not names:
        raise InputError(
            "There are no drawings yet.",
            "Draw some in the window, or import some: qtdigits samples import FILE.",
        )
    return names[0]


def _figures(store: SampleStore, library: ModelLibrary, writer: str, progress: Progress) -> WriterFigures:
    judged = tuple(store.judgements.models(writer))
    try:
        champion: Model | None = load_model(library.champion_path(), weights=False)
    except ModelFileError:
        champion = None
    in_use = champion.name if champion else ""
    models = [model for model, _, _ in judged]
    model = in_use if in_use in models or not models else models[0]
    path = champion.path if champion else None
    known = WriterFigures(
        writer,
        store.count(writer=writer),
        store.count(writer=writer, held_out=True),
        model,
        AccuracyRecord.of(store, writer, model),
        judged,
        store.outcomes(writer, None),
        store.judgements.confidences(writer, model),
        learning_points(store, library, writer, model=path),
        learned_by(store, library, writer, path) if model == in_use else 0,
    )
    return known if champion is None else _with_readings(known, store, library, champion, progress)


def _with_readings(
    known: WriterFigures, store: SampleStore, library: ModelLibrary, champion: Model, progress: Progress
) -> WriterFigures:
    """Read the held-out drawings with the network before all personal trainings, and with the one in use."""
    drawings = Drawings.of(store, writer=known.writer, class_set=library.class_set)
    latest = np.arange(len(drawings))[-MOST_COMPARED:]
    dataset, held_out = drawings.dataset.take(latest), drawings.is_held_out[latest]
    lineage = tuple(ancestors(champion, headers_of(library)))
    if not held_out.any():
        return replace(known, lineage=lineage)
    root = root_ancestor(champion, library)
    models = [champion] if root.name == champion.name else [root, champion]
    read = []
    for number, model in enumerate(models):
        reader = Reader(model, classes=drawings.classes)

        def told(done: int, total: int, before: int = number * len(dataset)) -> None:
            progress(before + done, len(models) * len(dataset))

        if reader.has_embedding:
            read.append(Read(model.name, *answers_as_used(reader, dataset, are_read=held_out, progress=told)))
        else:
            read.append(
                Read(
                    model.name,
                    answers_of(reader, dataset.take(np.flatnonzero(held_out)), progress=told),
                    None,
                )
            )
    known_files = may_be_of_files(champion, drawings.origins[latest][held_out], headers_of(library))
    return replace(
        known, read=tuple(read), n_read_of=len(dataset), may_be_known=bool(known_files.any()), lineage=lineage
    )


def _sections(found: WriterFigures) -> Iterator[str]:
    n_wrong = int((~found.outcomes).sum())
    figures = {
        "drawings": f"{found.n:,}",
        "judged": f"{len(found.outcomes):,}",
        "corrections": f"{n_wrong:,}",
    }
    if found.record.n:
        figures[f"read right by {found.model}, {percent_range(*found.record.tally.interval)}"] = percent(
            found.record.tally.accuracy
        )
    if len(found.outcomes) >= WINDOW:
        figures[f"of the last {WINDOW}"] = percent(float(found.outcomes[-WINDOW:].mean()))
    yield tiles(figures)
    yield section("Accuracy while drawing", *_running(found), lead=JUDGED)
    yield section("Memory and training", *_memory_and_training(found))
    yield section(
        "Confusion matrices", *_matrices(found), lead="Rows: what was drawn. Columns: what was read."
    )
    yield section("Calibration", *_calibration(found), lead="Whether answers are right as often as they say.")


def _running(found: WriterFigures) -> Iterator[str]:
    if not len(found.outcomes):
        return
    curve = running_curve(found.outcomes)
    lines = [Series("all drawings so far", curve.after.astype(float), curve.share, 1, curve.low, curve.high)]
    if len(curve.moving):
        lines.append(Series(f"the last {WINDOW}", curve.moving_after.astype(float), curve.moving, 2))
    n = len(found.outcomes)
    share = Axis("read right", is_share=True)
    settled = Axis(
        "read right", is_share=True, ends=share.fitted(curve.share[curve.after >= min(n, SETTLED)])
    )
    title = f"Share of drawings read right, over the {n:,} judged drawings"
    drawn = Axis("drawings judged", ends=(0, max(2, n)))
    caption = "Of all models together. The band is the 95 % interval."
    yield figure(chart(lines, title=title, x=drawn, y=settled), caption, series=lines)
    stretches = by_corrections(found.outcomes)
    if len(stretches) > 1:
        tallies = [tally for _, tally in stretches]
        low, high = (np.array(ends) for ends in zip(*(tally.interval for tally in tallies), strict=True))
        at, shares = np.array([c for c, _ in stretches]), np.array([tally.accuracy for tally in tallies])
        dots = Series("", at, shares, 1, low, high, is_dotted=True)
        text = chart(
            [dots], title="Accuracy by corrections given", x=Axis("corrections given before"), y=share
        )
        yield figure(text, f"Stretches of about {tallies[0].n} drawings each, with 95 % intervals.")


def _memory_and_training(found: WriterFigures) -> Iterator[str]:
    if found.read:
        rows = []
        for place, one in enumerate(found.read):
            which = one.name if len(found.read) > 1 else ""
            if found.learned:
                which = "after training" if place == len(found.read) - 1 else "before training"
            for kind, answers in one.answers.items():
                tally = answers.score.tally
                text = f"{percent(tally.accuracy)} ({percent_range(*tally.interval)})"
                label = ", ".join(filter(None, (which, kind)))
                rows.append(Bar(label, tally.accuracy, text, tally.interval, 2 if kind == WITH_MEMORY else 1))
        yield paragraph(HELD_OUT, kind="muted")
        last = found.read[-1]
        names = " → ".join(one.name for one in found.read)
        of = f", of the latest {found.n_read_of:,}" if found.n_read_of < found.n else ""
        yield figure(
            bars(rows, title="Accuracy on held-out drawings"),
            f"{counted(last.alone.score.n, 'held-out drawing')}{of}, read by {names}. "
            f"{MAY_BE_KNOWN if found.may_be_known else ''}",
        )
        first = found.read[0].alone
        best = last.used if last.used is not None else last.alone
        if evidence := PairedComparison.of(first.is_right, best.is_right).evidence:
            yield paragraph(f"From the first line to the last: {evidence}")
    if found.gain is not None:
        yield paragraph(found.gain.sentence)
    if headline := memory_headline(found.record.memory, found.writer):
        yield paragraph(f"{headline} {found.record.memory.evidence}")
    if any(point.learned for point in found.points):
        yield from _learning(found)


def _learning(found: WriterFigures) -> Iterator[str]:
    """How accuracy rises with the drawings that the network has learned from, as the *Learning* tab shows it."""
    kept, curve = merge_points(found.points), fit_curve(found.points)
    tallies = [Tally(p.n, p.n - p.wrong) for p in kept]
    low, high = (np.array(ends) for ends in zip(*(t.interval for t in tallies), strict=True))
    at = np.array([p.learned for p in kept], np.float64)
    lines = [Series("judged", at, np.array([t.accuracy for t in tallies]), 2, low, high, is_dotted=True)]
    if curve is not None:
        grid = np.linspace(0, at[-1], 100)
        lower, middle, upper = curve.errors(grid)
        lines.insert(0, Series("likely", grid, 1 - middle, 1, 1 - upper, 1 - lower))
    axes = Axis("drawings that the network learned from"), Axis("read right", is_share=True)
    yield figure(
        chart(lines, title="Accuracy by drawings learned from", x=axes[0], y=axes[1]),
        learning_text(curve, found.points, in_use=found.learned),
        series=lines,
    )


def _matrices(found: WriterFigures) -> Iterator[str]:
    parts = []
    if found.record.n:
        score = found.record.score(())
        parts.append(matrix(score, f"As judged: {found.record.n:,} drawings read by {found.model}"))
    if found.read:
        for kind, answers in found.read[-1].answers.items():
            score = answers.score
            parts.append(
                matrix(score, f"{counted(score.n, 'held-out drawing')}, {found.read[-1].name}, {kind}")
            )
    yield columns(*parts)


def _calibration(found: WriterFigures) -> Iterator[str]:
    if found.record.n:
        confidence, is_right = found.confidences
        bins = reliability_of(confidence, is_right)
        error = expected_calibration_error(confidence, is_right)
        yield _reliability(bins, f"As judged. {calibration_text(error, bins)}")
    elif found.read:
        score = list(found.read[-1].answers.values())[-1].score
        bins = reliability_from_json(score.reliability or ())
        yield _reliability(bins, f"Held-out drawings. {calibration_text(score.calibration_error, bins)}")


def _reliability(bins: Reliability, caption: str) -> Html:
    if not bins:
        return paragraph(caption)
    low, high = (np.array(ends) for ends in zip(*(b.interval for b in bins), strict=True))
    ideal = np.array([0.0, 1.0])
    lines = [
        Series("right as often as it says", ideal, ideal, 0),
        Series(
            "answers",
            np.array([b.confidence for b in bins]),
            np.array([b.accuracy for b in bins]),
            1,
            low,
            high,
            is_dotted=True,
        ),
    ]
    axes = (
        Axis(what, is_share=True, ends=(0, 1))
        for what in ("how sure the answers were", "how often they were right")
    )
    return figure(chart(lines, title="Reliability", x=next(axes), y=next(axes)), caption, series=lines)


def _galleries(store: SampleStore, found: WriterFigures) -> Iterator[str]:
    misread = store.ids(writer=found.writer, verdict=Verdict.CORRECTED, is_suspect=False)[::-1]
    shown = []
    for one in store.thumbnails(misread[:MOST_MISREAD].tolist()):
        trial = store.trial_of(one.id)
        shown.append((one.raster, f"{one.label} as {trial.answer if trial else '?'}"))
    more = f" The latest {MOST_MISREAD} of {len(misread):,}." if len(misread) > MOST_MISREAD else ""
    yield section(
        "Misread and corrected", gallery(shown), lead=f"What was drawn, and what it was read as.{more}"
    )
    counts = store.counts_by_label(found.writer)
    rows = []
    for label, ids in list(store.latest_by_label(found.writer, MOST_OF_CLASS).items())[:MOST_CLASSES]:
        latest = gallery((one.raster, "") for one in store.thumbnails(ids))
        rows.append((label, latest, f"{counts.get(label, 0):,}"))
    shown_classes = table(("class", "latest drawings", "drawn"), rows, numbers_from=2) if rows else ""
    yield section("This hand", shown_classes)


def _models(store: SampleStore, library: ModelLibrary, found: WriterFigures) -> Iterator[str]:
    header_of = headers_of(library)
    rows = [
        (
            name,
            *_cells_of(header_of(name)),
            f"{right:,} of {n:,}",
            percent(right / n),
            percent_range(*Tally(n, right).interval),
        )
        for name, right, n in found.judged[:MOST_MODELS]
    ]
    header = ("model", "recipe", "trained", "by", "read right", "accuracy", "95 % interval")
    yield section("Models that read this hand", table(header, rows, numbers_from=4) if rows else "")
    yield from data_marks(found.lineage)


def data_marks(lineage: tuple[Model, ...]) -> Iterator[str]:
    """Say what a model and those before it were trained on, by which recipe and with which libraries."""
    if not lineage:
        return
    rows = []
    for model in lineage:
        for source in model.provenance.get("sources") or ():
            n = source.get("n_training")
            drawings = f"{n:,}" if isinstance(n, int) else UNKNOWN
            rows.append(
                (model.name, source.get("name", UNKNOWN), drawings, str(source.get("sha256", ""))[:16])
            )
    marks = table(("model", "data", "drawings", "SHA-256 begins"), rows, numbers_from=9) if rows else ""
    yield section(
        "Data marks", marks, lead="What the model in use, and those that it started from, were trained on."
    )
    model = lineage[0]
    libraries = model.provenance.get("libraries")
    yield section(
        "Recipe and versions",
        facts((name, value) for name, value in recipe_values(model.recipe.to_json()).items() if value != ""),
        facts(
            [
                *((name, model.provenance.get(name, UNKNOWN)) for name in ("program", "machine")),
                *(libraries.items() if isinstance(libraries, Mapping) else ()),
            ]
        ),
        lead=f"Of {model.name}, the model in use: {model.network.title}.",
    )


def _cells_of(model: Model | None) -> tuple[str, str, str]:
    """The recipe, the date, and the program of a model."""
    if model is None:
        return UNKNOWN, UNKNOWN, "its file is gone"
    created = f"{model.created_at:%d %b %Y}" if model.created_at else UNKNOWN
    return model.recipe.name, created, str(model.provenance.get("program", UNKNOWN))
