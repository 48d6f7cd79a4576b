"""Learn the label guard's witness anew, from MNIST and synthetic ink: `python -m tools.make_witness [FILE]`.

To be done when `core/drawing/label_review.py` changes its features (`CLASSIFIER_VERSION`). MNIST is searched for as by the
program.
"""

from __future__ import annotations

import sys
from pathlib import Path

from qtdigits import paths
from qtdigits.core.run.control import Control
from qtdigits.store.data.mnist import find_mnist
from qtdigits.store.kept_files import save_label_classifier
from qtdigits.training.data_cache import DataCache
from qtdigits.training.label_review import learn_label_classifier


def main() -> int:
    folder = paths.user_data_dir()
    if find_mnist(folder=folder) is None:
        print("MNIST was not found: set QTDIGITS_MNIST.", file=sys.stderr)
        return 2
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else paths.resources_dir() / "witness.npz"
    save_label_classifier(learn_label_classifier(DataCache(), folder, Control()), out)
    print(f"{out}: {out.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
