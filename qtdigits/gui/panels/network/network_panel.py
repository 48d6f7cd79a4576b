"""The *Network* tab: what decided the answer for the drawing on the canvas, and what the layers compute for it."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget
from typing_extensions import override

from qtdigits.core.formatting import percent
from qtdigits.core.network_inspection import SIDE_PX, WITH, WITHOUT
from qtdigits.core.network_spec import LayerSummary
from qtdigits.errors import QtDigitsError
from qtdigits.gui.panels.network.inspector import Inspector, LayerView, OcclusionView, Question
from qtdigits.gui.panels.network.network_views import MOST_TILES, HeatView, TileGrid, Tiles
from qtdigits.gui.session import Session
from qtdigits.gui.widgets.pages import RefreshingPanel
from qtdigits.gui.widgets.parts import ChoiceBox, label, scrolling
from qtdigits.gui.widgets.wrapping_row import WrappingRow

EMPTY = "Draw something, and see what the network makes of it."
METHOD = (
    f"A patch of {SIDE_PX}×{SIDE_PX} pixels is moved over the drawing, and the network reads it again each time. The colour of a "
    "pixel is how far the probability of the answer falls (blue) or rises (orange), on average over the patches on it. Nothing "
    "finer than the patch can be seen, nor what matters only together with something else."
)
BLANK = np.zeros((28, 28), np.uint8)
PATCHES = (("take ink away", WITHOUT), ("put ink in", WITH))
LEAST_CHANGE = 0.005
SIGNED = "Blue is above 0, orange below; one scale for the whole layer."


class NetworkPanel(RefreshingPanel):
    """Follows the session's reading while it is visible."""

    def __init__(self, *, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._question: Question | None = None
        self._occlusion: OcclusionView | None = None
        self.inspector = Inspector(load=partial(session.library.load, weights=True), parent=self)
        self._heat = HeatView()
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
        self._tiles = TileGrid()
        self._lay_out()
        self._connect()

    @override
    def reload(self) -> None:
        reading, path = self._session.reading, self._session.model_path
        self._occlusion = None
        self._heat.show_drawing(None if reading is None else reading.raster)
        self._describe_pixel(None)
        if path is None:
            self._answer.setText("There is no model to inspect.")
            return
        self._answer.setText(
            EMPTY if reading is None else f"Read as {reading.network_label or reading.label} …"
        )
        self._question = Question(
            path,
            BLANK if reading is None else reading.raster,
            layer=str(self._layer.currentData() or ""),
            ink=None if reading is None else int(self._patch.currentData()),
            classes=self._session.classes,
        )
        self.inspector.ask(self._question)

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
        layer.add_stretching(label("Output of a layer", role="heading"))
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
        self._session.closing.connect(self.inspector.shutdown)
        self.inspector.layer_computed.connect(self._show_layer)
        self.inspector.occlusion_computed.connect(self._show_occlusion)
        self.inspector.failed.connect(self._on_failed)

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
    def _show_layer(self, found: LayerView) -> None:
        if found.question is not self._question:
            return
        if self._layer.count() == 0:
            for layer in found.layers:
                self._layer.addItem(f"{layer.title} · {layer.shape_text}", layer.name)
        layer, is_answer = found.layers[found.place], found.place == len(found.layers) - 1
        self._tiles.show_tiles(Tiles(found.outputs, found.filters, found.classes if is_answer else ()))
        self._about.setText(layer_text(layer, has_filters=found.filters is not None))

    @Slot(object)
    def _show_occlusion(self, found: OcclusionView) -> None:
        if found.question is self._question:
            self._occlusion = found
            self._heat.show_drawing(found.question.raster, found.heat)
            reading = self._session.reading
            is_alone = reading is not None and reading.is_changed_by_memory
            self._answer.setText(occlusion_text(found, is_alone=is_alone))

    @Slot(object)
    def _on_failed(self, error: QtDigitsError) -> None:
        self._answer.setText(str(error))

    @Slot(object)
    def _describe_pixel(self, pixel: tuple[int, int] | None) -> None:
        if pixel is None or self._occlusion is None:
            self._pixel.setText("Point to a place, or move with the arrow keys, to read it.")
            return
        row, column = pixel
        fall = 100 * float(self._occlusion.heat[row, column])
        way = "falls" if fall >= 0 else "rises"
        self._pixel.setText(
            f"Row {row + 1}, column {column + 1}: the answer {way} by {abs(fall):.1f} points on average."
        )


def occlusion_text(found: OcclusionView, *, is_alone: bool = False) -> str:
    """Say how sure the network is, and what it falls to where a patch matters most; `is_alone`: memory answers otherwise."""
    read = (
        f"{'The network alone reads it' if is_alone else 'Read'} as {found.answer}, {percent(found.before)}"
    )
    if found.before - found.lowest < LEAST_CHANGE:
        return f"{read}; no single patch changes that."
    doing = "putting ink in" if found.question.ink == WITH else "taking ink away"
    instead = f", read as {found.instead}" if found.instead != found.answer else ""
    return f"{read}; where it matters most, {doing} leaves {percent(found.lowest)}{instead}."


def layer_text(layer: LayerSummary, *, has_filters: bool) -> str:
    """Say what the tiles of a layer show."""
    n = layer.shape[-1]
    shown = f"The first {MOST_TILES} of " if n > MOST_TILES else ""
    if len(layer.shape) == 3:
        what = "filters, each beside its output" if has_filters else "feature maps"
    elif has_filters:
        what = "neurons: the weights of the pixels, and the output below"
    else:
        what = "neurons"
    return f"{shown}{n:,} {what} ({layer.details}). {SIGNED}"
