"""What the network does with the drawing on the canvas."""
