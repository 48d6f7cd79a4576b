"""The command line: one module per command, each with `add_parser(subparsers)`.

Every import of a floor, and of rich, is inside a function: `qtdigits --help` and the window's start pay for nothing else.
"""
