"""The page about a study, of trials with made-up results."""

from __future__ import annotations

import re
from pathlib import Path

import optuna
import pytest

from qtdigits.core.recipe import Recipe
from qtdigits.core.search import Search
from qtdigits.core.study import RANDOM, Figures, StudySpec
from qtdigits.errors import InputError
from qtdigits.training.report.study import study_report
from qtdigits.training.study_storage import ERROR, FIGURES, create_or_join

HOSTILE = "</td><script>alert(1)</script>"


def a_study(folder: Path, n: int, *, second: str = "", failed: int = 0) -> None:
    """A study in which smaller dropout is better; its last trials have failed."""
    searched = (Search.parse("dropout=0..0.8:0.1"), Search.parse("neurons=4..64:log"))
    spec = StudySpec(Recipe(dense="50"), searched, sampler=RANDOM, trials=n + failed, second=second)
    study = create_or_join("group/widths", spec, data_dir=folder).study
    for number in range(n + failed):
        trial = study.ask()
        dropout = trial.suggest_float("dropout", 0, 0.8, step=0.1)
        trial.suggest_int("neurons", 4, 64, log=True)
        if number >= n:
            trial.set_user_attr(ERROR, HOSTILE)
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            continue
        correct = 90 - round(40 * dropout)
        if not second:
            for epoch in (1, 2, 3):
                trial.report(correct / 100 - 0.1 / epoch, epoch)
        figures = Figures(100, (correct,), second=1000.0 * number + 5000 if second else None)
        trial.set_user_attr(FIGURES, figures.to_json())
        study.tell(trial, (figures.value, figures.second) if second else figures.value)


def headings(html: str) -> list[str]:
    return re.findall("<h2>(.*?)</h2>", html)


def test_that_the_page_has_history_importances_curves_and_all_trials(data_dir: Path) -> None:
    a_study(data_dir, 25, failed=1)
    report = study_report(data_dir, "group/widths")
    assert headings(report.html) == [
        "History", "What matters", "Each field", "Learning curves", "Trials", "Recipe"
    ]  # fmt: skip
    best = report.facts["best"]
    assert best["value"] == max(0.9 - 0.4 * best["params"]["dropout"], 0)
    low, high = best["interval"]
    assert low < best["value"] < high
    assert report.facts["headline"].startswith("The best of 25 trials of group/widths reads ")
    assert len(re.findall("<tr>", report.html)) == 1 + 26
    assert "failed &lt;/td&gt;&lt;script&gt;" in report.html
    assert "<script" not in report.html
    assert "http" not in report.html.replace("http-equiv", "")


def test_that_two_objectives_have_a_pareto_front(data_dir: Path) -> None:
    a_study(data_dir, 8, second="size")
    html = study_report(data_dir, "group/widths").html
    assert "Accuracy against the second objective" in headings(html)
    assert "size of the model file in kB" in html
    assert "Learning curves" not in headings(html)
    assert "What matters" not in headings(html)  # too few trials to tell


@pytest.mark.parametrize(
    ("n", "said"), [(0, "No trial of group/widths is complete yet."), (None, "no study")]
)
def test_that_what_cannot_be_reported_is_said(data_dir: Path, n: int | None, said: str) -> None:
    if n is not None:
        a_study(data_dir, n, failed=1)
    with pytest.raises(InputError, match=said):
        study_report(data_dir, "group/widths")
