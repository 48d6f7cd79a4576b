"""QtDigits: draw a digit, see it read, put it right, watch the network learn."""

__version__ = "0.1.0"
