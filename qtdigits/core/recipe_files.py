"""Recipes as TOML files that people share, and those that travel with the program, by name."""

from __future__ import annotations

import json
import tomllib
from itertools import groupby
from pathlib import Path

from qtdigits import paths
from qtdigits.core.recipe import FIELDS, Field, Recipe, Value, recipe_of
from qtdigits.errors import InputError
from qtdigits.limits import RECIPE_BYTES, RECIPE_LINE
from qtdigits.untrusted import read_file

HEADER = """\
# A recipe of QtDigits: what determines a training. A line that is left out has its default.
# Train by it with: qtdigits train --recipe THIS_FILE, or open it in the window.
"""


def load_recipe(name_or_path: str) -> Recipe:
    """Load a recipe of the program by name, or one from a TOML file.

    Raises `InputError` that names the file, and the field or line, when it cannot be used.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.exists():
        path = paths.recipes_dir() / f"{name_or_path}.toml"
        if not path.exists():
            raise InputError(
                f"There is no recipe {name_or_path!r}.",
                f"Recipes: {', '.join(recipe_names())}; or a TOML file.",
            )
    try:
        content = read_file(path, RECIPE_BYTES)
        RECIPE_LINE.check(max(map(len, content.splitlines()), default=0), str(path))
        values = tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file.", "A recipe is a TOML file.") from error
    except (ValueError, RecursionError) as error:
        message = f"{path}: {error}."
        raise InputError(message, "A recipe is a TOML file with lines such as: epochs = 10") from error
    if not values:
        raise InputError(f"{path} holds no field.", "A recipe has lines such as: epochs = 10")
    try:
        return recipe_of({"name": path.stem, **values})
    except InputError as error:
        raise InputError(f"{path}: {error.message}", error.remedy) from error


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that travel with the program, in alphabetical order."""
    return tuple(sorted(path.stem for path in paths.recipes_dir().glob("*.toml")))


def recipe_toml(recipe: Recipe) -> str:
    """Return a recipe as TOML. All fields are written, so that it means the same when defaults have changed."""
    values = recipe.to_json()
    lines = [HEADER, f"name = {_toml(recipe.name)}"]
    for group, fields in groupby(FIELDS, key=lambda field: field.group):
        lines.append(f"\n# {group}")
        for field in fields:
            lines += [
                f"# {_comment(field, values[field.name])}",
                f"{field.name} = {_toml(values[field.name])}",
            ]
    return "\n".join(lines) + "\n"


def _comment(field: Field, value: Value) -> str:
    takes = "" if field.kind == "layers" else f" ({field.takes})"
    text = f"{field.title}: {field.help}{takes}"
    return text if value == field.default else f"{text}; default: {field.value_text(field.default)}"


def _toml(value: Value) -> str:
    """A string of TOML is one of JSON as far as recipes have any use for it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
