"""The report about a study: what was searched, how the accuracy rose, which fields matter, and every trial."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from qtdigits.core.formatting import UNKNOWN, counted, duration, percent, percent_range, percent_within
from qtdigits.core.run.figures import RunFigures
from qtdigits.core.search import point_text, value_text
from qtdigits.core.study import SECOND_AXES
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.report.page import (
    Html,
    Report,
    facts,
    figure,
    page,
    recipe_facts,
    section,
    table,
    tiles,
)
from qtdigits.training.report.svg import Axis, Bar, Floats, Series, bars, chart
from qtdigits.training.run_comparison import environment_of
from qtdigits.training.study_overview import StudyOverview, StudyReader, TrialOverview, values_of
from qtdigits.training.study_storage import no_study, none_complete

MOST_CURVES, MOST_ROWS = 12, 500
SHARE = Axis("accuracy", is_share=True)


def study_report(folder: Path, name: str, *, url: str = "") -> Report:
    """Return the report about a study. Raises `InputError` where there is none or nothing came of it yet, and `StoreError`."""
    reader = StudyReader(folder, url=url)
    study = reader.read(name)
    if study is None:
        raise no_study(name, data_dir=folder, url=url)
    best = study.best
    if best is None or best.value is None:
        raise none_complete(name)
    headline = f"The best of {counted(len(study.complete), 'trial')} of {name} reads {_accuracy(best)} of the drawings right."
    html = page(
        f"Report about the study {name}",
        headline,
        [_at(study, best)],
        _sections(folder, study, best, reader.importances(name)),
    )
    return Report(
        name,
        html,
        {
            "study": name,
            "headline": headline,
            "n_trials": study.n_trials,
            "complete": len(study.complete),
            "best": {
                "number": best.number,
                "value": best.value,
                "interval": best.interval,
                "params": dict(best.params),
            },
        },
    )


def _sections(
    folder: Path,
    study: StudyOverview,
    best: TrialOverview,
    importances: dict[str, tuple[float, float, float]],
) -> Iterator[str]:
    spec = study.spec
    low, high = best.interval or (0.0, 1.0)
    yield tiles(
        {
            f"best, trial {best.number} ({percent_range(low, high)})": percent(best.value),
            f"complete of {counted(study.n_trials, 'trial')}": len(study.complete),
            "pruned": study.count("pruned"),
            "failed": study.count("failed"),
            "of training": duration(sum(trial.seconds or 0 for trial in study.trials)),
        }
    )
    yield section(
        "History",
        figure(*_history(study)),
        lead=f"Ranked on {Path(spec.objective).name}, {counted(best.n, 'drawing')}.",
    )
    if importances:
        rows = [
            Bar(spec.titles[field], value, percent_within(value, (low, high), 0), (low, high))
            for field, (value, low, high) in importances.items()
        ]
        text = "PED-ANOVA: in which fields the best tenth of the trials differs from all. The intervals are by jackknife."
        yield section("What matters", figure(bars(rows, title="Importance of each field"), text))
    yield section("Each field", *_slices(study))
    yield section("Learning curves", *_curves(study))
    yield section("Accuracy against the second objective", *_front(study))
    yield section("Trials", _table(study), lead="The best first, with 95 % intervals.")
    seeds = f", {counted(spec.seeds, 'seed')} a point" if spec.seeds > 1 else ""
    yield section(
        "Recipe",
        recipe_facts(spec.recipe, without=spec.titles),
        lead=f"What was not searched, and {spec.sampler} search{seeds}: "
        f"{'; '.join(f'{one.title.lower()} {one.text}' for one in spec.search)}.",
    )
    yield from _marks(folder, study, best)


def _marks(folder: Path, study: StudyOverview, best: TrialOverview) -> Iterator[str]:
    """What the best trial was trained on and made with, as far as its run is on this machine, and the files of the study."""
    with SampleStore.open_to_read(folder) as store:
        run = store.runs.get(best.run) if best.run else None
    figures = run.figures if run else RunFigures()
    rows = [(name, f"{n:,}", figures.digests.get(name, "")[:16]) for name, n in figures.data.items()]
    known = {name for name, _, _ in rows}
    rows += [(name, "", digest[:16]) for name, digest in study.spec.files.items() if name not in known]
    marks = table(("data", "drawings", "SHA-256 begins"), rows, numbers_from=9) if rows else ""
    yield section("Data marks", marks, lead="What the best trial was trained on, and the files of the study.")
    environment = environment_of(folder, run) if run else {}
    yield section("Made with", facts(environment.items()) if environment else "", lead="The best trial.")


def _history(study: StudyOverview) -> tuple[str, str]:
    trials = study.complete
    number = np.array([trial.number for trial in trials], np.float64)
    value, low, high = values_of(trials)
    series = [
        Series("trial", number, value, 0, low, high, is_dotted=True),
        Series("best so far", np.repeat(number, 2)[1:], np.repeat(np.maximum.accumulate(value), 2)[:-1], 1),
    ]
    drawn = chart(series, title="Accuracy of each trial", x=Axis("trial"), y=SHARE)
    return drawn, "Each complete trial with its 95 % interval; the line is the best so far."


def _slices(study: StudyOverview) -> Iterator[Html]:
    """The accuracy of all trials against each searched field of numbers."""
    value, low, high = values_of(study.complete)
    for one in study.spec.search:
        at = [trial.params.get(one.name) for trial in study.complete]
        known = np.array([isinstance(x, int | float) and not isinstance(x, bool) for x in at])
        if known.all() and len(set(at)) > 1:
            dots = [Series("trial", np.array(at, np.float64), value, 1, low, high, is_dotted=True)]
            axis = Axis(one.title.lower(), is_log=one.is_log)
            yield figure(chart(dots, title=f"Accuracy by {one.title.lower()}", x=axis, y=SHARE))


def _curves(study: StudyOverview) -> Iterator[Html]:
    """The best trials in colour, before them the others."""
    with_curves = [trial for trial in study.trials if trial.curve and len(trial.curve) > 1]
    ranked = sorted(with_curves, key=lambda trial: trial.value or 0)[-MOST_CURVES:]
    if not ranked:
        return
    series = []
    for place, trial in enumerate(ranked[::-1]):
        epochs, values = (
            np.array(part, np.float64) for part in zip(*(trial.curve or {}).items(), strict=True)
        )
        name = f"trial {trial.number}" if place < 3 else "the next best"
        series.append(Series(name, epochs, values, place + 1 if place < 3 else 0))
    drawn = chart(
        series[::-1],
        title="Learning curves",
        x=Axis("epoch", ends=(1, max(2.0, *(one.x[-1] for one in series)))),
        y=_settled(np.concatenate([s.y for s in series])),
    )
    yield figure(drawn, "Accuracy after each epoch of the first seed.", series=series[:4])


def _front(study: StudyOverview) -> Iterator[Html]:
    found = [trial for trial in study.complete if trial.second is not None]
    if not study.spec.second or not found:
        return
    best = sorted(
        (trial for trial in found if trial.number in study.front), key=lambda trial: trial.second or 0
    )
    title, unit = SECOND_AXES[study.spec.second]
    series = []
    for name, trials, colour in (("trial", found, 0), ("Pareto front", best, 1)):
        value, low, high = values_of(trials)
        series.append(
            Series(
                name,
                np.array([t.second for t in trials], np.float64) / unit,
                value,
                colour,
                low,
                high,
                is_dotted=True,
            )
        )
    drawn = chart(series, title="Pareto front", x=Axis(title), y=SHARE)
    yield figure(drawn, "No trial is better in both than one of the front.", series=series)


def _table(study: StudyOverview) -> Html:
    search = study.spec.search
    second, unit = SECOND_AXES.get(study.spec.second, ("", 1.0))
    settings = (one.title.lower() for one in search)
    header = ("trial", *settings, "accuracy", "95 % interval", *([second] if second else []), "state")
    rows = []
    for trial in sorted(study.trials, key=lambda trial: -(trial.value or 0))[:MOST_ROWS]:
        interval = percent_range(*trial.interval, 2) if trial.interval else UNKNOWN
        more = [UNKNOWN if trial.second is None else f"{trial.second / unit:.3g}"] if second else []
        params = (value_text(trial.params.get(one.name, UNKNOWN)) for one in search)
        state = f"{trial.state} {trial.error}".strip()
        rows.append((trial.number, *params, percent(trial.value, 2), interval, *more, state))
    return table(header, rows, numbers_from=0)


def _settled(values: Floats) -> Axis:
    """An axis on which the first epochs and a few hopeless trials do not flatten all other curves."""
    kept = np.sort(values[np.isfinite(values)])[len(values) // 10 :]
    return Axis("accuracy", is_share=True, ends=SHARE.fitted(kept))


def _accuracy(trial: TrialOverview) -> str:
    return percent(trial.value, 2)


def _at(study: StudyOverview, trial: TrialOverview) -> str:
    titles = study.spec.titles
    at = point_text({titles[name].lower(): value for name, value in trial.params.items()})
    return f"Its settings: {at}."
