from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.running import Run
from qtdigits.core.formatting import percent
from qtdigits.store.data.datasets import read_dataset
from qtdigits.store.model_files import load_model, save_model


@pytest.fixture
def pictures(ink_file: Path, tmp_path: Path) -> list[Path]:
    """One drawing four times: light on dark, dark on light, enlarged, and as JPEG."""
    image = Image.fromarray(read_dataset(ink_file).images[3])
    inverted = Image.fromarray(255 - np.asarray(image))
    paths = [tmp_path / name for name in ("light.png", "dark.png", "large.png", "photo.jpg")]
    image.save(paths[0])
    inverted.save(paths[1])
    inverted.resize((300, 300), Image.Resampling.BICUBIC).save(paths[2])
    inverted.resize((300, 300), Image.Resampling.BICUBIC).save(paths[3], quality=90)
    return paths


def test_that_size_polarity_and_format_do_not_matter(
    run: Run, tiny_model: Path, pictures: list[Path]
) -> None:
    done = run("recognise", tiny_model, *pictures, "--json")
    assert done.code == 0
    assert done.json["model"] == "tiny"
    assert done.json["errors"] == []
    results = done.json["results"]
    assert [result["file"] for result in results] == list(map(str, pictures))
    assert len({result["label"] for result in results}) == 1
    assert results[0]["probabilities"] == pytest.approx(results[1]["probabilities"], abs=0.02)


def test_that_the_answer_is_the_most_probable_of_all_classes(
    run: Run, tiny_model: Path, pictures: list[Path]
) -> None:
    result = run("recognise", tiny_model, pictures[0], "--json").json["results"][0]
    probabilities = result["probabilities"]
    assert sorted(probabilities) == list("0123456789")
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-3)
    assert result["probability"] == max(probabilities.values()) == probabilities[result["label"]]


def test_that_people_see_three_answers(run: Run, tiny_model: Path, pictures: list[Path]) -> None:
    probabilities = run("recognise", tiny_model, pictures[0], "--json").json["results"][0]["probabilities"]
    line = next(
        line for line in run("recognise", tiny_model, pictures[0]).out.splitlines() if "light.png" in line
    )
    assert re.findall(r"(\S+) \(", line) == list(probabilities)[:3]


def test_that_bad_files_are_reported_and_the_others_answered(
    run: Run, tiny_model: Path, pictures: list[Path], tmp_path: Path
) -> None:
    text, cut, blank = tmp_path / "text.png", tmp_path / "cut.png", tmp_path / "blank.png"
    text.write_text("this is no picture")
    cut.write_bytes(pictures[2].read_bytes()[:600])
    Image.new("L", (40, 40), 255).save(blank)
    missing = tmp_path / "missing.png"
    done = run("recognise", tiny_model, text, cut, pictures[0], blank, missing, "--json")
    assert done.code == 2
    assert [result["file"] for result in done.json["results"]] == [str(pictures[0])]
    assert [error["file"] for error in done.json["errors"]] == list(map(str, (text, cut, blank, missing)))
    lines = done.err.splitlines()
    assert len(lines) == 4
    for line, file in zip(lines, (text, cut, blank, missing), strict=True):
        assert line.startswith("qtdigits: ")
        assert str(file) in line


def test_that_what_is_below_the_models_threshold_is_not_sure(
    run: Run, tiny_model: Path, pictures: list[Path], tmp_path: Path
) -> None:
    sure = run("recognise", tiny_model, pictures[0], "--json").json["results"][0]
    assert sure["is_sure"] is True
    careful = tmp_path / "careful.h5"
    save_model(replace(load_model(tiny_model), undecided_below=1.0), careful)
    unsure = run("recognise", careful, pictures[0], "--json").json["results"][0]
    assert unsure == sure | {"is_sure": False}
    assert (
        f"not sure (perhaps {sure['label']}, {percent(sure['probability'], 2)})"
        in run("recognise", careful, pictures[0]).out
    )
