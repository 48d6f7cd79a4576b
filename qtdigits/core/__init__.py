"""Values and pure functions: ink, raster, labels, samples, recipes, events, history, metrics, splits. numpy only."""
