from __future__ import annotations

from pathlib import Path

from cli.running import Run


def test_that_an_export_says_how_far_it_differs(run: Run, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "taken.tflite"
    told = run("models", "export", tiny_model, "--format", "litert", "--out", out, "--json").json
    assert told == {
        "path": str(out),
        "format": "litert",
        "bytes": out.stat().st_size,
        "difference": 0.0,
        "drawings": 20,
    }
    done = run("models", "export", tiny_model, "--out", out)
    assert done.code == 0
    assert (
        done.out == f"{out}: LiteRT. Read back on 20 drawings, its probabilities differ by at most 0.0e+00.\n"
    )


def test_that_an_unknown_ending_is_refused_in_one_line(run: Run, tiny_model: Path, tmp_path: Path) -> None:
    done = run("models", "export", tiny_model, "--out", tmp_path / "taken.bin")
    assert done.code == 2
    assert "taken.bin stands for no format" in done.complaint
    assert not (tmp_path / "taken.bin").exists()


def test_that_an_exported_model_comes_back_among_the_models(
    run: Run, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "taken.keras"
    assert run("models", "export", tiny_model, "--out", out).code == 0
    told = run("models", "import", out, "--name", "back again", "--json").json
    assert told["title"] == "MLP 12"
    assert told["difference"] < 0.01
    rows = {row["name"]: row for row in run("models", "list", "--json").json["models"]}
    assert rows["back-again"]["path"] == told["path"]
    assert run("models", "check", told["path"]).code == 0


def test_that_a_file_that_cannot_be_imported_leaves_one_line_and_no_model(
    run: Run, tmp_path: Path, data_dir: Path
) -> None:
    (tmp_path / "theirs.keras").write_text("nothing")
    done = run("models", "import", tmp_path / "theirs.keras")
    assert done.code == 2
    assert "theirs.keras: It is neither a .keras file nor an HDF5 file." in done.complaint
    assert list((data_dir / "models").glob("*")) == []
