"""What a pyqtgraph plot shows, as numbers."""

from __future__ import annotations

from qtdigits.gui.plots.calm_plot import CalmPlot


def plotted(plot: CalmPlot, name: str) -> tuple[list[float], list[float]]:
    """Positions and values of a curve as they are drawn; empty where there is none."""
    for item in plot.listDataItems():
        x, y = item.getData()
        if item.name() == name and x is not None:
            return x.tolist(), y.tolist()
    return [], []
