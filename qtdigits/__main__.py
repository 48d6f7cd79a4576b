"""`python -m qtdigits`: the same entry as the `qtdigits` command."""

import sys

from qtdigits.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
