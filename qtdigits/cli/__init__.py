"""The command line: a module for each command, each with `add_parser(subparsers)`."""

COMMANDS = {
    "train": "train a network on MNIST, the stored drawings and files",
    "evaluate": "score a model on MNIST's test set, on drawings or on pictures",
    "recognise": "say which digit each picture shows",
    "samples": "import, export, list, merge, change or check stored drawings",
    "writers": "list, add, rename, merge or compare the people who draw",
    "classes": "list, add, rename, merge, retire or restore what can be drawn and read, and sets of it",
    "models": "list, show or check models; choose the one in use",
    "backups": "list, make or restore copies of the stored drawings, judgements and runs",
    "runs": "list, show, compare, name or delete training runs",
    "study": "search over fields of a recipe, on this machine or on many; show what came out",
    "report": "write a page about a writer or a study that opens in any browser and prints",
    "simulate": "replay real writers as users who judge, correct and retrain, and count the errors that this saves",
    "demo": "drive the real window off-screen: drawing, correcting, a short training; save numbered pictures",
}
"""What each command does, in the order of the help. Only the module of the command that runs is imported."""
