"""Copies of ink files with the drawings of some writers only, such as those that a model's training left out.

`python -m benchmarks.left_out INK FOLDER 'aga-*' 'tos-*'` writes a copy of each `.jsonl.gz` of the folder INK to FOLDER.
"""

from __future__ import annotations

import argparse
from fnmatch import fnmatchcase
from pathlib import Path

from qtdigits.store.data.ink_files import read_ink_jsonl, write_ink_jsonl


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ink", metavar="INK", type=Path)
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("writers", metavar="PATTERN", nargs="+", help="as for train --leave-out")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(options.ink.glob("*.jsonl.gz")):
        drawings = (
            one
            for one in read_ink_jsonl(file)
            if any(fnmatchcase(one.writer, pattern) for pattern in options.writers)
        )
        print(f"{options.folder / file.name}: {write_ink_jsonl(options.folder / file.name, drawings):,}")


if __name__ == "__main__":
    main()
