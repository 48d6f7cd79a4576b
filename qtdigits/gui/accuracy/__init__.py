"""How well the program reads a person's hand: running accuracy, its curves, what is worth drawing next."""
