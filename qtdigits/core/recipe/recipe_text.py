"""A recipe as a TOML file that explains itself: every field with what it means, and a mark where it is not the default."""

from __future__ import annotations

import json
from itertools import groupby

from qtdigits.core.recipe.recipe_fields import FIELDS, Field, Value
from qtdigits.core.recipe.recipes import Recipe

HEADER = """\
# A recipe of QtDigits: what determines a training. A line that is left out has its default.
# Train by it with: qtdigits train --recipe THIS_FILE, or open it in the window.
"""


def recipe_toml(recipe: Recipe) -> str:
    """The inverse of `load_recipe`. All fields are written, so that it means the same when defaults have changed."""
    values = recipe.to_json()
    lines = [HEADER, f"name = {_toml(recipe.name)}"]
    for group, fields in groupby(FIELDS, key=lambda field: field.group):
        lines.append(f"\n# {group}")
        for field in fields:
            lines += [f"# {_told(field, values[field.name])}", f"{field.name} = {_toml(values[field.name])}"]
    return "\n".join(lines) + "\n"


def value_text(field: Field, value: Value) -> str:
    """A value for a person, such as "128 images", "the optimizer's own" or "none"."""
    if field.zero and value == 0:
        return field.zero
    if value == "":
        return "none"
    text = f"{value:,}" if field.kind == "int" and field.name != "seed" else str(value)
    text = f"{value:g}" if isinstance(value, float) else text
    return f"{text} {field.unit}".strip()


def help_of(field: Field) -> str:
    """What a field means, what it takes, and what it is when nobody says anything; without a full stop."""
    takes = "" if field.kind == "layers" else f"; {field.takes}"
    return f"{field.help}{takes}. Default: {value_text(field, field.default)}"


def _told(field: Field, value: Value) -> str:
    takes = "" if field.kind == "layers" else f" ({field.takes})"
    told = f"{field.title}: {field.help}{takes}"
    return told if value == field.default else f"{told}; default: {value_text(field, field.default)}"


def _toml(value: Value) -> str:
    """A string of TOML is one of JSON as far as recipes have any use for it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
