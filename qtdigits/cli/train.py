"""`qtdigits train`: train a network on MNIST, the stored drawings and files."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qtdigits.cli.loading import champion_path, find_model, open_to_change, require_writer
from qtdigits.cli.options import MNIST_HELP, Subparsers, add_command, add_json_option, data_folder, file_path
from qtdigits.cli.output import complain, print_json, print_scores, show
from qtdigits.cli.training_run import run_training, stdout_for_results
from qtdigits.cli.training_view import LoggedView, make_view
from qtdigits.core.formatting import duration
from qtdigits.core.recipe import FIELDS, Field, Recipe
from qtdigits.core.recipe_files import load_recipe
from qtdigits.core.run.events import RunCancelled, RunFailed, RunFinished, Terminal
from qtdigits.errors import DataChangedError, DataMissingError, InputError, ModelFileError, StoreError
from qtdigits.store.library import ModelLibrary
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.runs import extended, resumed, with_current_state

DEFAULT_RECIPE = "cnn-32-64"
FIELD_PREFIX = "field_"

EXIT_CODES = {
    e.kind: e.exit_code for e in (InputError, ModelFileError, DataMissingError, DataChangedError, StoreError)
}
"""Exit codes of failed runs by the kind of error; 1 for every other kind."""


def add_parser(subparsers: Subparsers) -> None:
    parser = add_command(
        subparsers,
        "train",
        run=run,
        examples=(
            "qtdigits train --recipe mlp-50-50 --epochs 5",
            "qtdigits train --recipe cnn-32-64 --optimizer nadam --out nadam.h5",
            "qtdigits train --ink drawings.jsonl.gz --csv images.csv labels.csv --json",
            "qtdigits train --resume 3f2a",
            "qtdigits train --resume 3f2a --more-epochs 5",
        ),
    )
    parser.add_argument(
        "--recipe",
        metavar="NAME|FILE",
        default=DEFAULT_RECIPE,
        help="a named recipe, or a TOML file; the settings below change single fields of it (default: %(default)s)",
    )
    _add_resume_options(parser)
    _add_data_options(parser)
    _add_output_options(parser)
    _add_recipe_options(parser)


def _add_resume_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "resuming a run", "Recipe and data are those of the run; their options do not go with these."
    )
    group.add_argument(
        "--resume",
        metavar="RUN",
        help="a run that was interrupted, stopped or cancelled: its id, the beginning of the id, or its name",
    )
    group.add_argument(
        "--more-epochs",
        metavar="N",
        type=int,
        default=0,
        help="extend a run that has ended by so many epochs (with --resume)",
    )


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("training data")
    files: dict[str, Any] = {"metavar": "FILE", "nargs": "+", "type": file_path, "default": []}
    group.add_argument("--ink", **files, help="ink files, .jsonl[.gz] or UNIPEN")
    group.add_argument(
        "--not-digits",
        **files,
        help="ink files of letters and other signs: those not shaped like a digit teach the network to be unsure",
    )
    group.add_argument(
        "--characters",
        **files,
        help="ink files of any characters, which shape the embedding, with --characters-weight above 0",
    )
    group.add_argument(
        "--turned-characters",
        **files,
        help="the same, each character turned and mirrored, as eight characters: for alphabets that nobody has to read",
    )
    group.add_argument(
        "--leave-out",
        metavar="PATTERN",
        nargs="+",
        default=[],
        help="writers of these files who are only scored, never trained or validated on, such as 'aga-*'",
    )
    group.add_argument(
        "--csv",
        metavar=("IMAGES", "LABELS"),
        nargs=2,
        type=file_path,
        action="append",
        default=[],
        help="the 2022 report's CSV pair; may be given more than once",
    )
    group.add_argument("--mnist", metavar="FILE", type=file_path, help=MNIST_HELP)
    group.add_argument("--no-drawings", action="store_true", help="do not train on the stored drawings")
    group.add_argument(
        "--writer",
        metavar="NAME",
        default="",
        help="whose hand a recipe such as my-hand learns (default: everybody's)",
    )
    group.add_argument(
        "--base",
        metavar="MODEL",
        default="",
        help="the model that a recipe such as my-hand starts from (default: the champion)",
    )
    group.add_argument("--score-on", **files, help="score the new model on these files at the end")


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "--out", metavar="FILE", type=file_path, help="the model file (default: a new one among your models)"
    )
    group.add_argument(
        "--name", metavar="NAME", default="", help="name of the model (default: from file or recipe)"
    )
    group.add_argument(
        "--tensorboard",
        metavar="DIR",
        type=file_path,
        help="also keep a log that TensorBoard reads, in a folder of DIR named after the run",
    )
    shown = group.add_mutually_exclusive_group()
    add_json_option(shown, "the figures at the end")
    shown.add_argument("--events", action="store_true", help="print the events as JSON lines as they happen")


def _add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each field of a recipe."""
    parser.add_argument_group(
        "fields of the recipe",
        "Fields that are not given are the recipe's; in brackets the default where the recipe has none.",
    )
    groups: dict[str, Any] = {}
    for field in FIELDS:
        if field.group not in groups:
            groups[field.group] = parser.add_argument_group(f"recipe: {field.group.lower()}")
        groups[field.group].add_argument(
            field.flag,
            dest=FIELD_PREFIX + field.name,
            metavar=_metavar(field),
            help=_help(field).replace("%", "%%"),
        )


def _metavar(field: Field) -> str:
    return {"int": "N", "float": "X", "choice": "NAME", "layers": "LAYERS"}[field.kind]


def _help(field: Field) -> str:
    """Return a help text such as "images for one step; 1 to 8192 images [128]"."""
    match field.kind:
        case "choice":
            takes = f"; {', '.join(field.choices)}"
        case "layers":
            takes = ""
        case _:
            takes = f"; {_number(field.minimum)} to {_number(field.maximum)} {field.unit}".rstrip()
    zero = f" (0: {field.zero})" if field.zero else ""
    default = field.default if field.default != "" else "empty"
    return f"{field.help}{takes}{zero} [{default}]"


def _number(value: float) -> str:
    return f"{int(value)}" if value == int(value) else f"{value:g}"


def chosen_recipe(args: argparse.Namespace) -> Recipe:
    """Return the recipe with the given fields. Raises `InputError` that names the field."""
    values = {field.name: getattr(args, FIELD_PREFIX + field.name) for field in FIELDS}
    return load_recipe(args.recipe).with_values(
        **{name: value for name, value in values.items() if value is not None}
    )


def run(args: argparse.Namespace) -> int:
    job = make_job(args)
    with stdout_for_results() as results:
        view = make_view(events_to=results if args.events else None)
        ending = run_training(job, LoggedView(view, args.tensorboard) if args.tensorboard else view)
    return _end(ending, args)


def make_job(args: argparse.Namespace) -> TrainingJob:
    """Return the training job, checked as far as possible before the work begins."""
    if args.resume is not None or args.more_epochs:
        return _resumed(args)
    _require_paths(args)
    recipe = chosen_recipe(args)
    if args.base and not recipe.is_personal:
        raise InputError(
            f"The recipe {recipe.name} starts from scratch, so --base does not apply.",
            "Leave --base out, or add --start champion.",
        )
    if (args.characters or args.turned_characters) and not recipe.characters_weight:
        raise InputError(
            f"The recipe {recipe.name} learns no characters beside its classes.",
            "Leave the files of characters out, or add --characters-weight 1.",
        )
    return TrainingJob.new(
        recipe,
        data_dir=data_folder(args),
        out=_text(args.out),
        mnist=_text(args.mnist),
        csv_pairs=tuple((_text(images), _text(labels)) for images, labels in args.csv),
        ink_files=tuple(map(_text, args.ink)),
        not_digits=tuple(map(_text, args.not_digits)),
        characters=tuple(map(_text, args.characters)),
        turned_characters=tuple(map(_text, args.turned_characters)),
        leave_out=tuple(args.leave_out),
        use_drawings=not args.no_drawings,
        score_on=tuple(map(_text, args.score_on)),
        name=args.name,
        base=_base(args),
        writer=_writer(args),
        champion=_champion(args),
        class_set=ModelLibrary(data_folder(args)).class_set,
    )


def _require_paths(args: argparse.Namespace) -> None:
    """Raise `InputError` for a file that does not exist, and for a log folder that is none."""
    pairs = (file for pair in args.csv for file in pair)
    inks = (*args.ink, *args.not_digits, *args.characters, *args.turned_characters)
    files = (*inks, *pairs, *args.score_on, *filter(None, [args.mnist]))
    for file in files:
        if not file.exists():
            raise InputError(f"There is no file {file}.", "Check the path.")
    if args.tensorboard and args.tensorboard.exists() and not args.tensorboard.is_dir():
        raise InputError(f"{args.tensorboard} is not a folder.", "Name a folder for TensorBoard's log.")


def _resumed(args: argparse.Namespace) -> TrainingJob:
    """Return the job that resumes or extends a run. Raises `InputError` for settings that the run already has."""
    if args.resume is None:
        raise InputError("There is no run to extend.", "Name it: --resume RUN --more-epochs N.")
    if given := _settings_of_a_new_run(args):
        raise InputError(
            f"{given[0]} does not go with --resume: a run keeps its recipe and its data.",
            "Leave it out, or train a new run.",
        )
    if args.more_epochs < 0:
        raise InputError(f"A run cannot be extended by {args.more_epochs} epochs.", "Give a number above 0.")
    folder = data_folder(args)
    with open_to_change(folder) as store:
        run = with_current_state(folder, store.runs.find(args.resume))
    champion = _champion(args)
    if args.more_epochs:
        return extended(folder, run, args.more_epochs, champion=champion)
    return resumed(folder, run, champion=champion)


def _settings_of_a_new_run(args: argparse.Namespace) -> list[str]:
    """Return the given flags that choose recipe, data or output of a new run."""
    data = {
        "--ink": args.ink,
        "--not-digits": args.not_digits,
        "--characters": args.characters,
        "--turned-characters": args.turned_characters,
        "--leave-out": args.leave_out,
        "--csv": args.csv,
        "--mnist": args.mnist,
        "--no-drawings": args.no_drawings,
        "--writer": args.writer,
        "--base": args.base,
        "--score-on": args.score_on,
        "--out": args.out,
        "--name": args.name,
        "--recipe": args.recipe != DEFAULT_RECIPE,
    }
    fields = [field.flag for field in FIELDS if getattr(args, FIELD_PREFIX + field.name) is not None]
    return [flag for flag, value in data.items() if value] + fields


def _writer(args: argparse.Namespace) -> str:
    """Return whose hand is to be learned. Raises `InputError` for an unknown writer."""
    if args.writer:
        with SampleStore.open_to_read(data_folder(args)) as store:
            require_writer(store, args.writer)
    return str(args.writer)


def _base(args: argparse.Namespace) -> str:
    """Return the path of the base model. Raises `InputError` when there is no such model."""
    return _text(find_model(args.base, folder=data_folder(args))) if args.base else ""


def _champion(args: argparse.Namespace) -> str:
    """Return the path of the champion to compare with; "" without one, or for a training without drawings."""
    if args.no_drawings:
        return ""
    try:
        return _text(champion_path(data_folder(args)))
    except ModelFileError:
        return ""


def _text(path: Path | None) -> str:
    return str(path.absolute()) if path else ""


def _end(ending: Terminal, args: argparse.Namespace) -> int:
    match ending:
        case RunFailed(kind=kind, message=message, remedy=remedy):
            complain(f"{message} {remedy}")
            return EXIT_CODES.get(kind, 1)
        case RunCancelled(is_interrupted=True):
            complain(f"The run was interrupted. To resume it: qtdigits train --resume {ending.run}")
            return 130
        case RunCancelled():
            complain(
                f"The run was cancelled; no model was kept. To get it back: qtdigits runs restore {ending.run}"
            )
            return 130
        case _:
            _show_result(ending, args)
            return 0


def _show_result(ending: RunFinished, args: argparse.Namespace) -> None:
    if args.json:
        print_json(asdict(ending))
        return
    if args.events:
        return
    show(
        f"{ending.outcome} after {ending.epochs} epochs in {duration(ending.elapsed_s)}; "
        f"the best was epoch {ending.best_epoch}.\n"
    )
    print_scores(ending.scores)
    if ending.comparison:
        show(f"\nCompared with {ending.comparison['champion']}: {ending.comparison['sentence']}.")
        show(ending.comparison["recommendation"])
    show(f"\n{ending.model}")
