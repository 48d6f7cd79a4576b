"""The reader answers as the network that was exported, from the model alone, and refuses models that do not fit."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from qtdigits.core.drawing.classes import Classes, OwnedClass
from qtdigits.core.drawing.ink import Ink
from qtdigits.core.drawing.labels import DIGITS, LabelSet
from qtdigits.core.drawing.raster import render
from qtdigits.core.embedding import Whitening, reference_drawings, unit_rows
from qtdigits.core.memory import Memory
from qtdigits.core.model import Golden, Model
from qtdigits.core.network_inspection import features
from qtdigits.core.network_spec import ACTIVATIONS
from qtdigits.core.recipe import recipe_of
from qtdigits.core.run.history import History
from qtdigits.errors import InputError, ModelFileError
from qtdigits.ml.models import from_model, to_model, with_embedding_output
from qtdigits.ml.networks import build_network
from qtdigits.ml.training import TrainedNetwork
from qtdigits.quiet import quiet
from qtdigits.reader import BATCH, EMBEDDING_OUTPUTS, Reader
from qtdigits.store.model_files import save_model
from tiny_training import TINY_RECIPE, tiny_data, tiny_model

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def model() -> Model:
    return tiny_model()


def test_that_it_gives_the_golden_answers(model: Model) -> None:
    reader = Reader(model)
    assert model.golden.agrees_with(reader.read_many(model.golden.images))
    assert np.allclose(reader.read_many(model.golden.images), model.golden.probabilities, atol=1e-5)


def test_that_one_by_one_and_many_at_once_agree(model: Model) -> None:
    reader = Reader(model)
    images = tiny_data(BATCH * 2 + 5).images
    many = reader.read_many(images)
    assert many.shape == (len(images), 10)
    assert np.allclose(many, [reader.probabilities(image) for image in images], atol=1e-5)
    assert np.allclose(many.sum(axis=1), 1, atol=1e-4)


def test_that_ink_and_its_raster_are_read_alike_and_memory_has_its_say(model: Model, tmp_path: Path) -> None:
    save_model(model, tmp_path / "tiny.h5")
    reader, memory = Reader.open(tmp_path / "tiny.h5"), Memory()
    ink = Ink.of([[(0, 0), (5, 9), (3, 20)]])
    alone = reader.read(ink)
    assert np.array_equal(alone.probabilities, reader.read(render(ink)).probabilities)
    assert np.array_equal(alone.probabilities, reader.read(ink, memory).probabilities)
    memory.add(reader.embed(alone.raster[np.newaxis])[0], "π")
    reading = reader.read(ink, memory)
    assert (reading.label, reading.neighbours[0].label) == ("π", "π")
    assert reading.embedding is not None


def _knowing(model: Model, known: np.ndarray) -> Model:
    """`model` with the embedding of a raster as the mean of its class 3, and means like no drawing for all others."""
    embedding = Reader(model).embed(known[np.newaxis])
    means = np.tile(-embedding, (len(model.label_set), 1))
    means[3] = embedding
    return replace(model, unlike_below=0.9, class_means=means)


def test_that_what_resembles_no_class_is_not_sure_until_it_is_remembered(model: Model) -> None:
    known, other = tiny_data(2, seed=9).images
    reader, memory = Reader(_knowing(model, known)), Memory()
    assert not reader.read(known).is_unlike_all
    found = reader.read(other)
    assert (found.is_unlike_all, found.is_sure) == (True, False)
    assert found.label == Reader(model).read(other).label  # the best guess
    assert reader.read(other, memory).is_unlike_all
    memory.add(reader.embed(other[np.newaxis])[0], "♥")
    again = reader.read(other, memory)
    assert (again.label, again.is_unlike_all, again.is_sure) == ("♥", False, True)
    assert again.similarity == pytest.approx(1)


def test_that_many_remembered_classes_are_read_for_sure_though_each_is_less_probable(model: Model) -> None:
    images = tiny_data(40, seed=9).images
    reader, memory = Reader(replace(_knowing(model, images[0]), undecided_below=0.99)), Memory()
    for number, embedding in enumerate(reader.embed(images[1:])):
        memory.add(embedding, f"sign {number}")
    reading = reader.read(images[5], memory)
    assert (reading.label, reading.is_sure) == ("sign 4", True)
    assert reading.probability < 0.99
    assert (reading.is_prototype, reader.read(images[5]).is_prototype) == (True, False)


def test_that_classes_that_are_not_in_the_set_are_not_known(model: Model) -> None:
    known = tiny_data(1, seed=9).images[0]
    reader = Reader(_knowing(model, known))
    owned = tuple(OwnedClass(c.id, c.label) for c in DIGITS)
    for among, is_unlike in ((frozenset("35"), False), (frozenset("45"), True), (None, False)):
        reader.show_as(Classes(owned, among))
        assert reader.read(known).is_unlike_all is is_unlike
        assert (reader.read_and_compare(known[np.newaxis])[1][0] < 0.9) == is_unlike
    reader.show_as(Classes(tuple(replace(c, root="4") if c.id == "3" else c for c in owned)))
    assert not reader.read(known).is_unlike_all  # merged into another class


def test_that_means_that_are_no_embeddings_of_the_network_are_refused(model: Model) -> None:
    with pytest.raises(ModelFileError, match="means"):
        Reader(replace(model, unlike_below=0.5, class_means=np.ones((10, 3), np.float32)))


@pytest.mark.parametrize("name", ["default", "cnn-32-64", "mlp-50-50"])
def test_that_embeddings_have_unit_length(name: str) -> None:
    found = Reader.open(name).embed(tiny_data(5).images)
    assert found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_that_the_program_gives_the_embedding_that_the_weights_give(model: Model) -> None:
    reader, images = Reader(model), tiny_data(BATCH + 3).images
    assert reader.has_embedding
    found = reader.embed(images)
    drawings, labels = reference_drawings()
    whitening = Whitening.of(features(model.network, model.weights, drawings), labels)
    expected = whitening.embed(features(model.network, model.weights, images))
    assert (found * expected).sum(axis=1).min() > 0.999
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)


def test_that_an_embedding_layer_is_the_embedding(tmp_path: Path) -> None:
    made = tiny_model(TINY_RECIPE.with_values(dense="16, 8:linear"))
    images = tiny_data(BATCH).images
    expected = unit_rows(features(made.network, made.weights, images))
    np.testing.assert_allclose(Reader(made).embed(images), expected, atol=2e-3)
    with quiet():
        from_model(made).export(str(tmp_path / "older.tflite"), format="litert", verbose=False)
    older = replace(made, flatbuffer=(tmp_path / "older.tflite").read_bytes())
    np.testing.assert_allclose(Reader(older).embed(images), expected, atol=1e-6)


@pytest.mark.parametrize("dense", ["8", "8:linear"])
def test_that_the_program_embeds_what_has_no_features(dense: str) -> None:
    """Without the reader's help, which programs of older files need."""
    recipe = recipe_of({"dense": dense})
    network = build_network(recipe.network, 10)
    network.get_layer("dense_1").set_weights([np.zeros((784, 8)), np.full(8, -1.0 if dense == "8" else 0.0)])
    trained = TrainedNetwork(network, recipe, DIGITS, "completed", 1, 1)
    data = tiny_data(20)
    made = to_model(
        trained, name="m", images=data.images, targets=data.targets, history=History(), provenance={}
    )
    interpreter = Interpreter(model_content=made.flatbuffer)
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner()
    (given,) = runner.get_input_details()
    found = runner(**{given: (data.images[:1, ..., np.newaxis] / 255).astype(np.float32)})
    embedding = found[EMBEDDING_OUTPUTS[1]][0]
    np.testing.assert_allclose(np.linalg.norm(embedding), 1, atol=1e-4)


def test_that_a_program_without_embedding_reads_and_is_replaced_by_one_that_has_it(tmp_path: Path) -> None:
    model = tiny_model()
    with quiet():
        from_model(model).export(str(tmp_path / "older.tflite"), format="litert", verbose=False)
    older = replace(model, flatbuffer=(tmp_path / "older.tflite").read_bytes())
    images = tiny_data(7).images
    newer = with_embedding_output(older)
    assert (Reader(older).has_embedding, Reader(newer).has_embedding) == (False, True)
    assert (Reader(older).embed(images) * Reader(newer).embed(images)).sum(axis=1).min() > 0.999
    assert np.allclose(Reader(older).read_many(images), Reader(newer).read_many(images), atol=2e-3)


def test_that_threads_side_by_side_give_the_same_answers(model: Model) -> None:
    images = tiny_data(200).images
    expected = Reader(model).read_many(images)
    for n, threads in ((200, 2), (200, 3), (64, 2), (0, 2)):
        assert np.array_equal(Reader(model).read_many(images[:n], threads=threads), expected[:n])


def test_that_no_image_gives_no_answer(model: Model) -> None:
    assert Reader(model).read_many(np.empty((0, 28, 28), np.uint8)).shape == (0, 10)


def test_that_it_knows_whose_answers_it_gives(model: Model) -> None:
    reader = Reader(model)
    assert (reader.label_set, reader.model_name) == (DIGITS, "tiny")


def test_that_it_reads_digits_it_has_not_seen(model: Model) -> None:
    data = tiny_data(200, seed=9)
    answers = Reader(model).read_many(data.images).argmax(axis=1)
    assert (answers == data.targets).mean() > 0.6


@pytest.mark.parametrize(("first", "second"), list(zip(ACTIVATIONS[::2], ACTIVATIONS[1::2], strict=True)))
def test_that_every_activation_can_be_read(first: str, second: str) -> None:
    recipe = recipe_of({"blocks": f"2:3:2:0:{first}", "dense": f"4:{second}"})
    trained = TrainedNetwork(build_network(recipe.network, 10), recipe, DIGITS, "completed", 1, 1)
    data = tiny_data(40)
    made = to_model(
        trained, name="m", images=data.images, targets=data.targets, history=History(), provenance={}
    )
    assert np.allclose(Reader(made).read_many(made.golden.images), made.golden.probabilities, atol=1e-5)


def test_that_a_program_for_other_classes_is_refused(model: Model) -> None:
    nine = Golden(model.golden.images, model.golden.probabilities[:, :9])
    with pytest.raises(ModelFileError, match="10 probabilities for 9 classes"):
        Reader(replace(model, label_set=LabelSet.of("012345678"), golden=nine))


def test_that_other_golden_answers_are_refused_unless_nobody_checks(model: Model) -> None:
    wrong = replace(model, golden=Golden(model.golden.images, np.roll(model.golden.probabilities, 1, axis=1)))
    with pytest.raises(ModelFileError, match="golden"):
        Reader(wrong)
    Reader(wrong, check=False)


@pytest.mark.parametrize("flatbuffer", [b"no program", b"\0" * 5000])
def test_that_what_is_no_program_is_refused_in_words(model: Model, flatbuffer: bytes) -> None:
    with pytest.raises(ModelFileError, match="tiny cannot be used: its LiteRT program does not load"):
        Reader(replace(model, flatbuffer=flatbuffer))


def test_that_drawings_without_any_features_are_alike_and_can_be_remembered() -> None:
    """A network with ReLU may find no feature at all in some drawings."""
    recipe = recipe_of({"dense": "32"})
    network = build_network(recipe.network, 10)
    data = tiny_data(100)
    images = data.images
    weights = np.random.default_rng(1).standard_normal((784, 32))
    found = images.reshape(100, 784) / 255 @ weights
    most = float(np.quantile(found.max(axis=1), 0.2))
    network.get_layer("dense_1").set_weights([weights, np.full(32, -most)])
    trained = TrainedNetwork(network, recipe, DIGITS, "completed", 1, 1)
    made = to_model(trained, name="m", images=images, targets=data.targets, history=History(), provenance={})
    embeddings = Reader(made).embed(images)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    without = np.flatnonzero(found.max(axis=1) < most)
    assert len(without) > 1
    memory = Memory()
    memory.add(embeddings[without[0]], "★")
    (neighbour,) = memory.neighbours(embeddings[without[1]])
    assert (neighbour.label, neighbour.similarity) == ("★", pytest.approx(1))
    others = np.delete(embeddings, without, axis=0)
    assert max(memory.neighbours(other)[0].similarity for other in others) < 0.5


def test_that_one_pass_gives_what_two_give(model: Model) -> None:
    reader, images = Reader(model), tiny_data(70, seed=4).images
    probabilities, embeddings = reader.read_and_embed(images, threads=2)
    assert np.array_equal(probabilities, reader.read_many(images))
    assert np.array_equal(embeddings, reader.embed(images))


@pytest.mark.parametrize("cut", [100, 1000, 10_000])
def test_that_a_truncated_program_is_refused(model: Model, cut: int) -> None:
    with pytest.raises(ModelFileError):
        Reader(replace(model, flatbuffer=model.flatbuffer[:-cut]))


@pytest.mark.parametrize(
    "raster", [np.zeros((28, 28)), np.zeros((27, 28), np.uint8), np.zeros((1, 28, 28), np.uint8)]
)
def test_that_what_is_no_raster_is_refused(model: Model, raster: np.ndarray) -> None:
    with pytest.raises(InputError, match="28, 28"):
        Reader(model).read(raster)


def test_that_reading_takes_no_tensorflow_and_writes_nothing(model: Model, tmp_path: Path) -> None:
    path = save_model(model, tmp_path / "tiny.h5").path
    code = (
        "import sys, numpy, pathlib\n"
        "from qtdigits.reader import Reader\n"
        "from qtdigits.store.model_files import load_model\n"
        f"reader = Reader(load_model(pathlib.Path({str(path)!r}), weights=False))\n"
        "assert reader.probabilities(numpy.zeros((28, 28), numpy.uint8)).shape == (10,)\n"
        "assert not {'tensorflow', 'keras', 'pandas'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
