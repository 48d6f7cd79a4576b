"""The report about a writer: how well this hand is read, what memory and training are worth, and what was misread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from qtdigits.core.drawing.samples import Verdict
from qtdigits.core.formatting import UNKNOWN, counted, percent, percent_range, percent_within
from qtdigits.core.model import Model
from qtdigits.core.score.calibration import (
    Reliability,
    calibration_text,
    expected_calibration_error,
    reliability_from_json,
    reliability_of,
)
from qtdigits.core.score.comparison import PairedComparison, memory_headline
from qtdigits.core.score.learning import (
    WINDOW,
    by_corrections,
    fit_curve,
    learning_text,
    merge_points,
    running_curve,
)
from qtdigits.core.score.metrics import Tally
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.compare import headers_of
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
    recipe_facts,
    section,
    table,
    tiles,
)
from qtdigits.training.report.svg import Axis, Bar, Series, bars, chart
from qtdigits.training.report.writer_figures import (
    WITH_MEMORY,
    Progress,
    WriterFigures,
    chosen_writer,
    measured,
)
from qtdigits.training.run_comparison import versions_in

MOST_MISREAD, MOST_OF_CLASS, MOST_CLASSES, MOST_MODELS = 120, 10, 40, 12
WINDOWS = 40
"""Of more drawings the moving window is larger, so that this many fit in."""
SETTLED = 10
"""The first drawings are right or wrong by 100 %: what comes later is to be seen."""

JUDGED = (
    "Each drawing counts as it was read when it was drawn, before it could be remembered or learned from: the figure says "
    "what to expect of the next drawing."
)
HELD_OUT = (
    "The drawings that are held out, which no network is ever trained on, read again by each network: alone, and with a memory "
    "of all other drawings by this writer."
)
MAY_BE_KNOWN = "These drawings were imported, perhaps from a file that the model was trained on: then the figures prove little."


def writer_report(folder: Path, writer: str = "", *, progress: Progress = lambda done, total: None) -> Report:
    """Return the report about a writer, "": whoever drew last. Raises `InputError` where there is nothing to report."""
    with SampleStore.open_to_read(folder) as store:
        library = ModelLibrary(folder)
        store.judgements.among = store.class_table.all(library.class_set).among
        writer = chosen_writer(store, writer)
        found = measured(store, library, writer, progress)
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
    yield section("Memory and training", *_memory_and_training(found), lead=HELD_OUT if found.read else "")
    yield section(
        "Confusion matrices", *_matrices(found), lead="Rows: what was drawn. Columns: what was read."
    )
    yield section("Calibration", *_calibration(found), lead="Whether answers are right as often as they say.")


def _running(found: WriterFigures) -> Iterator[str]:
    if not len(found.outcomes):
        return
    n = len(found.outcomes)
    window = max(WINDOW, n // WINDOWS // WINDOW * WINDOW)
    curve = running_curve(found.outcomes, window=window)
    lines = [Series("all drawings so far", curve.after.astype(float), curve.share, 1, curve.low, curve.high)]
    if len(curve.moving):
        lines.append(Series(f"the last {window}", curve.moving_after.astype(float), curve.moving, 2))
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
        yield figure(text, f"Stretches of about {tallies[0].n:,} drawings each, with 95 % intervals.")


def _memory_and_training(found: WriterFigures) -> Iterator[str]:
    if found.read:
        rows = []
        for place, one in enumerate(found.read):
            which = one.name if len(found.read) > 1 else ""
            if found.learned:
                which = "after training" if place == len(found.read) - 1 else "before training"
            for kind, answers in one.answers.items():
                tally = answers.score.tally
                text = percent_within(tally.accuracy, tally.interval)
                label = ", ".join(filter(None, (which, kind)))
                rows.append(Bar(label, tally.accuracy, text, tally.interval, 2 if kind == WITH_MEMORY else 1))
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
    yield section(
        "Recipe and versions",
        recipe_facts(model.recipe),
        facts({"program": UNKNOWN, "machine": UNKNOWN, **versions_in(model.provenance)}.items()),
        lead=f"Of {model.name}, the model in use: {model.network.title}.",
    )


def _cells_of(model: Model | None) -> tuple[str, str, str]:
    """The recipe, the date, and the program of a model."""
    if model is None:
        return UNKNOWN, UNKNOWN, "its file is gone"
    created = f"{model.created_at:%d %b %Y}" if model.created_at else UNKNOWN
    return model.recipe.name, created, str(model.provenance.get("program", UNKNOWN))
