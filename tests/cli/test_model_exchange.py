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
