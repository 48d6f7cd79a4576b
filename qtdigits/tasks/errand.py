"""What the engine is asked for beside trainings, as values that travel to it. Nothing here leads to `ml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from qtdigits.errors import InputError
from qtdigits.tasks.request import new_run_id


@dataclass(frozen=True)
class _Errand:
    """`errand` is an id that no other errand has."""

    errand: str
    data_dir: str

    @classmethod
    def fresh(cls, **values: Any) -> Self:
        return cls(errand=new_run_id(), **values)

    def to_json(self) -> dict[str, Any]:
        return {"kind": type(self).__name__, **asdict(self)}


@dataclass(frozen=True)
class CheckLabels(_Errand):
    """Look for labels that are probably wrong, and let those drawings wait. `writer` "": of everybody.

    Result: {"n": drawings looked through, "waiting": drawings that wait now}.
    """

    writer: str = ""


@dataclass(frozen=True)
class MeasureWriters(_Errand):
    """The writer matrix of the stored drawings, with models that began with the one at `model`.

    Result: {"matrix": `WriterMatrix.to_json()`}.
    """

    model: str = ""


Errand = CheckLabels | MeasureWriters

_KINDS: dict[str, type[CheckLabels] | type[MeasureWriters]] = {
    kind.__name__: kind for kind in (CheckLabels, MeasureWriters)
}


def errand_of(values: Mapping[str, Any]) -> Errand:
    """The inverse of `to_json`. Raises `InputError` for anything that is no errand."""
    try:
        kind = _KINDS[values["kind"]]
        errand = kind(**{f.name: values[f.name] for f in fields(kind) if f.name in values})
    except (KeyError, TypeError) as error:
        raise InputError(f"Not an errand: {error}.") from error
    if not errand.errand or not all(isinstance(value, str) for value in asdict(errand).values()):
        raise InputError("Not an errand: a text is missing.")
    return errand
