"""The project's own papers: what goes into the wheel, which versions, and what the floors may import."""

from __future__ import annotations

import ast
import hashlib
import platform
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import qtdigits
from qtdigits.limits import TABLE

ROOT = Path(__file__).resolve().parent.parent
LARGEST_FILE_MB = 12


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_that_the_versions_agree(pyproject: dict[str, Any]) -> None:
    assert pyproject["project"]["version"] == qtdigits.__version__


def test_that_models_and_resources_travel_in_the_wheel(pyproject: dict[str, Any]) -> None:
    wheel = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["only-include"]) == {"qtdigits", "resources", "models"}
    assert wheel["sources"] == {"resources": "qtdigits/resources", "models": "qtdigits/models"}


@pytest.mark.parametrize("folder", ["models", "resources", "qtdigits/recipes"])
def test_that_there_is_something_to_travel(folder: str) -> None:
    assert any(path.is_file() for path in (ROOT / folder).rglob("*"))


@pytest.mark.parametrize("version", ["6.12.0", "6.11.0", "6.11.1", "6.10.1"])
def test_that_broken_qt_bindings_are_excluded(pyproject: dict[str, Any], version: str) -> None:
    qt = next(_requirements(pyproject, "pyside6-essentials"))
    assert not qt.specifier.contains(version)


@pytest.mark.parametrize(
    ("platform", "machine", "expected"),
    [
        ("linux", "x86_64", "tensorflow-cpu"),
        ("win32", "AMD64", "tensorflow-cpu"),
        ("linux", "aarch64", "tensorflow"),
        ("darwin", "arm64", "tensorflow"),
    ],
)
def test_that_each_platform_gets_one_tensorflow(
    pyproject: dict[str, Any], platform: str, machine: str, expected: str
) -> None:
    environment = {"sys_platform": platform, "platform_machine": machine}
    chosen = [
        canonicalize_name(requirement.name)
        for requirement in _requirements(pyproject, "tensorflow", "tensorflow-cpu")
        if requirement.marker and requirement.marker.evaluate(environment)
    ]
    assert chosen == [expected]


def test_that_the_pinned_versions_satisfy_the_requirements(pyproject: dict[str, Any]) -> None:
    pinned = dict(line.split("==") for line in _lines("constraints.txt"))
    for requirement in _requirements(pyproject):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


def test_that_every_locked_file_has_a_digest_and_its_pinned_version() -> None:
    pinned = set(_lines("constraints.txt"))
    locked = [line.split(" ")[0] for line in _lines("requirements.lock") if not line.startswith(" ")]
    assert set(locked) == pinned
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=\S)", text.partition("\nabsl")[2]):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="the list is of this system"
)
def test_that_the_licences_of_all_that_is_needed_are_listed() -> None:
    checked = subprocess.run([sys.executable, "tools/licences.py", "--check"], cwd=ROOT, check=False)
    assert checked.returncode == 0


def test_that_a_wheel_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling builds the wheel, and is not installed")
    digests = set()
    for name in ("one", "two"):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / name)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        (wheel,) = (tmp_path / name).iterdir()
        digests.add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_that_the_limits_in_the_security_document_are_those_of_the_program() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d.*) \|$", text, re.MULTILINE)
    assert rows == [f"{limit.most:,} {limit.what} | {limit.why}" for limit in TABLE.values()]


def test_that_no_tracked_file_is_large() -> None:
    try:
        listing = subprocess.run(
            ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    assert [path for path in files if path.is_file() and path.stat().st_size > LARGEST_FILE_MB * 10**6] == []


@pytest.mark.parametrize(
    ("floor", "allowed"),
    [
        ("core", {"msgspec", "numpy", "typing_extensions"}),
        ("paths.py", {"platformdirs"}),
        ("untrusted.py", {"msgspec"}),
        ("limits.py", set()),
        ("errors.py", set()),
    ],
)
def test_that_the_lowest_floors_stand_on_little(floor: str, allowed: set[str]) -> None:
    place = ROOT / "qtdigits" / floor
    for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
        foreign = set(_imported_packages(path)) - sys.stdlib_module_names - allowed - {"qtdigits"}
        assert not foreign, f"{path.relative_to(ROOT)} imports {', '.join(sorted(foreign))}"


def _lines(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def _requirements(pyproject: dict[str, Any], *names: str) -> Iterator[Requirement]:
    project = pyproject["project"]
    for line in [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]:
        requirement = Requirement(line)
        if requirement.name == project["name"]:
            continue  # "dev" brings along another extra
        if not names or canonicalize_name(requirement.name) in names:
            yield requirement


def _imported_packages(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]
