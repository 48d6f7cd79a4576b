"""Every reader of foreign data: valid specimens, how they are changed, how they are read, and what is done with the result.

Reading may end in an error of `qtdigits.errors`. Using what was read, as lists, pictures and writers do, may not fail at all.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random

import numpy as np

from fuzz import mutations as m
from fuzz import specimens as s
from qtdigits.core.drawing.ink import decode_ink, encode_ink
from qtdigits.core.drawing.raster import render
from qtdigits.core.keras_config import layers_in
from qtdigits.core.keras_network import network_of
from qtdigits.core.network_spec import NetworkSpec, format_layers
from qtdigits.core.recipe_files import load_recipe, recipe_toml
from qtdigits.core.run.events import RunCancelled, decode_event, encode_event
from qtdigits.core.run.figures import figures_of
from qtdigits.core.run.history import History
from qtdigits.engine.protocol import RunJob, decode_command, encode_command
from qtdigits.engine.server import Server
from qtdigits.errors import QtDigitsError
from qtdigits.gui.preferences import Preferences
from qtdigits.reader import Reader
from qtdigits.store.data.datasets import read_dataset, read_samples
from qtdigits.store.data.image_files import read_image
from qtdigits.store.data.ink_files import LabelledInk, write_ink_jsonl
from qtdigits.store.data.keras_files import open_keras_file
from qtdigits.store.data.mnist import load_mnist
from qtdigits.store.library import ModelLibrary
from qtdigits.store.model_files import check_model, save_model
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.runs import runs_frame
from qtdigits.store.tables.salvage import salvage
from qtdigits.store.tables.samples import SampleStore
from qtdigits.training.import_export import read_drawings
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.rebuild import WEIGHTED
from qtdigits.training.study_storage import open_study
from tests.store.values import a_history, a_sample, a_trial

Use = Callable[[], object]


@dataclass(frozen=True)
class Target:
    """One reader. `specimens` are valid contents of the file `name`; `others` are files beside it that stay as they are.

    `read(folder)` gives what is to be done with the result. Of all inputs, `share` parts are for this reader. `is_in_child`: the
    program reads it in a child process with a limit of time, so that reaching that is no finding.
    """

    specimens: tuple[bytes, ...]
    name: str
    changes: tuple[m.Mutation, ...]
    read: Callable[[Path], Use]
    share: int = 1
    others: s.Files = ()
    is_in_child: bool = False

    def input(self, random: Random) -> bytes:
        """A specimen, changed once, seldom twice; JSON in gzip is changed before it is packed.

        Bytes are changed last: a library that is to change the structure of a broken file may never end.
        """
        content = random.choice(self.specimens)
        chosen = [random.choice(self.changes) for _ in range(random.choice((1, 1, 1, 2)))]
        for change in sorted(chosen, key=lambda change: change is m.change_bytes):
            try:
                is_packed = content.startswith(b"\x1f\x8b")
                content = (m.packed(change) if is_packed else change)(content, random)
            except Exception:  # noqa: BLE001 - what cannot be changed by its structure
                content = m.change_bytes(content, random)
                break
        return content

    def put(self, content: bytes, folder: Path) -> None:
        for name, other in (*self.others, (self.name, content)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(other)


def _samples(name: str) -> Callable[[Path], Use]:
    """Read a file of drawings to import it and to score on it; list, render and write again what came, and store one in four."""

    def read(folder: Path) -> Use:
        samples = read_drawings(folder / name, writer="me")
        if len(samples) % 2:
            read_dataset(folder / name)

        def use() -> None:
            inks = [ink for sample in samples if (ink := LabelledInk.of(sample))]
            if inks:
                write_ink_jsonl(folder / "again.jsonl", inks)
                assert len(list(read_samples(folder / "again.jsonl", writer="me"))) == len(inks)
            if _one_in_four(folder / name):
                with _own_store(folder) as store:
                    store.add_samples(samples)
                    _list_store(store)

        return use if len(samples) else lambda: None

    return read


def _one_in_four(path: Path) -> bool:
    """Whether to do what takes longer than all the rest; always the same for the same content."""
    return path.is_dir() or zlib.crc32(path.read_bytes()) % 4 == 0


def _own_store(folder: Path) -> SampleStore:
    """An empty store of the person's; made once, as that takes longer than all the rest."""
    (folder / "own").mkdir()
    (folder / "own" / "samples.db").write_bytes(s.empty_store())
    return SampleStore.open(folder / "own")


def _list_store(store: SampleStore) -> None:
    """Everything that lists, panels and exports show of a store."""
    found = list(store.samples())
    ids = store.ids().tolist()
    store.thumbnails(ids), store.writers(), store.classes(), store.judging_models()
    for sample in found:
        (
            LabelledInk.of(sample),
            sample.drawn_at.astimezone(),
            f"{sample.label} {sample.writer} {sample.device}",
        )
    for trial in store.trials():
        trial.judged_at.astimezone(), max(trial.probabilities)
    store.dataset(), store.counts_by_label(), store.check()
    for run in (*store.runs.records(), *store.runs.records(in_trash=True)):
        run.title, run.started_at.astimezone(), store.runs.history(run.id)
    for entry in store.queue.entries():
        with contextlib.suppress(QtDigitsError):
            TrainingJob.from_json(entry.request)


def _list_frames(store: SampleStore) -> None:
    store.samples_frame(), store.trials_frame(), store.runs.frame(), runs_frame(store.runs.records())


def _read_store(folder: Path) -> Use:
    with SampleStore.open_read_only(folder / "other.db") as store:
        _list_store(store)
    (folder / "other.db").rename(folder / "samples.db")
    with SampleStore.open(folder) as store:
        store.judge(a_sample(), a_trial())
        _list_store(store)
        _list_frames(store)
    return lambda: None


def _salvage_store(folder: Path) -> Use:
    salvage(folder / "samples.db")

    def use() -> None:
        with SampleStore.open(folder) as store:
            store.judge(a_sample(), a_trial())
            _list_store(store)

    return use


def _merge_store(folder: Path) -> Use:
    with _own_store(folder) as store:
        store.merge_store(folder / "other.db")

    def use() -> None:
        with SampleStore.open(folder / "own") as store:
            _list_store(store)
            problems = store.check()
            assert problems == (), f"a merge brought in: {problems}"

    return use


def _read_model(folder: Path) -> Use:
    path = folder / "models" / "other.h5"
    model = check_model(path)

    def use() -> None:
        library = ModelLibrary(folder, shipped=folder / "none")
        for entry in library.entries():
            assert not entry.error, entry.error
            f"{entry.created_at.astimezone():%Y-%m-%d %H:%M} {entry.title} {entry.writer}".encode()
            json.dumps([dict(entry.scores), entry.labels], allow_nan=False)
        library.promote(path)
        library.load_champion(weights=True)
        save_model(model, folder / "again.h5")
        assert check_model(folder / "again.h5").weights_sha256 == model.weights_sha256

    return use


def _read_program(folder: Path) -> Use:
    """A model file with another LiteRT program and right digests, read by it: what the program does is not foreseen."""
    model = replace(s.real_model(), flatbuffer=(folder / "program.tflite").read_bytes())
    reader = Reader(model)
    return lambda: reader.read(np.zeros((28, 28), np.uint8))


def _read_recipe(folder: Path) -> Use:
    recipe = load_recipe(str(folder / "other.toml"))

    def use() -> None:
        (folder / "again.toml").write_text(recipe_toml(recipe), "utf-8")
        assert load_recipe(str(folder / "again.toml")) == recipe
        recipe.network.n_parameters(10), recipe.network.title, json.dumps(recipe.to_json(), allow_nan=False)

    return use


def _read_request(folder: Path) -> Use:
    job = TrainingJob.from_json(RunFolder(folder, "run").request())
    return lambda: (encode_command(RunJob(job)), job.command)


def _read_result(folder: Path) -> Use:
    run = RunFolder(folder, "run")
    result = run.result()

    def use() -> None:
        assert result is not None
        run.save_result(result)
        figures_of(a_history(), result.scores).to_json()

    return use


def _read_readings(folder: Path) -> Use:
    run = RunFolder(folder, "run")
    readings = run.readings()
    return lambda: run.save_readings(readings)


def _read_checkpoint(folder: Path) -> Use:
    run = RunFolder(folder, "run")
    checkpoint = run.latest_checkpoint()

    def use() -> None:
        if checkpoint is not None:
            run.write_checkpoint(checkpoint)
            figures_of(checkpoint.history).to_json()

    return use


def _read_keras(folder: Path) -> Use:
    """As the child process of an import does, but for what Keras computes."""
    with open_keras_file(folder / "other.keras") as file:
        layers = layers_in(file.config)
        weights = {layer.name: file.weights_of(layer) for layer in layers if layer.kind in WEIGHTED}
        network = network_of(layers, lambda layer: weights[layer.name], highest=1.0)

    def use() -> None:
        spec = network.spec
        assert NetworkSpec.from_json(spec.to_json()) == spec
        assert sum(a.size for pair in network.weights.values() for a in pair) <= spec.n_parameters(
            network.n_classes
        )
        spec.title, format_layers(spec.blocks), format_layers(spec.dense)

    return use


def _read_study(folder: Path) -> Use:
    stored = open_study("mine", data_dir=folder)

    def use() -> None:
        if stored is not None:
            json.dumps(stored.summary())

    return use


def _read_champion(folder: Path) -> Use:
    library = ModelLibrary(folder, shipped=folder / "shipped")
    library.class_set, library.champion_path()
    library.load_champion()
    is_listed = _one_in_four(folder / "champion.json")

    def use() -> None:
        if is_listed:
            library.entries()
        library.use_class_set("mine")
        library.promote(folder / "models" / "b.h5")
        assert ModelLibrary(folder, shipped=folder / "shipped").champion_path().name == "b.h5"
        with contextlib.suppress(QtDigitsError):
            library.roll_back()

    return use


def _read_preferences(folder: Path) -> None:
    preferences = Preferences(folder)
    for name in (
        "theme",
        "promotion",
        "guided_half_width",
        "key_alone_corrects",
        "retrain_after",
        "writer",
        "curves",
    ):
        setattr(preferences, name, getattr(preferences, name))
    _ = preferences.geometry


def _listen(folder: Path) -> Use:
    """Give lines to an engine: it answers, or puts a job into its queue, and listens on to the last line."""
    answers, queued = io.StringIO(), []

    def lines() -> Iterator[bytes]:
        yield from (folder / "lines").read_bytes().splitlines(keepends=True)
        yield b'{"command": "stop"}\n'
        while not server.jobs.empty():
            queued.append(server.jobs.get())
            server.emit(RunCancelled("none"))  # an engine without a job ends at once

    server = Server(commands=lines(), events=answers, leave=lambda _code: None)
    server.listen()
    for line in answers.getvalue().splitlines():
        decode_event(line)

    def use() -> None:
        for job in (RunJob(entry[0]) for entry in queued if entry is not None):
            assert decode_command(encode_command(job)) == job

    return use


def _hear(folder: Path) -> Use:
    """Give the window the events of an engine."""
    history = History()
    events = []
    for line in (folder / "lines").read_bytes().splitlines():
        event = decode_event(line.decode("utf-8", "surrogateescape"))
        events.append(event)
        history.apply(event)

    def use() -> None:
        figures_of(history).to_json(), history.to_json(), history.steps_per_epoch
        for event in events:
            encode_event(event)

    return use


def _read_ink_blob(folder: Path) -> Use:
    ink = decode_ink((folder / "ink").read_bytes())

    def use() -> None:
        render(ink)
        assert decode_ink(encode_ink(ink)) == ink
        json.dumps(ink.to_lists(), allow_nan=False)

    return use


def _only(read: Callable[[Path], object]) -> Callable[[Path], Use]:
    """For what is not used further."""

    def then_nothing(folder: Path) -> Use:
        read(folder)
        return lambda: None

    return then_nothing


def _packed(content: bytes) -> tuple[bytes, bytes]:
    """Plain and as gzip."""
    return content, gzip.compress(content, mtime=0)


def _one_of(
    files: s.Files, name: str, read: Callable[[Path], Use], changes: tuple[m.Mutation, ...], share: int
) -> Target:
    """The reader of one of some files that belong together; the others stay as they are."""
    return Target(
        (dict(files)[name],), name, changes, read, share, tuple(file for file in files if file[0] != name)
    )


@cache
def targets() -> dict[str, Target]:
    """All readers by name."""
    raw, text = (m.change_bytes,), (m.change_bytes, m.change_numbers)
    values = (m.change_json, m.change_json, *text)
    archive, png = (m.change_archive, m.change_archive, *raw), (m.change_png, m.change_png, *raw)
    cells, header = (
        (m.change_cells, m.change_cells, *raw),
        (m.change_model_header, m.change_model_header, *raw),
    )
    keras, study = (m.change_keras, m.change_keras, *raw), s.study_files()
    run, models, pair = s.run_files(), s.model_files(), s.csv_pair()
    idx = (("images", s.IDX_IMAGES), ("labels", s.IDX_LABELS))
    pictures, model, stored = s.pngs(), dict(models)["models/a.h5"], (s.store(),)
    npz, mnist = s.npz(names=("x", "y")), s.npz(names=("x_train", "y_train", "x_test", "y_test"))
    every = (s.INK, s.UNIPEN, npz, s.IDX_IMAGES, dict(pair)["images.csv"], s.store(), pictures[0], model)
    # fmt: off
    return {
        "ink": Target(_packed(s.INK), "other.jsonl", values, _samples("other.jsonl"), 8),
        "UNIPEN": Target(_packed(s.UNIPEN), "other.tra", text, _samples("other.tra"), 8),
        "IDX images": _one_of(idx, "images", _samples("images"), raw, 8),
        "IDX labels": _one_of(idx, "labels", _samples("images"), raw, 4),
        "npz": Target((npz,), "other.npz", archive, _samples("other.npz"), 6),
        "mnist.npz": Target((mnist,), "mnist.npz", archive, _only(lambda f: load_mnist(f / "mnist.npz")), 6),
        "PNG": Target(pictures, "7.png", png, _only(lambda f: read_image(f / "7.png")), 16),
        "JPEG": Target((s.jpeg(),), "7.jpg", raw, _only(lambda f: read_image(f / "7.jpg")), 16),
        "folder of pictures": Target((*pictures, s.jpeg()), "in/7/a.png", raw, _samples("in"), 4),
        "CSV images": _one_of(pair, "images.csv", _samples("images.csv"), text, 1),
        "CSV labels": _one_of(pair, "labels.csv", _samples("images.csv"), text, 1),
        "any data file": Target(every, "other", text, _samples("other"), 8),
        "recipe": Target(s.recipes(), "other.toml", (m.change_toml,) * 3 + raw, _read_recipe, 16),
        "Keras": Target((s.keras_zip(), s.keras_legacy()), "other.keras", keras, _read_keras, 8, is_in_child=True),
        "model": Target((model,), "models/other.h5", header, _read_model, 4),
        "LiteRT program": Target((s.real_model().flatbuffer,), "program.tflite", raw, _read_program, 2),
        "checkpoint": _one_of(run, "runs/run/checkpoint-0000000009.npz", _read_checkpoint, archive, 4),
        "readings.npz": _one_of(run, "runs/run/readings.npz", _read_readings, archive, 4),
        "request.json": _one_of(run, "runs/run/request.json", _read_request, values, 6),
        "result.json": _one_of(run, "runs/run/result.json", _read_result, values, 6),
        "champion.json": _one_of(models, "champion.json", _read_champion, values, 2),
        "store": Target(stored, "other.db", cells, _read_store, 3),
        "store, merged": Target(stored, "other.db", cells, _merge_store, 6),
        "store, imported": Target(stored, "other.db", cells, _samples("other.db"), 6),
        "store, damaged": Target(stored, "samples.db", (m.change_bytes, m.change_cells), _salvage_store, 4),
        "study": _one_of(study, "studies/mine/journal.log", _read_study, values, 4),
        "preferences": Target((s.SETTINGS,), "settings.ini", text, _only(_read_preferences), 8),
        "engine's commands": Target((s.commands(),), "lines", values, _listen, 40),
        "engine's events": Target((s.events(),), "lines", values, _hear, 40),
        "stored ink": Target(s.ink_blobs(), "ink", (m.change_bytes, m.odd_ink), _read_ink_blob, 30),
    }
    # fmt: on
