"""`qtdigits models`: list, show, check and compare models, and choose the one in use. Export and import: `model_exchange`."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtdigits.cli.loading import champion_path, find_model, open_model, require_writer
from qtdigits.cli.model_exchange import add_exchange
from qtdigits.cli.options import MODEL_HELP, Subparsers, add_command, add_group, add_json_option, data_folder
from qtdigits.cli.output import (
    complain,
    print_facts,
    print_json,
    print_scores,
    print_table,
    say,
    show,
    working,
)
from qtdigits.core.formatting import UNKNOWN, not_counted, percent, percent_range
from qtdigits.core.model import Model
from qtdigits.errors import ModelFileError, QtDigitsError
from qtdigits.store.library import ModelEntry, ModelLibrary
from qtdigits.store.model_files import check_model
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.compare import NOTHING, Drawings, Replayed, headers_of, replay
from qtdigits.training.model_upgrade import check_program, readable, with_own_program

IMPORTED = (
    "imported: these drawings are from files, and the model or one of its ancestors was trained on files. "
    "They may be the same files, so this figure proves nothing."
)


def add_parser(subparsers: Subparsers) -> None:
    group = add_group(
        subparsers,
        "models",
        examples=(
            "qtdigits models list",
            "qtdigits models show cnn-32-64",
            "qtdigits models promote my-model",
        ),
    )
    listing = add_command(
        group, "list", run=run_list, summary="list the models", examples=("qtdigits models list --json",)
    )
    add_json_option(listing, "the list")
    show = add_command(
        group,
        "show",
        run=run_show,
        summary="show everything about a model",
        examples=("qtdigits models show cnn-32-64 --json",),
    )
    show.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    add_json_option(show, "the model (with weights_sha256)")
    check = add_command(
        group,
        "check",
        run=run_check,
        summary="verify model files: contents, digests, golden answers",
        examples=("qtdigits models check", "qtdigits models check my.h5 --json"),
    )
    check.add_argument("models", metavar="MODEL", nargs="*", help=f"{MODEL_HELP}; none: all")
    add_json_option(check, "what was found")
    _add_champion_parsers(group)
    _add_replay(group)
    add_exchange(group)


def _add_champion_parsers(group: Subparsers) -> None:
    promote = add_command(
        group,
        "promote",
        run=run_promote,
        summary="put a model into use",
        examples=("qtdigits models promote my-model",),
    )
    promote.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    add_json_option(promote, "the model in use")
    rollback = add_command(
        group,
        "rollback",
        run=run_rollback,
        summary="put the previous model back into use",
        examples=("qtdigits models rollback",),
    )
    add_json_option(rollback, "the model in use")


def _add_replay(group: Subparsers) -> None:
    replaying = add_command(
        group,
        "replay",
        run=run_replay,
        summary="score models on every stored drawing: held out, not learned from, learned from",
        examples=("qtdigits models replay", "qtdigits models replay champion --writer Ada --json"),
    )
    replaying.add_argument(
        "models", metavar="MODEL", nargs="*", help=f"{MODEL_HELP}; none: all that can be read"
    )
    replaying.add_argument(
        "--writer", metavar="NAME", help="only this writer's drawings (default: everybody's)"
    )
    add_json_option(replaying, "the figures")


def run_list(args: argparse.Namespace) -> int:
    folder = data_folder(args)
    with contextlib.suppress(ModelFileError):  # no usable model, as the list shows
        champion_path(folder)
    entries = ModelLibrary(folder).entries()
    if args.json:
        print_json({"models": [_entry_to_json(entry) for entry in entries]})
    else:
        print_table(
            ("", "name", "network", "classes", "made", "accuracy", "file"), map(_row, entries), numbers_from=9
        )
    return 0


def run_show(args: argparse.Namespace) -> int:
    model = open_model(args.model, folder=data_folder(args))
    if args.json:
        print_json(_to_json(model))
    else:
        _print_model(model)
    return 0


def run_check(args: argparse.Namespace) -> int:
    """Check every file; return 2 when one of them is unusable."""
    folder = data_folder(args)
    found = []
    for name in args.models or [str(entry.path) for entry in ModelLibrary(folder).entries()]:
        try:
            path = find_model(name, folder=folder)
            with working(f"Checking {path} …"):
                check_program(check_model(path), folder)
        except QtDigitsError as error:
            complain(str(error))
            found.append({"model": name, "ok": False, "message": error.message, "remedy": error.remedy})
        else:
            found.append({"model": name, "path": str(path), "ok": True})
            if not args.json:
                show(f"{path}: no problems")
    if args.json:
        print_json({"models": found})
    return 0 if all(row["ok"] for row in found) else 2


def run_promote(args: argparse.Namespace) -> int:
    """Check the file first: a model that cannot read must not come into use. Build a program that is not its own anew."""
    folder = data_folder(args)
    path = find_model(args.model, folder=folder)
    model = check_model(path)
    try:
        check_program(model, folder)
        readable(path, folder)
    except ModelFileError as error:
        say(f"{error.message} Its program is built anew from its weights.")
        path = ModelLibrary(folder).add(with_own_program(model))
    ModelLibrary(folder).promote(path)
    return _say_champion(args, path)


def run_rollback(args: argparse.Namespace) -> int:
    return _say_champion(args, ModelLibrary(data_folder(args)).roll_back())


def run_replay(args: argparse.Namespace) -> int:
    """Score every usable model; return 2 when one of them is not."""
    folder = data_folder(args)
    library = ModelLibrary(folder)
    wanted = [find_model(name, folder=folder) for name in args.models]
    paths = wanted or [entry.path for entry in library.entries() if not entry.error]
    with SampleStore.open_to_read(folder) as store:
        if args.writer is not None:
            require_writer(store, args.writer)
        drawings = Drawings.of(store, writer=args.writer, class_set=library.class_set)
    with working(f"Reading {len(drawings):,} drawings …") as progress:
        found = replay(paths, drawings, header_of=headers_of(library), load=library.load, progress=progress)
    if args.json:
        about = {"n": len(drawings), "doubted": drawings.n_doubted, "writer": args.writer}
        print_json({**about, "models": [row.to_json() for row in found]})
    else:
        heads = (
            "model",
            "held out",
            "95% interval",
            "drawings",
            "not learned",
            "drawings",
            "learned",
            "drawings",
            "imported",
            "drawings",
            "with memory",
            "drawings",
        )
        print_table(heads, map(_replayed_row, found))
        if any(row.parts.of_files.n for row in found):
            show(f"\n{IMPORTED}")
        if drawings.n_doubted:
            show(f"\n{not_counted(drawings.n_doubted)}.")
    for row in found:
        if row.error:
            complain(f"{row.name} could not be scored: {row.error}")
    return 2 if any(row.error for row in found) else 0


def _replayed_row(row: Replayed) -> tuple[str, ...]:
    if row.error:
        return (row.name, "cannot be used", *[""] * 10)
    parts = row.parts
    within = percent_range(*parts.hold_out.interval) if parts.hold_out.n else UNKNOWN
    used = row.with_memory.fair if row.with_memory else NOTHING
    figures = [
        (percent(part.accuracy, 2), f"{part.n:,}")
        for part in (parts.hold_out, parts.not_learned, parts.learned, parts.of_files, used)
    ]
    (held, n_held), *others = figures
    return (row.name, held, within, n_held, *(cell for pair in others for cell in pair))


def _say_champion(args: argparse.Namespace, path: Path) -> int:
    if args.json:
        print_json({"champion": str(path)})
    else:
        say(f"{path.stem} is now in use ({path}).")
    return 0


def _entry_to_json(entry: ModelEntry) -> dict[str, Any]:
    return {
        "name": entry.path.stem,
        "path": str(entry.path),
        "title": entry.title,
        "shipped": entry.is_shipped,
        "champion": entry.is_champion,
        "created_at": entry.created_at.isoformat(),
        "classes": list(entry.labels),
        "accuracy": {name: score.get("accuracy") for name, score in entry.scores.items()},
        "error": entry.error or None,
    }


def _row(entry: ModelEntry) -> tuple[str, ...]:
    made = entry.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
    if entry.error:
        return ("!", entry.path.stem, "", "", made, entry.error, str(entry.path))
    figures = ", ".join(f"{name} {percent(score.get('accuracy'), 2)}" for name, score in entry.scores.items())
    mark = "*" if entry.is_champion else ""
    return (mark, entry.path.stem, entry.title, str(len(entry.labels)), made, figures, str(entry.path))


def _to_json(model: Model) -> dict[str, Any]:
    history = model.history.to_json()
    return {
        "name": model.name,
        "path": str(model.path),
        "title": model.network.title,
        "network": model.network.to_json(),
        "recipe": model.recipe.to_json(),
        "classes": model.label_set.to_json(),
        "n_parameters": model.network.n_parameters(len(model.label_set)),
        "preprocessing_version": model.preprocessing_version,
        "scores": dict(model.scores),
        "provenance": dict(model.provenance),
        "history": {"epochs": history["epochs"], "best_epoch": history["best_epoch"]},
        "flatbuffer_bytes": len(model.flatbuffer),
        "undecided_below": model.undecided_below,
        "unlike_below": model.unlike_below,
        "golden_drawings": len(model.golden.images),
        "weights_sha256": model.weights_sha256,
    }


def _print_model(model: Model) -> None:
    show(f"{model.name}: {model.network.title}, {model.path}\n")
    weights = model.network.n_parameters(len(model.label_set))
    facts: list[tuple[str, object]] = [
        ("classes", " ".join(model.label_set.labels)),
        ("weights", f"{weights:,}, SHA-256 {model.weights_sha256}"),
        ("preprocessing", f"version {model.preprocessing_version}"),
        ("not sure", _when_not_sure(model)),
        ("training", _history_line(model)),
    ]
    recipe = {key: value for key, value in model.recipe.to_json().items() if value != ""}
    print_facts([*facts, *_flat({"recipe": recipe, "provenance": model.provenance})])
    show()
    print_scores(model.scores)


def _when_not_sure(model: Model) -> str:
    when = [f"below {percent(model.undecided_below, 2)}"] if model.undecided_below else []
    when += [f"similarity to every class below {model.unlike_below:.2f}"] if model.unlike_below else []
    return ", or ".join(when) or "never"


def _history_line(model: Model) -> str:
    epochs = model.history.epochs
    if not len(epochs):
        return "no history"
    best = model.history.best_epoch
    rows = [i for i, epoch in enumerate(epochs["epoch"]) if epoch == best]
    val = f", with validation accuracy {percent(float(epochs['val_accuracy'][rows[0]]), 2)}" if rows else ""
    return f"{len(epochs)} epochs in {epochs['elapsed_s'][-1]:,.0f} s, the best was epoch {best}{val}"


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    """Flatten nested mappings, and lists of mappings, to dotted names."""
    facts: list[tuple[str, object]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            facts += _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            facts += _flat({str(number): item for number, item in enumerate(value, 1)}, f"{prefix}{key}.")
        else:
            facts.append((f"{prefix}{key}", value))
    return facts
