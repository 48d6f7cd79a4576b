"""`qtdigits study`: searches over fields of a recipe, on this machine or on many."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

from qtdigits.cli.loading import champion_path, find_model, require_writer
from qtdigits.cli.options import MNIST_HELP, Subparsers, add_command, add_group, add_json_option, data_folder
from qtdigits.cli.output import print_facts, print_json, print_table, say, show
from qtdigits.cli.train import DEFAULT_RECIPE
from qtdigits.cli.training_run import obeying_signals, stdout_for_results
from qtdigits.core.formatting import UNKNOWN, counted, percent, percent_range
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run.control import StudyControl
from qtdigits.core.run.events import Event, Notice
from qtdigits.core.search import DEFAULT_SEARCH
from qtdigits.core.study import (
    GRID,
    PRUNERS,
    SAMPLERS,
    SECOND_OBJECTIVES,
    TPE,
    VALIDATION,
    StudySpec,
)
from qtdigits.errors import InputError
from qtdigits.paths import this_program
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.study_plans import definition_of, new_spec, ready_made

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from qtdigits.training.study_storage import StoredStudy

STOPPING = (
    "Interrupting: a checkpoint is written, and the study can be resumed. Press Ctrl+C again to end at once."
)
MOST_SHOWN = 20


def add_parser(subparsers: Subparsers) -> None:
    group = add_group(
        subparsers,
        "study",
        examples=(
            "qtdigits study run layers --recipe mlp-50-50 --search neurons=8..256:log --search dropout=0..0.5:0.1",
            "qtdigits study run losses --sampler grid --search 'loss=categorical_crossentropy|mean_squared_error' --seeds 3",
            "qtdigits study run layers --storage postgresql+psycopg://lab@server/studies",
            "qtdigits study show layers --json",
        ),
    )
    _add_run(group)
    for name, run, summary in (
        ("resume", run_resume, "work on an existing study until all of its trials have ended"),
        ("show", run_show, "show a study: how far it is, its best trial, and all others"),
        ("best", run_best, "show the best trial, and how to use its model"),
        ("delete", run_delete, "delete a study; its runs go to the trash, its models stay"),
    ):
        parser = add_command(
            group, name, summary=summary, run=run, examples=(f"qtdigits study {name} layers",)
        )
        parser.add_argument("name", metavar="NAME", help="the study")
        _add_storage_option(parser)
        if name != "delete":
            add_json_option(parser)
        if name == "resume":
            _add_work_options(parser)
        if name == "show":
            parser.add_argument(
                "--markdown", action="store_true", help="print all trials as a Markdown table"
            )
    parser = add_command(
        group, "list", summary="list all studies", run=run_list, examples=("qtdigits study list",)
    )
    _add_storage_option(parser)
    add_json_option(parser, "the list")


def _add_run(group: Subparsers) -> None:
    parser = add_command(
        group,
        "run",
        summary="create a study, or join it, and work on it until all of its trials have ended",
        run=run_run,
        examples=(
            "qtdigits study run report/neurons",
            "qtdigits study run widths --search neurons=16|64|256",
        ),
    )
    parser.add_argument(
        "name", metavar="NAME", help="the study; a ready-made one needs no options: report/neurons, …"
    )
    parser.add_argument(
        "--recipe", metavar="NAME|FILE", help=f"where it starts from (default: {DEFAULT_RECIPE})"
    )
    parser.add_argument(
        "--search",
        metavar="FIELD=SPEC",
        action="append",
        help="a field and its values: 8..256, 8..256:log, 0..0.5:0.1 (in steps) or a|b|c; several times for several fields. "
        "Fields of the recipe, and dense_layers, neurons, neurons_2, dropout, dropout_2, activation, conv_blocks, filters, "
        f"block_dropout, memory_alpha, memory_beta, memory_nearest, scaling, corrections (default: {' '.join(DEFAULT_SEARCH)})",
    )
    parser.add_argument("--sampler", choices=SAMPLERS, help=f"how points are chosen (default: {TPE})")
    parser.add_argument(
        "--trials", metavar="N", type=int, help="trials of the study (default: 20; grid: all of its points)"
    )
    parser.add_argument(
        "--objective",
        metavar="hold-out|validation|FILE",
        help="what ranks the trials: your drawings held out (default, where there are any), the validation part of the data, "
        "or drawings by writers that nothing is trained on",
    )
    parser.add_argument(
        "--second", choices=SECOND_OBJECTIVES, help="second objective: time of a reading, size of the model"
    )
    parser.add_argument(
        "--pruner", choices=PRUNERS, help="ends hopeless trials early (default: median; grid: none)"
    )
    parser.add_argument(
        "--seeds", metavar="K", type=int, help="trainings of each point, with different seeds (default: 1)"
    )
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="train nothing: search what this model is read with (memory_alpha, …)",
    )
    parser.add_argument("--ink", metavar="FILE", nargs="+", help="more drawings to train on")
    parser.add_argument(
        "--leave-out", metavar="PATTERN", nargs="+", help="writers of --ink that are not trained on"
    )
    parser.add_argument(
        "--no-drawings", action="store_true", default=None, help="do not train on the stored drawings"
    )
    parser.add_argument("--writer", metavar="NAME", help="whose hold-out counts, and whose hand is learned")
    parser.add_argument("--mnist", metavar="FILE", help=MNIST_HELP)
    _add_storage_option(parser)
    _add_work_options(parser)
    add_json_option(parser)


def _add_storage_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--storage",
        metavar="URL",
        default="",
        help="database of the study, for several machines: postgresql+psycopg://USER@HOST/NAME (default: the data folder)",
    )


def _add_work_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers",
        metavar="N",
        type=int,
        default=1,
        help="processes that train, on one thread each if several",
    )
    parser.add_argument(
        "--heartbeat",
        metavar="S",
        type=int,
        default=60,
        help="with --storage: seconds between signs of life; a worker that gives none for five times as long is replaced (60)",
    )


def run_run(args: argparse.Namespace) -> int:
    names = ready_made(args.name) if args.name.isidentifier() else []
    for name in names or [args.name]:
        code = _work(_opened_or_created(name, args), args)
        if code:
            return code
    return 0


def run_resume(args: argparse.Namespace) -> int:
    return _work(_opened(args), args)


def run_show(args: argparse.Namespace) -> int:
    summary = _opened(args).summary()
    if args.json:
        print_json(summary)
    elif args.markdown:
        header, rows = _table(summary)
        for cells in (header, ["---"] * len(header), *rows):
            show("| " + " | ".join(map(str, cells)) + " |")
    else:
        _print_summary(summary)
    return 0


def run_best(args: argparse.Namespace) -> int:
    best = _opened(args).summary()["best"]
    if best is None:
        raise InputError(
            f"No trial of {args.name} is complete yet.", f"Work on it: qtdigits study resume {args.name}"
        )
    if args.json:
        print_json(best)
        return 0
    print_facts(_facts_of_best(best))
    return 0


def run_list(args: argparse.Namespace) -> int:
    from qtdigits.training.study_storage import open_study, study_names

    folder = data_folder(args)
    found = []
    for name in study_names(data_dir=folder, url=args.storage):
        with suppress(InputError):  # another program's
            if stored := open_study(name, data_dir=folder, url=args.storage):
                found.append(stored.summary())
    if args.json:
        print_json(
            {"studies": [{key: one[key] for key in ("name", "n_trials", "states", "best")} for one in found]}
        )
        return 0
    rows = [
        (
            one["name"],
            one["states"]["complete"],
            one["states"]["pruned"],
            one["states"]["failed"],
            one["n_trials"],
            _accuracy(one["best"]),
        )
        for one in found
    ]
    print_table(("study", "complete", "pruned", "failed", "of", "best"), rows)
    return 0


def run_delete(args: argparse.Namespace) -> int:
    stored, folder = _opened(args), data_folder(args)
    runs = stored.delete()
    with SampleStore.open(folder) as store:
        here = [run for run in dict.fromkeys(runs) if store.runs.get(run) is not None]
        store.runs.delete(here)
    say(
        f"Deleted the study {args.name}. {counted(len(here), 'run')} moved to the trash; models stay in {stored.folder}."
    )
    return 0


def _opened(args: argparse.Namespace) -> StoredStudy:
    from qtdigits.training.study_storage import open_study, study_names

    folder, heartbeat_s = data_folder(args), getattr(args, "heartbeat", 60)
    stored = open_study(args.name, data_dir=folder, url=args.storage, heartbeat_s=heartbeat_s)
    if stored is None:
        names = ", ".join(study_names(data_dir=folder, url=args.storage)) or "none yet"
        raise InputError(f"There is no study {args.name!r}.", f"Studies: {names}.")
    return stored


def _opened_or_created(name: str, args: argparse.Namespace) -> StoredStudy:
    from qtdigits.training.study_data import with_data
    from qtdigits.training.study_storage import create_or_join, open_study

    folder = data_folder(args)
    options = {"data_dir": folder, "url": args.storage, "heartbeat_s": args.heartbeat}
    stored = open_study(name, **options)
    if stored is None:
        spec = with_data(_spec(name, args), folder)
        stored = create_or_join(name, spec, **options)
    _check_same(stored, args)
    return stored


def _check_same(stored: StoredStudy, args: argparse.Namespace) -> None:
    """Extend the study to more trials. Raises `InputError` where an option is not what the study was created with."""
    spec = stored.spec
    for flag, given, has in (
        (
            "--search",
            args.search and sorted(args.search),
            sorted(f"{one.name}={one.text}" for one in spec.search),
        ),
        ("--sampler", args.sampler, spec.sampler),
        ("--objective", args.objective and Path(args.objective).name, Path(spec.objective).name),
        ("--second", args.second, spec.second),
        ("--pruner", args.pruner, spec.pruner),
        ("--seeds", args.seeds, spec.seeds),
        ("--recipe", args.recipe and load_recipe(args.recipe).to_json(), spec.recipe.to_json()),
    ):
        if given is not None and given != has:
            raise InputError(
                f"The study {stored.name} exists, with another {flag}.",
                "Leave the option out, or choose another name.",
            )
    if args.trials is not None and args.trials > spec.trials and spec.sampler != GRID:
        stored.extend(args.trials)


def _spec(name: str, args: argparse.Namespace) -> StudySpec:
    """Return a new study from the options, and from its definition if it is a ready-made one. Raises `InputError`."""
    given = {key: value for key, value in vars(args).items() if value is not None}
    values: dict[str, Any] = {**definition_of(name), **given}
    folder = data_folder(args)
    if values.get("writer"):
        with SampleStore.open_to_read(folder) as store:
            require_writer(store, values["writer"])
    if values.get("model"):
        values["model"] = str(find_model(values["model"], folder=folder))
    spec = new_spec(
        values, default_recipe=DEFAULT_RECIPE, data_dir=folder, champion=lambda: str(champion_path(folder))
    )
    if spec.objective == VALIDATION and not values.get("objective"):
        say("Without drawings held out, the trials are ranked on the validation part of the training data.")
    return spec


def _work(stored: StoredStudy, args: argparse.Namespace) -> int:
    """Work on the study, alone or by several processes; show it at the end."""
    code = _work_by_processes(stored, args) if args.workers > 1 else _work_here(stored, args)
    if code == 130:
        say(
            f"The study was interrupted. To resume it: qtdigits study resume {stored.name}{_storage_words(args)}"
        )
        return code
    if code == 0 and args.json:
        print_json(stored.summary())
    elif code == 0:
        _print_summary(stored.summary())
    return code


def _work_here(stored: StoredStudy, args: argparse.Namespace) -> int:
    from qtdigits.training.studies import work_on

    control, told = StudyControl(), set()

    def on_event(event: Event) -> None:
        if isinstance(event, Notice) and event.message not in told:
            told.add(event.message)
            say(event.message)

    def on_trial(trial: FrozenTrial) -> None:
        summary = stored.summary()
        done = sum(summary["states"][state] for state in ("complete", "pruned", "failed"))
        one = next((one for one in summary["trials"] if one["number"] == trial.number), None)
        if one is not None and one["state"] in ("complete", "pruned", "failed"):
            outcome = (
                _accuracy(one) if one["state"] == "complete" else f"{one['state']} {one['error']}".strip()
            )
            say(f"{done} of {summary['n_trials']}: {_point_text(one['params'])}: {outcome}")

    with stdout_for_results(), obeying_signals(control, stopping=STOPPING, interrupting=STOPPING):
        work_on(
            stored,
            data_dir=data_folder(args),
            control=control,
            on_event=on_event,
            on_trial=on_trial,
            url=args.storage,
        )
    return 130 if control.is_stopping else 0


def _work_by_processes(stored: StoredStudy, args: argparse.Namespace) -> int:
    """Start workers of one thread each and wait for them; what asks this process to end is passed on to them."""
    command = [*this_program(), "study", "resume", stored.name, "--data-dir", str(data_folder(args))]
    command += ["--storage", args.storage, "--heartbeat", str(args.heartbeat)] if args.storage else []
    environment = {**os.environ, "QTDIGITS_THREADS": os.environ.get("QTDIGITS_THREADS", "1")}
    workers = [
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        for _ in range(args.workers)
    ]
    control, is_told = StudyControl(), False
    with obeying_signals(control, stopping=STOPPING, interrupting=STOPPING):
        while any(worker.poll() is None for worker in workers):
            if control.is_stopping and not is_told:
                is_told = True
                for worker in workers:
                    worker.send_signal(signal.SIGTERM)
            sleep(0.2)
    if control.is_stopping:
        return 130
    states = stored.summary()["states"]
    is_done = not states["waiting"] + states["running"]  # although a worker may have died
    return 0 if is_done else max(1, *(worker.returncode for worker in workers))


def _storage_words(args: argparse.Namespace) -> str:
    return " --storage URL" if args.storage else ""


def _print_summary(summary: Mapping[str, Any]) -> None:
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
        show()
        header, rows = _table(summary)
        print_table(header, rows[:MOST_SHOWN])
    if summary["best"]:
        show()
        print_facts(_facts_of_best(summary["best"]))


def _table(summary: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of all trials, the best first."""
    names = list(summary["spec"]["search"])
    second = summary["spec"]["second"]
    header = [
        *names,
        "accuracy",
        "95% interval",
        "lowest to highest",
        *([second] if second else []),
        "state",
        "trial",
    ]
    rows = []
    for one in sorted(summary["trials"], key=lambda one: -(one["value"] or 0)):
        params = [str(one["params"].get(name, UNKNOWN)) for name in names]
        figures = [UNKNOWN] * (3 + bool(second))
        if one["value"] is not None:
            shares = [correct / one["n"] for correct in one["correct"]]
            figures[:3] = [
                percent(one["value"], 2),
                _range_text(one["interval"]),
                _range_text((min(shares), max(shares))) if len(shares) > 1 else UNKNOWN,
            ]
            figures[3:] = [f"{one['second']:.3g}"] if second else []
        rows.append([*params, *figures, one["state"], str(one["number"])])
    return header, rows


def _facts_of_best(best: Mapping[str, Any]) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [
        ("best", f"{_accuracy(best)}, trial {best['number']}"),
        ("at", _point_text(best["params"])),
    ]
    facts += [("run", best["run"])] if best["run"] else []
    model = next((model for model in best["models"] if Path(model).is_file()), "")
    facts += [("to use it", f"qtdigits models promote {model}")] if model else []
    return facts


def _accuracy(one: Mapping[str, Any] | None) -> str:
    if one is None or one["value"] is None:
        return UNKNOWN
    return f"{percent(one['value'], 2)} ({_range_text(one['interval'])})"


def _point_text(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in params.items())


def _range_text(ends: Sequence[float]) -> str:
    low, high = ends
    return percent_range(low, high, 2)
