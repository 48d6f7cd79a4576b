"""Which models there are and which one reads: promoting, watching, reading anew with them."""
