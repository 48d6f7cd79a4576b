"""Give model files what newer ones have: the embedding as the second output of the LiteRT program and, where their network has an
embedding layer, the means of their classes with the thresholds of "not sure", measured on the data that they were trained on.

`python -m tools.upgrade_models [--data FOLDER] FILE…`: in the folder lie the files that the command in each model's provenance
names, and MNIST where `qtdigits train` finds it. Without it only the program is upgraded. Weights and scores stay as they are.
"""

from __future__ import annotations

import argparse
import shlex
import tempfile
from pathlib import Path

from qtdigits.core.model import Model
from qtdigits.core.run.control import Control
from qtdigits.ml.models import with_embedding_output
from qtdigits.ml.training_data import TrainingData
from qtdigits.reader import Reader
from qtdigits.store.model_files import load_model, save_model
from qtdigits.training.data_cache import DataCache
from qtdigits.training.gather import gather
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.thresholds import with_thresholds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder of the files that the models were trained on")
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path)
    options = parser.parse_args()
    for path in options.files:
        model = load_model(path)
        if not Reader(model).has_embedding:
            model = with_embedding_output(model)
        if options.data and model.network.has_embedding_layer:
            data = data_of(model, options.data)
            model = with_thresholds(model, Reader(model), data, base=None)
            print(f"{path}: not sure: {model.provenance['undecided']}")
        save_model(model, path)
        print(f"{path}: the weights are the same ({model.weights_sha256[:12]})")


def data_of(model: Model, folder: Path) -> TrainingData:
    """Gather again what the command in the provenance names, split as it was; not what is there for the second head alone."""
    command = argparse.ArgumentParser()
    for flag in ("--ink", "--not-digits", "--characters", "--leave-out"):
        command.add_argument(flag, nargs="+", default=[])
    given, _ = command.parse_known_args(shlex.split(str(model.provenance["command"])))
    ink, not_digits, characters = (
        tuple(str(folder / name) for name in names)
        for names in (given.ink, given.not_digits, given.characters)
    )
    with tempfile.TemporaryDirectory() as empty:
        job = TrainingJob.new(
            model.recipe.with_values(invented_characters=0),
            data_dir=empty,
            ink_files=ink,
            not_digits=not_digits,
            characters=tuple(file for file in characters if file in not_digits),
            leave_out=tuple(given.leave_out),
            use_drawings=False,
        )
        cache = DataCache()
        return gather(job, cache=cache, control=Control(), progress=_say, known=model.label_set).data


def _say(what: str, done: int = 0, total: int = 0) -> None:
    if not done:
        print(f"  {what}")


main()
