from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cli.running import Run, python
from qtdigits.core.drawing.raster import render
from qtdigits.core.drawing.samples import Sample, Trial, Verdict
from qtdigits.core.drawing.synthetic import synthetic_digits
from qtdigits.store.tables.samples import SampleStore

HOSTILE = "<script>alert(1)</script>"
VOID = {"meta", "img", "path", "circle", "rect", "br"}


class Page(HTMLParser):
    """A page that was read: its texts, its tags, and whether they are closed in their order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.source = path.read_text("utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == []

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).replace("\xa0", " ").split())

    def headings(self, kind: str = "h2") -> list[str]:
        return re.findall(rf"<{kind}>(.*?)</{kind}>", self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data)


def judge(
    folder: Path, writer: str, outcomes: Sequence[bool], *, model: str = "default", truth: str = ""
) -> None:
    """Store judged drawings; those read wrong were read as another digit."""
    inks, labels = synthetic_digits(len(outcomes), seed=5)
    with SampleStore.open(folder) as store:
        for ink, label, is_right in zip(inks, labels, outcomes, strict=True):
            label = truth or label
            answer = label if is_right else str((int(label) + 1) % 10) if label.isdigit() else "0"
            verdict = Verdict.CONFIRMED if is_right else Verdict.CORRECTED
            sample = Sample(label, render(ink), writer, ink=ink)
            store.judge(sample, Trial(writer, model, answer, verdict, label, ("0", answer), (0.1, 0.9)))


def test_that_the_report_is_about_whoever_drew_last(run: Run, data_dir: Path, tmp_path: Path) -> None:
    judge(data_dir, "ada", [True] * 5)
    judge(data_dir, "bob", [True] * 45 + [False] * 5)
    out = tmp_path / "page.html"
    told = run("report", "--out", out, "--json").json
    assert (told["file"], told["writer"]) == (str(out), "bob")
    assert (told["judged"]["n"], told["judged"]["correct"], told["drawings"]) == (50, 45, 50)
    page = Page(out)
    assert page.headings("h1") == ["QtDigits read 45 of 50 drawings by bob right: 90.0&nbsp;%."]
    assert told["headline"] in page.text
    assert {
        "Accuracy while drawing", "Memory and training", "Confusion matrices", "Calibration", "Misread and corrected",
        "This hand", "Models that read this hand", "Data marks", "Recipe and versions",
    } == set(page.headings())  # fmt: skip
    assert "MNIST" in page.text
    assert run("report", "--writer", "ada", "--out", out, "--json").json["writer"] == "ada"


def test_that_the_page_needs_nothing_else(run: Run, data_dir: Path, tmp_path: Path) -> None:
    """Neither scripts nor files nor a network."""
    judge(data_dir, "ada", [True] * 30 + [False] * 10)
    run("report", "--out", tmp_path / "page.html")
    page = Page(tmp_path / "page.html")
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "a", "form"}
    sources = [attributes["src"] or "" for tag, attributes in page.tags if tag == "img"]
    assert len(sources) >= 10
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http" not in page.source.replace("http-equiv", "")
    assert {"@page", "@media print", "prefers-color-scheme:dark"} <= set(
        re.findall(r"@page|@media print|prefers-color-scheme:dark", page.source)
    )


@pytest.mark.parametrize("name", [HOSTILE, "\"><img src=x onerror='alert(1)'>", "נועה & 🖋"])
def test_that_names_and_labels_are_text_and_nothing_else(
    run: Run, data_dir: Path, tmp_path: Path, name: str
) -> None:
    judge(data_dir, name, [True] * 20 + [False] * 2)
    label = name[:16] if name == HOSTILE else name
    assert run("classes", "add", label).code == 0
    judge(data_dir, name, [True, False] * 5, truth=label)
    assert run("report", "--out", tmp_path / "page.html").code == 0
    page = Page(tmp_path / "page.html")
    assert not any(tag == "script" or "onerror" in attributes for tag, attributes in page.tags)
    assert name in page.text


def test_that_imported_drawings_that_nobody_judged_are_read_for_the_report(
    run: Run, ink_file: Path, data_dir: Path, tmp_path: Path
) -> None:
    run("samples", "import", ink_file)
    told = run("report", "--writer", "ada", "--out", tmp_path / "page.html", "--json").json
    (figures,) = told["held_out"].values()
    assert figures["network alone"]["n"] == figures["with memory"]["n"] > 10
    assert told["judged"]["n"] == 0
    assert "held-out drawings by ada right" in Page(tmp_path / "page.html").text


def test_that_what_cannot_be_reported_is_said_in_one_line(run: Run, data_dir: Path, tmp_path: Path) -> None:
    done = run("report", "--out", tmp_path / "page.html")
    assert (done.code, "There are no drawings yet." in done.complaint) == (2, True)
    run("writers", "add", "eve")
    assert "eve has not drawn anything" in run("report", "--writer", "eve").complaint
    assert "Writers: eve" in run("report", "--writer", "nobody").complaint
    assert list(tmp_path.glob("*.html")) == []


def test_that_a_page_that_cannot_be_written_is_said_in_one_line(
    run: Run, data_dir: Path, tmp_path: Path
) -> None:
    judge(data_dir, "ada", [True] * 5)
    done = run("report", "--out", tmp_path / "no" / "page.html")
    assert (done.code, str(tmp_path) in done.complaint) == (2, True)
    assert not (tmp_path / "no").exists()


def test_that_a_report_needs_neither_qt_nor_keras(data_dir: Path, tmp_path: Path) -> None:
    judge(data_dir, "../Ada", [True] * 5)
    code = (
        "import os, sys; from qtdigits.cli.main import main; os.chdir(sys.argv[1]); code = main(['report']);"
        "sys.exit(code or bool({'PySide6', 'tensorflow', 'optuna', 'pyqtgraph'} & set(sys.modules)))"
    )
    done = python("-c", code, tmp_path, env={"QTDIGITS_DATA_DIR": str(data_dir), "DISPLAY": ""})
    assert (done.code, "../Ada right" in done.err) == (0, True)
    assert [path.name for path in tmp_path.glob("*.html")] == ["report-..-Ada.html"]


def test_that_figures_of_a_writer_are_those_of_all_models(run: Run, data_dir: Path, tmp_path: Path) -> None:
    judge(data_dir, "ada", [False] * 30, model="cnn-32-64")
    judge(data_dir, "ada", [True] * 60)
    run("report", "--out", tmp_path / "page.html")
    text = Page(tmp_path / "page.html").text
    assert "60 of 60 drawings by ada" in text
    assert "30 corrections" in text
    assert "90 judged" in text
    assert "0 of 30" in text


def test_that_a_study_that_is_not_there_is_said_in_one_line(run: Run, data_dir: Path) -> None:
    done = run("report", "--study", "widths")
    assert (done.code, "There is no study 'widths'." in done.complaint) == (2, True)
    assert run("report", "--writer", "ada", "--study", "widths").code == 2
