from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.running import Run, python
from qtdigits.core.drawing.samples import Dataset, Suspicion
from qtdigits.core.formatting import percent
from qtdigits.core.score.metrics import wilson_interval
from qtdigits.store.data.datasets import read_dataset
from qtdigits.store.model_files import load_model, save_model
from qtdigits.store.tables.samples import SampleStore

KEYS = {
    "model",
    "path",
    "on",
    "n",
    "correct",
    "accuracy",
    "interval",
    "confusion",
    "classes",
    "calibration_error",
    "undecided",
    "look_alikes_as_one",
    "decided_correct",
    "decided_accuracy",
    "reliability",
}


@pytest.fixture(scope="module")
def dataset(ink_file: Path) -> Dataset:
    return read_dataset(ink_file)


def test_that_the_figures_are_one_json_object(run: Run, tiny_model: Path, ink_file: Path) -> None:
    done = run("evaluate", tiny_model, "--on", ink_file, "--json")
    assert done.code == 0
    figures = done.json
    assert set(figures) == KEYS
    assert (figures["model"], figures["on"], figures["n"]) == ("tiny", "drawings.jsonl.gz", 200)
    confusion = np.array(figures["confusion"])
    assert figures["classes"] == list("0123456789")
    assert confusion.shape == (10, 10)
    assert np.trace(confusion) == figures["correct"]
    assert figures["accuracy"] == figures["correct"] / 200
    assert figures["interval"] == list(wilson_interval(figures["correct"], 200))
    assert figures["accuracy"] > 0.4  # it was trained on them; a network that guesses gets 0.1


def test_that_figures_by_writer_and_class_add_up(run: Run, tiny_model: Path, ink_file: Path) -> None:
    figures = run("evaluate", tiny_model, "--on", ink_file, "--by-writer", "--by-class", "--json").json
    assert set(figures["by_writer"]) == {"ada", "bob"}
    for part in (figures["by_writer"], figures["by_class"]):
        assert sum(row["n"] for row in part.values()) == 200
        assert sum(row["correct"] for row in part.values()) == figures["correct"]


def test_that_people_get_the_same_figures(run: Run, tiny_model: Path, ink_file: Path) -> None:
    figures = run("evaluate", tiny_model, "--on", ink_file, "--json").json
    done = run("evaluate", tiny_model, "--on", ink_file, "--by-writer", "--by-class")
    assert done.code == 0
    assert f"{percent(figures['accuracy'], 2)} correct ({figures['correct']} of 200; 95% interval" in done.out
    for heading in ("Confusion matrix", "class ", "writer ", "Most often confused"):
        assert heading in done.out
    assert any(line.startswith("ada ") for line in done.out.splitlines())


def test_that_a_label_the_model_does_not_know_counts_as_wrong(
    run: Run, tiny_model: Path, tmp_path: Path
) -> None:
    file = tmp_path / "letters.jsonl"
    file.write_text(json.dumps({"label": "A", "strokes": [[[0, 9], [5, 0], [9, 9]], [[2, 5], [7, 5]]]}))
    figures = run("evaluate", tiny_model, "--on", file, "--json").json
    assert (figures["n"], figures["correct"]) == (1, 0)
    assert figures["classes"][-1] == "A"


def test_that_the_first_drawings_are_remembered_and_the_rest_is_read_with_them(
    run: Run, tiny_model: Path, ink_file: Path, dataset: Dataset
) -> None:
    done = run("evaluate", tiny_model, "--on", ink_file, "--remember", 2, "--by-writer", "--json")
    assert done.code == 0, done.err
    figures = done.json
    assert set(figures) == {*KEYS, "remembered", "by_writer"}
    assert figures["remembered"] == 2 * len(set(zip(dataset.writers, dataset.labels, strict=True)))
    assert figures["n"] == 200 - figures["remembered"] == np.sum(figures["confusion"])
    assert figures["correct"] == np.trace(np.array(figures["confusion"]))
    assert sum(row["n"] for row in figures["by_writer"].values()) == figures["n"]
    text = run("evaluate", tiny_model, "--on", ink_file, "--remember", 2).out
    assert f"{figures['remembered']} drawings remembered and not counted" in text
    assert f"({figures['correct']} of {figures['n']}" in text


@pytest.mark.parametrize("among", ["file", "all"])
def test_that_letters_the_model_never_saw_are_read_from_memory(
    run: Run, tiny_model: Path, dataset: Dataset, tmp_path: Path, among: str
) -> None:
    """Digits renamed to letters, in a file of images without writers: one writer's."""
    file, letters = tmp_path / "letters.npz", [f"letter {label}" for label in dataset.labels]
    np.savez(file, x=dataset.images, y=np.array(letters))
    arguments = ("evaluate", tiny_model, "--on", file, "--remember", 5, "--among", among)
    figures = run(*arguments, "--json").json
    assert (figures["remembered"], figures["n"]) == (50, 150)
    assert figures["accuracy"] > (0.4 if among == "file" else 0.2)


def test_that_nothing_may_be_left_to_read(run: Run, tiny_model: Path, ink_file: Path) -> None:
    arguments = ("evaluate", tiny_model, "--on", ink_file, "--remember", 1000)
    figures = run(*arguments, "--json").json
    assert (figures["remembered"], figures["n"], figures["accuracy"]) == (200, 0, None)
    assert "No other drawings are left to read." in run(*arguments).out


def test_that_what_is_no_number_to_remember_is_refused_in_words(run: Run, tiny_model: Path) -> None:
    done = run("evaluate", tiny_model, "--on", "mnist", "--remember=-1")
    assert done.code == 2
    assert "--remember: '-1' is not a whole number" in done.err
    done = run("evaluate", tiny_model, "--on", "mnist", "--among", "all")
    assert done.code == 2
    assert "--remember" in done.complaint


@pytest.fixture
def as_files(dataset: Dataset, tmp_path: Path) -> dict[str, list[object]]:
    """The first 40 drawings as arguments for each kind of file that holds images."""
    part = dataset.take(range(40))
    images, labels = tmp_path / "images.csv", tmp_path / "truth.txt"
    np.savetxt(images, part.images.reshape(40, 784), fmt="%d", delimiter=",")
    labels.write_text("\n".join(part.labels))
    np.savez(tmp_path / "part.npz", x=part.images, y=np.array(part.labels, np.uint8))
    header = np.array([0x803, 40, 28, 28], ">u4").tobytes()
    (tmp_path / "part-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + part.images.tobytes()))
    (tmp_path / "part-labels-idx1-ubyte.gz").write_bytes(
        gzip.compress(np.array([0x801, 40], ">u4").tobytes() + bytes(map(int, part.labels)))
    )
    (tmp_path / "pngs").mkdir()
    for i, (image, label) in enumerate(zip(part.images, part.labels, strict=True)):
        Image.fromarray(image).save(tmp_path / "pngs" / f"{label}_{i:03}.png")
    return {
        "csv": [images, "--labels", labels],
        "npz": [tmp_path / "part.npz"],
        "idx": [tmp_path / "part-images-idx3-ubyte.gz"],
        "folder": [tmp_path / "pngs"],
    }


@pytest.mark.parametrize("kind", ["csv", "npz", "idx", "folder"])
def test_that_every_kind_of_file_gives_the_same_figures(
    run: Run, tiny_model: Path, as_files: dict[str, list[object]], kind: str
) -> None:
    wanted = run("evaluate", tiny_model, "--on", *as_files["npz"], "--json").json
    figures = run("evaluate", tiny_model, "--on", *as_files[kind], "--json").json
    assert figures["n"] == 40
    assert figures["confusion"] == wanted["confusion"]


def test_that_a_store_can_be_scored(run: Run, tiny_model: Path, ink_file: Path, data_dir: Path) -> None:
    run("samples", "import", ink_file)
    wanted = run("evaluate", tiny_model, "--on", ink_file, "--json").json
    figures = run("evaluate", tiny_model, "--on", data_dir / "samples.db", "--json").json
    assert figures["confusion"] == wanted["confusion"]
    assert "parts" not in wanted
    assert (figures["doubted"], "doubted" in wanted) == (0, False)


def test_that_doubted_drawings_of_a_store_are_not_scored(
    run: Run, tiny_model: Path, ink_file: Path, data_dir: Path
) -> None:
    run("samples", "import", ink_file)
    asked = ("evaluate", tiny_model, "--on", data_dir / "samples.db")
    before = run(*asked, "--json").json
    with SampleStore.open(data_dir) as store:
        store.mark_suspects({int(i): Suspicion(0.9, "1", "looks like a 1") for i in store.ids()[:14]})
    figures = run(*asked, "--json").json
    assert (figures["n"], figures["doubted"]) == (before["n"] - 14, 14)
    assert "14 doubtful drawings are not counted." in run(*asked).out
    replayed = run("models", "replay", "mlp-50-50", "--json").json
    assert (replayed["n"], replayed["doubted"]) == (before["n"] - 14, 14)
    assert "14 doubtful drawings are not counted." in run("models", "replay", "mlp-50-50").out


def test_that_a_store_is_kept_apart_by_what_the_model_can_know_of_it(
    run: Run, tiny_model: Path, ink_file: Path, data_dir: Path
) -> None:
    run("samples", "import", ink_file)
    never = ("evaluate", "mlp-50-50", "--on", data_dir / "samples.db")
    figures = run(*never, "--json").json
    parts = figures["parts"]
    assert sum(part["n"] for part in parts.values()) == figures["n"]
    assert parts["hold_out"]["n"] > 0
    assert parts["learned"] == {"n": 0, "correct": 0, "accuracy": None, "interval": [0.0, 1.0]}
    text = run(*never).out
    assert "held out: never trained on" in text
    assert "not learned by this model" in text
    assert "possibly" not in text
    its_own = ("evaluate", tiny_model, "--on", data_dir / "samples.db")
    parts = run(*its_own, "--json").json["parts"]
    assert {name: part["n"] for name, part in parts.items() if part["n"]} == {"of_files": figures["n"]}
    assert "imported, possibly from a file that it has learned" in run(*its_own).out


def test_that_mnist_is_its_test_set(run: Run, tiny_model: Path, dataset: Dataset, tmp_path: Path) -> None:
    labels = np.array(dataset.labels, np.uint8)
    file = tmp_path / "mnist.npz"
    np.savez(file, x_train=dataset.images, y_train=labels, x_test=dataset.images[:50], y_test=labels[:50])
    figures = run("evaluate", tiny_model, "--on", "mnist", "--mnist", file, "--json").json
    assert (figures["on"], figures["n"]) == ("MNIST test", 50)


def test_that_without_mnist_and_network_one_line_says_what_to_do(
    run: Run, tiny_model: Path, data_dir: Path
) -> None:
    done = run("evaluate", tiny_model, "--on", "mnist")
    assert done.code == 2
    complaint = done.err.splitlines()[-1]
    assert complaint.startswith("qtdigits: MNIST could not be downloaded")
    assert f"put mnist.npz into {data_dir}" in complaint


def test_that_the_real_mnist_is_read(run: Run, tiny_model: Path, mnist_path: Path) -> None:
    assert run("evaluate", tiny_model, "--on", "mnist", "--mnist", mnist_path, "--json").json["n"] == 10_000


def bad_model(path: Path, original: Path, kind: str) -> Path:
    content = original.read_bytes()
    match kind:
        case "missing":
            pass
        case "truncated":
            path.write_bytes(content[: len(content) // 2])
        case "foreign":
            path.write_text("a letter, not a model")
        case "empty":
            path.write_bytes(b"")
        case "tampered":
            place = content.find(b"TFL3")
            assert place > 0
            path.write_bytes(content[: place + 400] + bytes(64) + content[place + 464 :])
    return path


@pytest.mark.parametrize("kind", ["missing", "truncated", "foreign", "empty", "tampered"])
@pytest.mark.parametrize("command", ["evaluate", "recognise"])
def test_that_an_unusable_model_is_one_clear_line(
    run: Run, tiny_model: Path, ink_file: Path, tmp_path: Path, kind: str, command: str
) -> None:
    model = bad_model(tmp_path / "bad.h5", tiny_model, kind)
    done = run(command, model, *(("--on",) if command == "evaluate" else ()), ink_file, "--json")
    assert done.code == 2
    assert done.out == ""
    assert "bad" in done.complaint


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--on", "nowhere.jsonl"], "nowhere.jsonl"),
        (["--on", "mnist", "--labels", "labels.csv"], "--labels"),
    ],
)
def test_that_data_that_cannot_be_is_named(
    run: Run, tiny_model: Path, arguments: list[str], text: str
) -> None:
    done = run("evaluate", tiny_model, *arguments)
    assert done.code == 2
    assert text in done.complaint


def test_that_data_without_writers_cannot_be_split_by_writer(
    run: Run, tiny_model: Path, as_files: dict[str, list[object]]
) -> None:
    done = run("evaluate", tiny_model, "--on", *as_files["npz"], "--by-writer")
    assert done.code == 2
    assert "part.npz" in done.complaint


@pytest.mark.parametrize("command", ["evaluate", "recognise"])
def test_that_tensorflow_and_qt_stay_out(
    tiny_model: Path, ink_file: Path, tmp_path: Path, command: str
) -> None:
    picture = tmp_path / "7.png"
    Image.fromarray(read_dataset(ink_file).images[0]).save(picture)
    arguments = (
        [str(tiny_model), "--on", str(ink_file)] if command == "evaluate" else [str(tiny_model), str(picture)]
    )
    done = python(
        "-c",
        f"import sys; from qtdigits.cli.main import main; code = main({[command, *arguments, '--json']!r}); "
        "print(sorted({'tensorflow', 'keras', 'PySide6', 'pandas'} & set(sys.modules)), file=sys.stderr); sys.exit(code)",
    )
    assert done.code == 0
    assert done.err.splitlines()[-1] == "[]"
    assert json.loads(done.out)["model"] == "tiny"


def test_that_a_gallery_of_the_misread_is_written(
    run: Run, tiny_model: Path, ink_file: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "misread.png"
    done = run("evaluate", tiny_model, "--on", ink_file, "--gallery", sheet, "--json")
    assert done.code == 0
    wrong = done.json["n"] - done.json["correct"]
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert f"{wrong:,} of {wrong:,} misread drawings" in done.err


def test_that_the_undecided_are_told_apart(
    run: Run, tiny_model: Path, ink_file: Path, tmp_path: Path
) -> None:
    plain = run("evaluate", tiny_model, "--on", ink_file, "--json").json
    assert plain["undecided"] == 0
    careful = tmp_path / "careful.h5"
    save_model(replace(load_model(tiny_model), undecided_below=0.6), careful)
    figures = run("evaluate", careful, "--on", ink_file, "--json").json
    assert (figures["n"], figures["correct"]) == (plain["n"], plain["correct"])
    decided = figures["n"] - figures["undecided"]
    assert 0 < decided < figures["n"]
    assert figures["decided_accuracy"] == figures["decided_correct"] / decided
    said = run("evaluate", careful, "--on", ink_file).out
    assert f"Not sure about {figures['undecided']}," in said
