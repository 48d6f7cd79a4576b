"""Networks as values: their layers, what these cost and give, and where they look. Keras builds them in `ml`."""
