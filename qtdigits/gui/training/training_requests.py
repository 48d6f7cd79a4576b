"""What the window asks to be trained: by which recipe, for whom, beginning where, compared with what."""

from __future__ import annotations

from pathlib import Path

from qtdigits.core.recipe import Recipe
from qtdigits.core.recipe_files import load_recipe
from qtdigits.gui.session import Session
from qtdigits.training.jobs import TrainingJob


class TrainingRequests:
    """Of what is current in `session` at the moment of asking."""

    def __init__(self, *, session: Session, data_dir: Path) -> None:
        self._session = session
        self._data_dir = data_dir

    @property
    def has_something_to_learn(self) -> bool:
        """There are drawings by this writer that may be learned from."""
        return self._session.store.count(writer=self._session.writer, held_out=False) > 0

    def by(self, recipe: Recipe) -> TrainingJob:
        """A recipe that learns a hand goes on from the model in use, which the new one is compared with in any case."""
        in_use = str(self._session.model_path or "")
        return TrainingJob.new(
            recipe,
            data_dir=self._data_dir,
            base=in_use if recipe.is_personal else "",
            writer=self._session.writer,
            champion=in_use,
        )

    def learning_hand(self) -> TrainingJob:
        """Whatever recipe is chosen in the panel: that one stays as it was adjusted."""
        return self.by(load_recipe("my-hand"))

    def data_text(self) -> str:
        """What a training by anything but one hand would learn from, such as: 12 drawings + MNIST; 3 doubtful."""
        store = self._session.store
        n = store.count(held_out=False, is_suspect=False)
        waiting = store.count(held_out=False, is_suspect=True)
        text = f"{n:,} drawing{'s' if n != 1 else ''} + MNIST" if n else "MNIST"
        return text + (f"; {waiting:,} doubtful" if waiting else "")
