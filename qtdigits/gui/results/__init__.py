"""The result of a training: scores, confusion matrix, calibration, and the drawings behind them."""
