"""Give model files a LiteRT program that has the embedding as its second output. Usage: upgrade_models.py FILE …"""

from __future__ import annotations

import sys
from pathlib import Path

from qtdigits.ml.models import with_embedding_output
from qtdigits.store.model_files import load_model, save_model


def main() -> None:
    for path in map(Path, sys.argv[1:]):
        model = load_model(path)
        save_model(with_embedding_output(model), path)
        print(f"{path}: the embedding is there now, the weights are the same ({model.weights_sha256[:12]})")


main()
