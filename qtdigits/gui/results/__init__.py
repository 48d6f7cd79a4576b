"""How a training came out: scores, confusions, calibration, and the drawings behind them."""
