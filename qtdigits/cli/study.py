"""`qtdigits study`: searches over fields of a recipe, on this machine or on many."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

from qtdigits.cli.loading import champion_path, find_model, require_writer
from qtdigits.cli.options import MNIST_HELP, Subparsers, add_command, add_group, add_json_option, data_folder
from qtdigits.cli.output import print_facts, print_json, print_table, say, show
from qtdigits.cli.study_view import accuracy_text, facts_of_best, print_markdown, print_summary
from qtdigits.cli.train import DEFAULT_RECIPE
from qtdigits.cli.training_run import obeying_signals, stdout_for_results
from qtdigits.core.formatting import counted
from qtdigits.core.run.control import StudyControl
from qtdigits.core.run.events import Event, Notice
from qtdigits.core.search import DEFAULT_SEARCH, point_text
from qtdigits.core.study import GRID, PRUNERS, SAMPLERS, SECOND_OBJECTIVES, TPE, VALIDATION, StudySpec
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

NEW = {
    "recipe": ("NAME|FILE", f"where it starts from (default: {DEFAULT_RECIPE})"),
    "search": (
        "FIELD=SPEC",
        (
            "a field and its values: 8..256, 8..256:log, 0..0.5:0.1 (in steps) or a|b|c; several times for several fields. "
            "Fields of the recipe, and dense_layers, neurons, neurons_2, dropout, dropout_2, activation, conv_blocks, "
            f"filters, block_dropout, memory_alpha, memory_beta, memory_nearest, scaling, "
            f"corrections (default: {' '.join(DEFAULT_SEARCH)})"
        ),
    ),
    "sampler": (SAMPLERS, f"how points are chosen (default: {TPE})"),
    "trials": ("N", "trials of the study (default: 20; grid: all of its points)"),
    "objective": (
        "hold-out|validation|FILE",
        (
            "what ranks the trials: your drawings held out (default, where there are any), the validation part of the data, "
            "or drawings by writers that nothing is trained on"
        ),
    ),
    "second": (SECOND_OBJECTIVES, "second objective: time of a reading, size of the model"),
    "pruner": (PRUNERS, "ends hopeless trials early (default: median; grid: none)"),
    "seeds": ("K", "trainings of each point, with different seeds (default: 1)"),
    "model": ("MODEL", "train nothing: search what this model is read with (memory_alpha, …)"),
    "ink": ("FILE", "more drawings to train on"),
    "leave-out": ("PATTERN", "writers of --ink that are not trained on"),
    "writer": ("NAME", "whose hold-out counts, and whose hand is learned"),
    "mnist": ("FILE", MNIST_HELP),
}
"""Options of a new study: what they take, and their help."""
FIXED = ("recipe", "search", "sampler", "objective", "second", "pruner", "seeds")
"""Options that have to be those that the study was created with."""


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
    for name, run, summary in (
        ("run", run_run, "create a study, or join it, and work on it until all of its trials have ended"),
        ("resume", run_resume, "work on an existing study until all of its trials have ended"),
        ("show", run_show, "show a study: how far it is, its best trial, and all others"),
        ("best", run_best, "show the best trial, and how to use its model"),
        ("delete", run_delete, "delete a study; its runs go to the trash, its models stay"),
        ("list", run_list, "list all studies"),
    ):
        example = {"run": "run report/neurons", "list": "list"}.get(name, f"{name} layers")
        parser = add_command(group, name, summary=summary, run=run, examples=(f"qtdigits study {example}",))
        if name != "list":
            parser.add_argument(
                "name", metavar="NAME", help="the study, such as the ready-made report/neurons"
            )
        parser.add_argument(
            "--storage",
            metavar="URL",
            default="",
            help="database of the study, for several machines: postgresql+psycopg://USER@HOST/NAME (default: the data folder)",
        )
        if name != "delete":
            add_json_option(parser)
        if name == "show":
            parser.add_argument("--markdown", action="store_true", help="print all trials as Markdown")
        if name == "run":
            _add_new_options(parser)
        if name in ("run", "resume"):
            _add_work_options(parser)


def _add_new_options(parser: argparse.ArgumentParser) -> None:
    for name, (takes, meaning) in NEW.items():
        more: dict[str, Any] = {"metavar": takes} if isinstance(takes, str) else {"choices": takes}
        if name in ("trials", "seeds"):
            more["type"] = int
        if name == "search":
            more["action"] = "append"
        if name in ("ink", "leave-out"):
            more["nargs"] = "+"
        parser.add_argument(f"--{name}", help=meaning, **more)
    parser.add_argument(
        "--no-drawings", action="store_true", default=None, help="do not train on the stored drawings"
    )


def _add_work_options(parser: argparse.ArgumentParser) -> None:
    for name, letter, default, meaning in (
        ("workers", "N", 1, "processes that train, on one thread each if several (default: 1)"),
        (
            "heartbeat",
            "S",
            60,
            "with --storage: seconds between signs of life; a worker that gives none for five times as long is replaced (60)",
        ),
    ):
        parser.add_argument(f"--{name}", metavar=letter, type=int, default=default, help=meaning)


def run_run(args: argparse.Namespace) -> int:
    for name in _names(args):
        if code := _work(_opened_or_created(name, args), args):
            return code
    return 0


def run_resume(args: argparse.Namespace) -> int:
    return _work(_opened(args.name, args), args)


def run_show(args: argparse.Namespace) -> int:
    summaries = [_opened(name, args).summary() for name in _names(args)]
    if args.json:
        print_json(summaries[0] if len(summaries) == 1 else {"studies": summaries})
        return 0
    for summary in summaries:
        if len(summaries) > 1:
            show(f"\n## {summary['name']}\n")
        print_markdown(summary) if args.markdown else print_summary(summary)
    return 0


def run_best(args: argparse.Namespace) -> int:
    from qtdigits.training.study_storage import none_complete

    best = _opened(args.name, args).summary()["best"]
    if best is None:
        raise none_complete(args.name)
    if args.json:
        print_json(best)
    else:
        print_facts(facts_of_best(best))
    return 0


def run_list(args: argparse.Namespace) -> int:
    from qtdigits.training.study_storage import open_study, study_names

    where, found = {"data_dir": data_folder(args), "url": args.storage}, []
    for name in study_names(**where):
        with suppress(InputError):  # another program's
            if stored := open_study(name, **where):
                found.append(stored.summary())
    if args.json:
        keys = ("name", "n_trials", "states", "best")
        print_json({"studies": [{key: one[key] for key in keys} for one in found]})
        return 0
    counts = ("complete", "pruned", "failed")
    rows = [
        (
            one["name"],
            *(one["states"][state] for state in counts),
            one["n_trials"],
            accuracy_text(one["best"]),
        )
        for one in found
    ]
    print_table(("study", *counts, "of", "best"), rows)
    return 0


def run_delete(args: argparse.Namespace) -> int:
    stored = _opened(args.name, args)
    runs = stored.delete()
    with SampleStore.open(data_folder(args)) as store:
        here = [run for run in dict.fromkeys(runs) if store.runs.get(run) is not None]
        store.runs.delete(here)
    moved = f"{counted(len(here), 'run')} moved to the trash"
    say(f"Deleted the study {args.name}. {moved}; models stay in {stored.folder}.")
    return 0


def _names(args: argparse.Namespace) -> list[str]:
    """Return the name of the study, or those of a group of ready-made ones, such as "report"."""
    return (args.name.isidentifier() and ready_made(args.name)) or [args.name]


def _opened(name: str, args: argparse.Namespace) -> StoredStudy:
    from qtdigits.training.study_storage import no_study, open_study

    where = {"data_dir": data_folder(args), "url": args.storage}
    stored = open_study(name, **where, heartbeat_s=getattr(args, "heartbeat", 60))
    if stored is None:
        raise no_study(name, **where)
    return stored


def _opened_or_created(name: str, args: argparse.Namespace) -> StoredStudy:
    """Open the study, extended to more trials, or create it. Raises `InputError` for an option that it was not created with."""
    from qtdigits.training.study_data import with_data
    from qtdigits.training.study_storage import create_or_join, open_study

    folder = data_folder(args)
    options = {"data_dir": folder, "url": args.storage, "heartbeat_s": args.heartbeat}
    stored = open_study(name, **options)
    if stored is None:
        spec = _spec(name, args)
        if spec.objective == VALIDATION and not args.objective:
            say(
                "Without drawings held out, the trials are ranked on the validation part of the training data."
            )
        stored = create_or_join(name, with_data(spec, folder), **options)
    given = [option for option in FIXED if getattr(args, option) is not None]
    has, wanted = stored.spec.to_json(), _spec(name, args).to_json() if given else {}
    for option in given:
        values = [
            Path(spec[option]).name if option == "objective" else spec[option] for spec in (has, wanted)
        ]
        if values[0] != values[1]:
            raise InputError(
                f"The study {name} exists, with another --{option}.",
                "Leave the option out, or choose another name.",
            )
    if args.trials is not None and args.trials > stored.spec.trials and stored.spec.sampler != GRID:
        stored.extend(args.trials)
    return stored


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
    return new_spec(
        values, default_recipe=DEFAULT_RECIPE, data_dir=folder, champion=lambda: str(champion_path(folder))
    )


def _work(stored: StoredStudy, args: argparse.Namespace) -> int:
    """Work on the study, alone or by several processes; show it at the end."""
    code = _work_by_processes(stored, args) if args.workers > 1 else _work_here(stored, args)
    if code == 130:
        storage = " --storage URL" if args.storage else ""
        say(f"The study was interrupted. To resume it: qtdigits study resume {stored.name}{storage}")
    elif code == 0 and args.json:
        print_json(stored.summary())
    elif code == 0:
        print_summary(stored.summary())
    return code


def _work_here(stored: StoredStudy, args: argparse.Namespace) -> int:
    from qtdigits.training.studies import work_on
    from qtdigits.training.study_storage import ENDED, trial_json

    control, told = StudyControl(), set()

    def on_event(event: Event) -> None:
        if isinstance(event, Notice) and event.message not in told:
            told.add(event.message)
            say(event.message)

    def on_trial(trial: FrozenTrial) -> None:
        slots = stored.slots().values()
        state, done = stored.state_of(trial), sum(stored.state_of(one) in ENDED for one in slots)
        if state in ENDED:
            one = trial_json(trial, state)
            outcome = accuracy_text(one) if state == "complete" else f"{state} {one['error']}".strip()
            say(f"{done} of {len(slots)}: {point_text(one['params'])}: {outcome}")

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
    environment = {"QTDIGITS_THREADS": "1", **os.environ}
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
