"""Where digits are drawn, read and judged, alone or in a guided session."""
