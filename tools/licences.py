"""Write LICENCES.md, the licences of everything that QtDigits needs to run: `python tools/licences.py [--check]`.

What is needed is found from pyproject.toml, on this system; the licences are those that the installed packages state.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from importlib.metadata import files as files_of
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
HEAD = """\
# Licences of what QtDigits needs to run

Written by `python tools/licences.py` from what the installed packages say of themselves (Linux on x86-64; the versions are
in [constraints.txt](constraints.txt)). QtDigits itself is under the [MIT licence](LICENSE). Qt is used as shared libraries,
unchanged, under the LGPL.

| package | licence |
|---|---|
"""
LONGEST = 60
PHRASES = {"Apache License, Version 2.0": "Apache-2.0", "MIT License": "MIT"}


def main(arguments: list[str]) -> int:
    text = HEAD + "".join(f"| {name} | {licence(name)} |\n" for name in needed())
    path = ROOT / "LICENCES.md"
    if arguments == ["--check"]:
        is_current = path.is_file() and path.read_text("utf-8") == text
        if not is_current:
            print(f"{path.name} is not up to date. Write it anew: python tools/licences.py", file=sys.stderr)
        return 0 if is_current else 1
    path.write_text(text, "utf-8")
    return 0


def needed() -> list[str]:
    """Names of the packages that the program needs, and of those that they need, in alphabetical order."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    waiting, found = list(project["dependencies"]), set[str]()
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        if name in found or not (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            continue
        try:
            waiting += metadata(name).get_all("Requires-Dist") or []
        except PackageNotFoundError:  # of another system
            continue
        found.add(name)
    return sorted(found)


def licence(name: str) -> str:
    """Return the licence expression of a package, else its field, its classifiers, or what its licence file is."""
    said = metadata(name)
    expression, field = (
        str((said.get_all(key) or [""])[0]).strip().partition("\n")[0]
        for key in ("License-Expression", "License")
    )
    classifiers = [c.rpartition(" :: ")[2] for c in said.get_all("Classifier") or [] if "License ::" in c]
    stated = (
        expression or (field if 0 < len(field) <= LONGEST else "") or ", ".join(classifiers) or _by_text(name)
    )
    if not stated:
        raise SystemExit(f"{name} states no licence.")
    return re.sub(r"\s+", " ", stated)


def _by_text(name: str) -> str:
    files = [file for file in files_of(name) or [] if "LICENSE" in file.name]
    text = "".join(file.read_text("utf-8") for file in files)
    return next((licence for phrase, licence in PHRASES.items() if phrase in text), "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
