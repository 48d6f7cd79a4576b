"""Hostile files are refused in one line, with exit code 2, within two seconds and 500 MB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hostile_files import CASES, LIMIT_MB, LIMIT_S, is_refused

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each file is tried in a forked process")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    root = Path(__file__).parent.parent
    command = [sys.executable, root / "tests" / "hostile_files.py", tmp_path_factory.mktemp("hostile")]
    answers = subprocess.run(
        command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=True, stdout=subprocess.PIPE
    )
    return {answer["name"]: answer for answer in map(json.loads, answers.stdout.splitlines())}


@pytest.mark.parametrize("name", CASES)
def test_that_a_hostile_file_is_refused_in_one_line(found: dict[str, dict[str, Any]], name: str) -> None:
    assert is_refused(found[name]), (
        f"not with code 2 in one line, {LIMIT_S} s and {LIMIT_MB} MB: {found[name]}"
    )
