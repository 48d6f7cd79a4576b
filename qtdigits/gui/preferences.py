"""The preferences of the person, kept in `settings.ini` in the data folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QByteArray, QSettings

from qtdigits.core.run.figures import BEST, epoch_choice
from qtdigits.errors import InputError

T = TypeVar("T")

THEMES = ("system", "light", "dark")
PROMOTIONS = ("ask", "automatic", "never")
"""What happens with a new model that is safe to use. Ask: the window recommends it; automatic: it is used at once."""
HALF_WIDTHS = (0.05, 0.03, 0.02)
"""Half widths of the 95 % interval that a guided session aims at: quick, usual, thorough."""
HALF_WIDTH = HALF_WIDTHS[1]
MOST_CORRECTIONS = 1_000_000
"""More corrections than that start no training."""


class OneOf(Generic[T]):
    """A setting with a few possible values, the first of which it has unless another is stored."""

    def __init__(self, name: str, *values: T) -> None:
        self._name, self._values = name, values

    def __get__(self, preferences: Preferences, _owner: object = None) -> T:
        stored = str(preferences.settings.value(self._name))
        return next((value for value in self._values if str(value) == stored), self._values[0])

    def __set__(self, preferences: Preferences, value: T) -> None:
        preferences.settings.setValue(self._name, value)


class Preferences:
    """Typed access to the settings; every change is stored at once."""

    theme = OneOf("theme", *THEMES)
    promotion = OneOf("promotion", *PROMOTIONS)
    guided_half_width = OneOf("guided_half_width", HALF_WIDTH, *HALF_WIDTHS)

    def __init__(self, folder: Path) -> None:
        self.settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)

    @property
    def key_alone_corrects(self) -> bool:
        """Whether a key that is the label of a class judges at once, without Enter."""
        return bool(self.settings.value("key_alone_corrects", False, type=bool))

    @key_alone_corrects.setter
    def key_alone_corrects(self, choice: bool) -> None:
        self.settings.setValue("key_alone_corrects", choice)

    @property
    def retrain_after(self) -> int:
        """How many new corrections start a training of the hand; 0: none do."""
        try:
            return min(max(0, int(str(self.settings.value("retrain_after", 0)))), MOST_CORRECTIONS)
        except ValueError:
            return 0

    @retrain_after.setter
    def retrain_after(self, corrections: int) -> None:
        self.settings.setValue("retrain_after", corrections)

    @property
    def runs_epoch(self) -> str:
        """Which epoch the figures of runs are of: "best", "last" or a number."""
        try:
            return epoch_choice(str(self.settings.value("runs_epoch", BEST)))
        except InputError:
            return BEST

    @runs_epoch.setter
    def runs_epoch(self, choice: str) -> None:
        self.settings.setValue("runs_epoch", choice)

    @property
    def writer(self) -> str:
        return str(self.settings.value("writer", ""))

    @writer.setter
    def writer(self, name: str) -> None:
        self.settings.setValue("writer", name)

    @property
    def curves(self) -> Mapping[str, Any]:
        """How curves are shown, as `CurveSettings.to_json` gives it."""
        try:
            kept = json.loads(str(self.settings.value("curves", "{}")))
        except ValueError:
            return {}
        return kept if isinstance(kept, dict) else {}

    @curves.setter
    def curves(self, choice: Mapping[str, Any]) -> None:
        self.settings.setValue("curves", json.dumps(dict(choice)))

    @property
    def geometry(self) -> QByteArray:
        value = self.settings.value("geometry")
        return value if isinstance(value, QByteArray) else QByteArray()

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self.settings.setValue("geometry", value)
