"""`qtdigits samples`: import, export, list and check stored samples."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path

from qtdigits.cli.loading import open_to_change, require_writer, say_damaged
from qtdigits.cli.options import (
    Subparsers,
    add_command,
    add_group,
    add_json_option,
    add_output_options,
    data_folder,
    file_path,
)
from qtdigits.cli.output import complain, print_csv, print_json, print_table, say, show, working
from qtdigits.cli.sample_changes import add_change_parsers, add_review_parser
from qtdigits.core.drawing.samples import DEFAULT_WRITER, Origin, Sample, Verdict
from qtdigits.core.formatting import counted
from qtdigits.errors import DamagedStoreError, InputError, QtDigitsError
from qtdigits.store.data.datasets import Kind, kind_of
from qtdigits.store.frames import csv_of
from qtdigits.store.tables.database import FILE_NAME
from qtdigits.store.tables.editing import Added
from qtdigits.store.tables.repair import SET_ASIDE_NAME, n_set_aside
from qtdigits.store.tables.rows import SampleFilter
from qtdigits.store.tables.salvage import salvage
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.import_export import export_csv_pair, export_ink, import_samples, read_drawings

KINDS = "ink .jsonl[.gz], UNIPEN, images.csv with labels.csv, IDX, .npz (x, y), samples.db, a folder of PNGs"


def add_parser(subparsers: Subparsers) -> None:
    group = add_group(
        subparsers,
        "samples",
        examples=(
            "qtdigits samples import images.csv --writer Ada",
            "qtdigits samples export drawings.jsonl.gz",
        ),
    )
    _add_import(group)
    _add_export(group)
    _add_list(group)
    add_change_parsers(group)
    add_review_parser(group)
    check = add_command(
        group,
        "check",
        run=run_check,
        summary="read every stored drawing, or those of a file or somebody else's store, and report damage",
        examples=("qtdigits samples check", "qtdigits samples check theirs.jsonl.gz"),
    )
    check.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        type=file_path,
        help="what could be imported or merged (default: the store)",
    )
    check.add_argument(
        "--repair",
        action="store_true",
        help=f"set damaged rows aside, in {SET_ASIDE_NAME}; of a damaged file, keep what can be read",
    )
    add_json_option(check, "what was found")


def _add_import(group: Subparsers) -> None:
    parser = add_command(
        group,
        "import",
        run=run_import,
        summary="import drawings or pictures, each file completely or not at all",
        examples=(
            "qtdigits samples import drawings.jsonl.gz",
            "qtdigits samples import images.csv --labels labels.csv --writer Ada",
        ),
    )
    parser.add_argument("files", metavar="FILE", nargs="+", type=file_path, help=KINDS)
    parser.add_argument(
        "--labels", metavar="FILE", type=file_path, help="labels of a CSV or IDX file (default: beside it)"
    )
    parser.add_argument(
        "--writer",
        metavar="NAME",
        default=DEFAULT_WRITER,
        help="writer of drawings for which the file names none (default: %(default)s)",
    )
    add_json_option(parser, "the numbers")


def _add_export(group: Subparsers) -> None:
    parser = add_command(
        group,
        "export",
        run=run_export,
        summary="write the stored drawings as ink, or as the 2022 report's CSV pair",
        examples=(
            "qtdigits samples export drawings.jsonl.gz",
            "qtdigits samples export --writer Ada --csv images.csv labels.csv",
        ),
    )
    parser.add_argument("file", metavar="FILE", nargs="?", type=file_path, help="ink, .jsonl or .jsonl.gz")
    parser.add_argument("--csv", metavar=("IMAGES", "LABELS"), nargs=2, type=file_path, help="the CSV pair")
    add_filter_options(parser)


def _add_list(group: Subparsers) -> None:
    parser = add_command(
        group,
        "list",
        run=run_list,
        summary="count the stored drawings and show the newest",
        examples=("qtdigits samples list", "qtdigits samples list --writer Ada --label 7 --limit 100 --json"),
    )
    add_filter_options(parser)
    parser.add_argument(
        "--limit", metavar="N", type=int, help="show so many, 0: all (default: 20, with --csv all)"
    )
    add_output_options(parser, json="numbers and drawings", csv="the drawings, newest first,")


def add_filter_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which drawings (all of these must hold; default: every one)")
    group.add_argument("--writer", metavar="NAME", help="only this writer's")
    group.add_argument("--label", metavar="LABEL", help="only this class")
    group.add_argument("--verdict", choices=("confirmed", "corrected"), help="read correctly, or misread")
    group.add_argument(
        "--model", metavar="NAME", help="only drawings that this model read when they were judged"
    )
    group.add_argument(
        "--origin", metavar="ORIGIN", help='only of this origin: "drawn", "ink file", "image", "csv pair"'
    )
    for flags, summary in (
        (("--held-out", "--not-held-out"), "only held-out drawings, or only the others"),
        (("--suspect", "--not-suspect"), "only drawings whose label is doubted, or only the others"),
    ):
        pair = group.add_mutually_exclusive_group()
        name = flags[0].lstrip("-").replace("-", "_")
        pair.add_argument(flags[0], dest=name, action="store_const", const=True, help=summary)
        pair.add_argument(flags[1], dest=name, action="store_const", const=False, help=argparse.SUPPRESS)
    group.add_argument("--after", metavar="DATE", help="drawn on this day or later, such as 2026-05-01")
    group.add_argument("--before", metavar="DATE", help="drawn before this day or time")
    group.add_argument("--deleted", action="store_true", help="only drawings in the trash")
    group.add_argument(
        "--retired",
        action="store_true",
        help="only drawings of retired classes, which are left out otherwise",
    )


def run_import(args: argparse.Namespace) -> int:
    """A file that cannot be used is reported and the next one tried; the worst exit code counts."""
    if args.labels and len(args.files) > 1:
        raise InputError("--labels belongs to one FILE, and there are several.", "Import them one by one.")
    folder, code = data_folder(args), 0
    done: dict[Path, Added] = {}
    open_to_change(folder).close()
    for file in args.files:
        try:
            with working(f"Importing {file} …"):
                counts = import_samples(folder, file, writer=args.writer, labels=args.labels)
        except QtDigitsError as error:
            complain(str(error))
            code = max(code, error.exit_code)
            continue
        done[file] = counts
        if not args.json:
            there = f", {counts.skipped:,} already stored" if counts.skipped else ""
            show(f"{file}: {counts.added:,} added{there}")
    if args.json:
        rows = [
            {"file": str(file)} | {name: n for name, n in asdict(counts).items() if name != "ids"}
            for file, counts in done.items()
        ]
        added, skipped = (
            sum(getattr(counts, name) for counts in done.values()) for name in ("added", "skipped")
        )
        print_json({"files": rows, "added": added, "skipped": skipped})
    return code


def run_export(args: argparse.Namespace) -> int:
    if (args.file is None) == (args.csv is None):
        raise InputError(
            "Give a destination: either FILE or --csv IMAGES LABELS.", "See: qtdigits samples export --help"
        )
    folder, chosen = data_folder(args), filter_of(args)
    if args.csv:
        images, labels = args.csv
        with working(f"Writing {images} and {labels} …"):
            n = export_csv_pair(folder, images, labels, chosen)
        say(f"{n:,} drawings are in {images}, their labels in {labels}.")
        _tell_retired(folder, chosen)
        return 0
    with working(f"Writing {args.file} …"):
        n = export_ink(folder, args.file, chosen)
    say(f"{n:,} drawings are in {args.file}.")
    if without_ink := _count(folder, chosen) - n:
        say(f"{without_ink:,} imported pictures have no ink and were left out; --csv includes them.")
    _tell_retired(folder, chosen)
    return 0


def _tell_retired(folder: Path, chosen: SampleFilter) -> None:
    if not (chosen.is_retired or chosen.is_deleted) and (
        n := _count(folder, replace(chosen, is_retired=True))
    ):
        say(f"{counted(n, 'drawing')} of retired classes were left out; --retired writes these.")


def run_list(args: argparse.Namespace) -> int:
    limit = args.limit if args.limit is not None else 0 if args.csv else 20
    if limit < 0:
        raise InputError(f"--limit is {limit}.", "Give how many to show; 0 shows all.")
    chosen = filter_of(args)
    with SampleStore.open_to_read(data_folder(args)) as store:
        if args.csv:
            print_csv(csv_of(store.samples_frame(chosen)[::-1][: limit or None]))
            say_damaged(store)
            return 0
        n = store.count(chosen)
        counts = _counts(store, chosen)
        newest = list(store.samples(chosen, newest_first=True, limit=limit or None))
        say_damaged(store)
    if args.json:
        print_json({"n": n, "by_writer": counts, "samples": [_to_json(sample) for sample in newest]})
        return 0
    _print_counts(counts)
    show(f"\n{counted(n, 'drawing')}" + (f", the newest {len(newest):,}:\n" if newest else "."))
    if newest:
        print_table(
            ("id", "label", "writer", "origin", "strokes", "held out", "remark", "time"),
            map(_row, newest),
            numbers_from=9,
        )
    return 0


def run_check(args: argparse.Namespace) -> int:
    """Run SQLite's own check, then read every row; return 1 when there is a problem."""
    folder = data_folder(args)
    if args.file is not None:
        return _check_file(args)
    repaired = _repair(folder) if args.repair else {}
    with SampleStore.open_to_read(folder) as store, working("Reading every drawing …"):
        problems = list(store.check())
        n = store.count()
    aside = n_set_aside(folder)
    if args.json:
        print_json({"n": n, "problems": problems, "set_aside": aside, **repaired})
    else:
        for problem in problems:
            show(problem)
        say(
            f"{store.path}: {n:,} drawings, "
            + (f"{len(problems):,} problems." if problems else "no problems.")
        )
        if problems and not args.repair:
            say("To set damaged rows aside: qtdigits samples check --repair")
        if aside:
            say(f"{aside:,} damaged rows were set aside in {folder / SET_ASIDE_NAME}.")
    return 1 if problems else 0


def _check_file(args: argparse.Namespace) -> int:
    """Read a file as an import would, or a store as a merge would. Raises `InputError` that names what they would refuse."""
    if args.repair:
        raise InputError(f"{args.file} is not repaired.", "Merge or import it: damaged drawings are named.")
    with working(f"Reading {args.file} …"):
        if kind_of(args.file) is Kind.STORE:
            with (
                tempfile.TemporaryDirectory(prefix="qtdigits-") as folder,
                SampleStore.open(Path(folder)) as own,
            ):
                n = own.merge_store(args.file).added
        else:
            n = len(read_drawings(args.file, writer=DEFAULT_WRITER))
    if args.json:
        print_json({"n": n, "problems": []})
    else:
        say(f"{args.file}: {counted(n, 'drawing')}, no problems.")
    return 0


def _repair(folder: Path) -> dict[str, object]:
    """Repair the store, say what was done, and return it for `--json`."""
    try:
        with open_to_change(folder) as store:
            found = store.repair()
    except DamagedStoreError as error:
        say(error.message)
        salvaged = salvage(folder / FILE_NAME)
        lost = ", ".join(f"{n:,} {table}" for table, n in salvaged.lost.items()) or "nothing"
        read = ", ".join(f"{n:,} {table}" for table, n in salvaged.rows.items() if n)
        say(f"Read from it: {read}. Lost: {lost}. The damaged file is {salvaged.kept}.")
        with SampleStore.open(folder) as store:
            found = store.repair()
        told = {"rows": dict(salvaged.rows), "lost": dict(salvaged.lost), "kept": str(salvaged.kept)}
        return {"repaired": found, "salvaged": told}
    for problem in found:
        say(f"Set aside: {problem}")
    return {"repaired": found}


def filter_of(args: argparse.Namespace) -> SampleFilter:
    """Raises `InputError` for an invalid origin or date, and for an unknown writer or label."""
    if args.origin and args.origin not in list(Origin):
        raise InputError(
            f"There is no origin {args.origin!r}.", f"Choose one of {', '.join(map(repr, map(str, Origin)))}."
        )
    if args.writer is not None or args.label is not None:
        _require_known(args)
    return SampleFilter(
        writer=args.writer,
        label=args.label,
        verdict=Verdict(args.verdict) if args.verdict else None,
        model=args.model,
        origin=Origin(args.origin) if args.origin else None,
        held_out=args.held_out,
        is_suspect=args.suspect,
        after=_moment(args.after, "--after"),
        before=_moment(args.before, "--before"),
        is_deleted=args.deleted,
        is_retired=args.retired,
    )


def _require_known(args: argparse.Namespace) -> None:
    """Raise `InputError` for an unknown writer or label, which would otherwise look like one without drawings."""
    with SampleStore.open_to_read(data_folder(args)) as store:
        if args.writer is not None:
            require_writer(store, args.writer)
        labels = store.classes().labels
        if args.retired or args.deleted:
            labels = tuple(c.label for c in store.class_table.all().owned)
        if args.label is not None and args.label not in labels:
            raise InputError(f"There is no class {args.label!r}.", f"Classes: {' '.join(labels)}.")


def _moment(text: str | None, option: str) -> datetime | None:
    """Parse a day or a time, in local time where no zone is given; "today" and "yesterday" too."""
    if text is None:
        return None
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    days_ago = {"today": 0, "yesterday": 1}
    if text in days_ago:
        return midnight - timedelta(days=days_ago[text])
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise InputError(
            f"{option} {text!r} is not a date.", "Write it as 2026-05-01, or as 2026-05-01T13:30."
        ) from error


def _count(folder: Path, chosen: SampleFilter) -> int:
    with SampleStore.open_to_read(folder) as store:
        return store.count(chosen)


def _counts(store: SampleStore, chosen: SampleFilter) -> dict[str, dict[str, int]]:
    """Return the number of drawings by writer and label, without zeros."""
    writers = store.writers() if chosen.writer is None else [chosen.writer]
    labels = store.classes().labels if chosen.label is None else [chosen.label]
    counts = {
        writer: {label: n for label in labels if (n := store.count(chosen, writer=writer, label=label))}
        for writer in writers
    }
    return {writer: row for writer, row in counts.items() if row}


def _print_counts(counts: dict[str, dict[str, int]]) -> None:
    if counts:
        labels = sorted({label for row in counts.values() for label in row})
        rows = (
            (writer, *(row.get(label, 0) for label in labels), sum(row.values()))
            for writer, row in counts.items()
        )
        print_table(("writer", *labels, "all"), rows)


def _to_json(sample: Sample) -> dict[str, object]:
    return {
        "id": sample.id,
        "label": sample.label,
        "writer": sample.writer,
        "origin": str(sample.origin),
        "strokes": len(sample.ink.strokes) if sample.ink else None,
        "held_out": sample.held_out,
        "drawn_at": sample.drawn_at.isoformat(),
        "weight": sample.weight,
        "suspicion": asdict(sample.suspicion) if sample.suspicion else None,
        "reviewed": sample.is_reviewed,
    }


def _row(sample: Sample) -> tuple[str, ...]:
    time = sample.drawn_at.astimezone().strftime("%Y-%m-%d %H:%M")
    strokes = str(len(sample.ink.strokes)) if sample.ink else ""
    held_out = "yes" if sample.held_out else ""
    remarks = [f"perhaps {sample.suspicion.suggestion}"] if sample.suspicion else []
    remarks += [f"counts {sample.weight} times"] if sample.weight != 1 else []
    remark = ", ".join(remarks)
    return (str(sample.id), sample.label, sample.writer, str(sample.origin), strokes, held_out, remark, time)
