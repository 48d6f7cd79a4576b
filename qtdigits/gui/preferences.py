"""The preferences of the person, kept in `settings.ini` in the data folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

THEMES = ("system", "light", "dark")
PROMOTIONS = ("ask", "automatic", "never")
"""What happens with a new model that is safe to use. Ask: the window recommends it; automatic: it is used at once."""
HALF_WIDTHS = (0.05, 0.03, 0.02)
"""Half widths of the 95 % interval that a guided session aims at: quick, usual, thorough."""
HALF_WIDTH = HALF_WIDTHS[1]


class Preferences:
    """Typed access to the settings; every change is kept at once."""

    def __init__(self, folder: Path) -> None:
        self._settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)

    @property
    def theme(self) -> str:
        chosen = str(self._settings.value("theme", "system"))
        return chosen if chosen in THEMES else "system"

    @theme.setter
    def theme(self, choice: str) -> None:
        self._settings.setValue("theme", choice)

    @property
    def key_alone_corrects(self) -> bool:
        """Whether a key that is the label of a class judges at once, without Enter."""
        return bool(self._settings.value("key_alone_corrects", False, type=bool))

    @key_alone_corrects.setter
    def key_alone_corrects(self, choice: bool) -> None:
        self._settings.setValue("key_alone_corrects", choice)

    @property
    def promotion(self) -> str:
        chosen = str(self._settings.value("promotion", PROMOTIONS[0]))
        return chosen if chosen in PROMOTIONS else PROMOTIONS[0]

    @promotion.setter
    def promotion(self, choice: str) -> None:
        self._settings.setValue("promotion", choice)

    @property
    def retrain_after(self) -> int:
        """How many new corrections start a training of the hand; 0: none do."""
        try:
            return max(0, int(str(self._settings.value("retrain_after", 0))))
        except ValueError:
            return 0

    @retrain_after.setter
    def retrain_after(self, corrections: int) -> None:
        self._settings.setValue("retrain_after", corrections)

    @property
    def guided_half_width(self) -> float:
        """A guided session ends when the interval reaches so far to either side; one of `HALF_WIDTHS`."""
        try:
            chosen = float(str(self._settings.value("guided_half_width", HALF_WIDTH)))
        except ValueError:
            return HALF_WIDTH
        return chosen if chosen in HALF_WIDTHS else HALF_WIDTH

    @guided_half_width.setter
    def guided_half_width(self, choice: float) -> None:
        self._settings.setValue("guided_half_width", choice)

    @property
    def writer(self) -> str:
        return str(self._settings.value("writer", ""))

    @writer.setter
    def writer(self, name: str) -> None:
        self._settings.setValue("writer", name)

    @property
    def curves(self) -> Mapping[str, Any]:
        """How curves are shown, as `CurveSettings.to_json` gives it."""
        try:
            kept = json.loads(str(self._settings.value("curves", "{}")))
        except ValueError:
            return {}
        return kept if isinstance(kept, dict) else {}

    @curves.setter
    def curves(self, choice: Mapping[str, Any]) -> None:
        self._settings.setValue("curves", json.dumps(dict(choice)))

    @property
    def geometry(self) -> QByteArray:
        value = self._settings.value("geometry")
        return value if isinstance(value, QByteArray) else QByteArray()

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._settings.setValue("geometry", value)
