"""What the network sees: its filters and what they make of the drawing on the canvas, and what decided the answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.formatting import percent
from qtdigits.core.model import Model
from qtdigits.core.network_inspection import SIDE_PX, WITH, WITHOUT
from qtdigits.core.network_spec import LayerSummary
from qtdigits.errors import QtDigitsError
from qtdigits.gui.panels.network.inspector import Inspector, LayerView, ManyReader, OcclusionView, Question
from qtdigits.gui.panels.network.network_views import MOST_TILES, HeatView, TileGrid, Tiles
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.colours import Theme
from qtdigits.gui.widgets.pages import RefreshingPanel
from qtdigits.gui.widgets.parts import ChoiceBox, label, scrolling
from qtdigits.gui.widgets.wrapping_row import WrappingRow

EMPTY = "Draw something, and see what the network makes of it."
METHOD = (
    f"A patch of {SIDE_PX}×{SIDE_PX} pixels is moved over the drawing, and each time the network reads it again; the colour says "
    "how far the probability of its answer falls (blue) or rises (orange), on average over the patches on a pixel. Nothing "
    "finer than the patch can be told, and what only matters together with something else does not show."
)
BLANK = np.zeros((28, 28), np.uint8)
PATCHES = (("take ink away", WITHOUT), ("put ink in", WITH))
LEAST_CHANGE = 0.005
SIGNED = "Blue is above 0, orange below, the stronger the further; all of a layer are on one scale."


class NetworkPanel(RefreshingPanel):
    """Follows the session's reading while it is visible. `load` gives a model with its weights."""

    def __init__(
        self,
        *,
        session: Session,
        load: Callable[[Path], Model],
        make_reader: Callable[[Model], ManyReader],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._question: Question | None = None
        self._decided: OcclusionView | None = None
        self.insight = Inspector(load=load, make_reader=make_reader, parent=self)
        self._heat = HeatView(theme=theme)
        self._answer = label(EMPTY, role="heading", name="decidedLabel", wraps=True)
        self._pixel = label(role="muted", name="pixelLabel", wraps=True)
        self._patch = ChoiceBox(name="patchBox")
        self._patch.setAccessibleName("What the patch does")
        for text, ink in PATCHES:
            self._patch.addItem(text, ink)
        self._layer = ChoiceBox(name="layerBox")
        self._layer.setAccessibleName("Layer to look at")
        self._layer.setMinimumWidth(260)
        self._about = label(role="muted", name="layerLabel", wraps=True)
        self._tiles = TileGrid(theme=theme)
        self._lay_out()
        self._connect()

    def set_theme(self, theme: Theme) -> None:
        self._heat.set_theme(theme)
        self._tiles.set_theme(theme)

    def shutdown(self) -> None:
        """Give up the look that goes on, and end the thread."""
        self.insight.shutdown()

    @override
    def reload(self) -> None:
        reading, path = self._session.reading, self._session.model_path
        self._decided = None
        self._heat.show_drawing(None if reading is None else reading.raster)
        self._describe_pixel(None)
        if path is None:
            self._answer.setText("There is no model to look into.")
            return
        self._answer.setText(EMPTY if reading is None else f"Read as {reading.label} …")
        self._question = Question(
            path,
            BLANK if reading is None else reading.raster,
            layer=str(self._layer.currentData() or ""),
            ink=None if reading is None else int(self._patch.currentData()),
        )
        self.insight.ask(self._question)

    def _lay_out(self) -> None:
        choice = WrappingRow()
        choice.add_stretching(label("What decided the answer", role="heading"))
        choice.add(self._patch)
        beside = QVBoxLayout()
        beside.addLayout(choice)
        beside.addWidget(self._answer)
        beside.addWidget(self._pixel)
        beside.addStretch(1)
        beside.addWidget(label(METHOD, role="muted", wraps=True))
        top = QHBoxLayout()
        top.setSpacing(18)
        top.addWidget(self._heat)
        top.addLayout(beside, 1)
        layer = WrappingRow()
        layer.add_stretching(label("What the layers make of it", role="heading"))
        layer.add(self._layer)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(10)
        layout.addLayout(top)
        layout.addLayout(layer)
        layout.addWidget(self._about)
        layout.addWidget(self._tiles)
        layout.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(page))

    def _connect(self) -> None:
        self._session.reading_changed.connect(self._on_reading_changed)
        self._session.champion_changed.connect(self._on_champion_changed)
        self._patch.activated.connect(self._on_chosen)
        self._layer.activated.connect(self._on_chosen)
        self._heat.pixel_pointed_at.connect(self._describe_pixel)
        self.insight.seen.connect(self._on_seen)
        self.insight.decided.connect(self._on_decided)
        self.insight.failed.connect(self._on_failed)

    @Slot(object)
    def _on_reading_changed(self, _reading: object) -> None:
        self.mark_stale()

    @Slot(str)
    def _on_champion_changed(self, _champion: object) -> None:
        self._layer.clear()
        self.mark_stale()

    @Slot(int)
    def _on_chosen(self, _index: int) -> None:
        self.mark_stale()

    @Slot(object)
    def _on_seen(self, seen: LayerView) -> None:
        if seen.question is not self._question:
            return
        if self._layer.count() == 0:
            for layer in seen.layers:
                self._layer.addItem(f"{layer.title} · {layer.shape_text}", layer.name)
        layer, is_answer = seen.layers[seen.place], seen.place == len(seen.layers) - 1
        self._tiles.show_tiles(Tiles(seen.outputs, seen.filters, seen.classes if is_answer else ()))
        self._about.setText(layer_text(layer, has_filters=seen.filters is not None))

    @Slot(object)
    def _on_decided(self, decided: OcclusionView) -> None:
        if decided.question is self._question:
            self._decided = decided
            self._heat.show_drawing(decided.question.raster, decided.heat)
            self._answer.setText(decided_text(decided))

    @Slot(object)
    def _on_failed(self, error: QtDigitsError) -> None:
        self._answer.setText(str(error))

    @Slot(object)
    def _describe_pixel(self, pixel: tuple[int, int] | None) -> None:
        if pixel is None or self._decided is None:
            self._pixel.setText("Point to a place, or walk with the arrow keys, to read it.")
            return
        row, column = pixel
        fall = 100 * float(self._decided.heat[row, column])
        way = "falls" if fall >= 0 else "rises"
        self._pixel.setText(
            f"Row {row + 1}, column {column + 1}: the answer {way} by {abs(fall):.1f} points on average."
        )


def decided_text(decided: OcclusionView) -> str:
    """What the answer hangs on, in a sentence."""
    read = f"Read as {decided.answer}, {percent(decided.before)}"
    if decided.before - decided.lowest < LEAST_CHANGE:
        return f"{read}; no single patch changes that."
    doing = "putting ink in" if decided.question.ink == WITH else "taking ink away"
    instead = f", read as {decided.instead}" if decided.instead != decided.answer else ""
    return f"{read}; where it matters most, {doing} leaves {percent(decided.lowest)}{instead}."


def layer_text(layer: LayerSummary, *, has_filters: bool) -> str:
    """What the tiles of a layer are."""
    n = layer.shape[-1]
    shown = f"The first {MOST_TILES} of " if n > MOST_TILES else ""
    if len(layer.shape) == 3:
        what = "filters, each beside what it makes of the drawing" if has_filters else "maps of the drawing"
    elif has_filters:
        what = "neurons: what each weighs the pixels with, and below it what it puts out"
    else:
        what = "neurons"
    return f"{shown}{n:,} {what} ({layer.details}). {SIGNED}"
