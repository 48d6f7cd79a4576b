"""The *Network* tab: what the network computes for the drawing on the canvas."""
