"""What there is once in a window, and its parts share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qtdigits.gui.guided import GuidedSession
from qtdigits.gui.import_export import ImportExport
from qtdigits.gui.preferences import Preferences
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.ask import Ask
from qtdigits.gui.widgets.message_bar import MessageBar


@dataclass(frozen=True)
class Collaborators:
    """`data_dir` is where the drawings of this window go."""

    session: Session
    trainer: Trainer
    guided: GuidedSession
    import_export: ImportExport
    messages: MessageBar
    preferences: Preferences
    data_dir: Path
    ask: Ask
