"""What `qtdigits study` prints: a study, all of its trials as a table, its best trial."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtdigits.cli.output import print_facts, print_table, show
from qtdigits.core.formatting import UNKNOWN, percent, percent_range, percent_within
from qtdigits.core.search import point_text, value_text

MOST_SHOWN = 20


def print_summary(summary: Mapping[str, Any]) -> None:
    spec, states = summary["spec"], summary["states"]
    counts = ", ".join(f"{n} {state}" for state, n in states.items() if n)
    print_facts(
        [
            ("study", summary["name"]),
            ("trials", f"{summary['n_trials']}: {counts}"),
            ("searched", "; ".join(f"{name} {text}" for name, text in spec["search"].items())),
            ("ranked on", Path(spec["objective"]).name),
        ]
    )
    if summary["trials"]:
        best_first = sorted(summary["trials"], key=lambda one: -(one["value"] or 0))
        show()
        print_table(
            (*_header(summary), "state", "trial"),
            [(*_cells(one, summary), one["state"], one["number"]) for one in best_first[:MOST_SHOWN]],
        )
    if summary["best"]:
        show()
        print_facts(facts_of_best(summary["best"]))


def print_markdown(summary: Mapping[str, Any]) -> None:
    """Print the table of all trials that have a result, in the order in which they were planned."""
    header = _header(summary)
    rows = [_cells(one, summary) for one in summary["trials"] if one["value"] is not None]
    for cells in (header, ["---"] * len(header), *rows):
        show(f"| {' | '.join(cells)} |")


def _header(summary: Mapping[str, Any]) -> list[str]:
    spec = summary["spec"]
    figures = ["accuracy", "95% interval", *(["lowest to highest"] if spec["seeds"] > 1 else [])]
    return [*spec["search"], *figures, *filter(None, [spec["second"]])]


def _cells(one: Mapping[str, Any], summary: Mapping[str, Any]) -> list[str]:
    spec = summary["spec"]
    cells = [value_text(one["params"].get(name, UNKNOWN)) for name in spec["search"]]
    if one["value"] is None:
        return cells + [UNKNOWN] * (len(_header(summary)) - len(cells))
    shares = [correct / one["n"] for correct in one["correct"]]
    low, high = one["interval"]
    cells += [percent(one["value"], 2), percent_range(low, high, 2)]
    cells += [percent_range(min(shares), max(shares), 2)] if spec["seeds"] > 1 else []
    return cells + ([f"{one['second']:.3g}"] if spec["second"] else [])


def facts_of_best(best: Mapping[str, Any]) -> list[tuple[str, object]]:
    model = next((model for model in best["models"] if Path(model).is_file()), "")
    return [
        ("best", f"{accuracy_text(best)}, trial {best['number']}"),
        ("at", point_text(best["params"])),
        *([("run", best["run"])] if best["run"] else []),
        *([("to use it", f"qtdigits models promote {model}")] if model else []),
    ]


def accuracy_text(one: Mapping[str, Any] | None) -> str:
    if one is None or one["value"] is None:
        return UNKNOWN
    return percent_within(one["value"], one["interval"], 2)
