"""The verdict: in one sentence what was gained, two buttons, and the evidence one click away."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from qtdigits.core.formatting import counted
from qtdigits.core.run.events import RunFinished
from qtdigits.core.score.comparison import (
    METHOD,
    Comparison,
    Gain,
    PairedComparison,
    Recommendation,
    memory_headline,
)
from qtdigits.gui.engine_process import JobEnding
from qtdigits.gui.results.changed_drawings import StandingComparison
from qtdigits.gui.session import Session
from qtdigits.gui.trainer import Trainer
from qtdigits.gui.widgets.parts import button, give_role, label
from qtdigits.gui.widgets.wrapping_row import WrappingRow
from qtdigits.training.jobs import TrainingJob

MNIST = "MNIST: digits of other people, to see that those are read as well as before."
SINCE = (
    "Each drawing was scored as it was read, before anything could learn from it: these are figures of drawings that were "
    "new to the model."
)
IN_USE = "The new one is in use. Draw on to see how well it reads."
ROLES = {Recommendation.USE: "good", Recommendation.KEEP: "warning", Recommendation.ASK: "muted"}


@dataclass(frozen=True)
class Proposal:
    """A new model beside the one that was in use: `model` and `beside` are their paths, `writer` is whose drawings were read."""

    standing: StandingComparison
    model: str
    beside: str
    writer: str


class Verdict(QFrame):
    """Takes no room while there is nothing to say. A proposal stands until it is answered or another one comes."""

    def __init__(self, *, session: Session, trainer: Trainer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("verdict")
        self._session = session
        self._proposal: Proposal | None = None
        self._is_answered = False
        self._gain: Gain | None = None
        self._memory = PairedComparison()
        self._sentence = label(role="heading", name="verdictLabel", wraps=True)
        self._advice = label(role="muted", name="verdictRecommendation", wraps=True)
        self._evidence = label(role="muted", name="verdictEvidence", wraps=True)
        self._why = button("Why believe it?", "evidenceButton", "Show or hide the evidence")
        self._why.setCheckable(True)
        self._use = button("Use the new one", "useNewButton", "Read with the new model from now on")
        self._keep = button("Keep the old one", "keepOldButton", "Go on with the model in use")
        self._back = button("Back to the old one", "backToOldButton", "Go back to the model before this one")
        row = WrappingRow()
        row.add(self._use, self._keep, self._back, self._why)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 4)
        box.setSpacing(6)
        for text in (self._sentence, self._advice):
            box.addWidget(text)
        box.addLayout(row)
        box.addWidget(self._evidence)
        self._why.toggled.connect(self._evidence.setVisible)
        self._use.clicked.connect(self._on_use)
        self._keep.clicked.connect(self._on_keep)
        self._back.clicked.connect(self._on_back)
        session.champion_changed.connect(self.refresh)
        session.writer_changed.connect(self.refresh)
        session.samples_changed.connect(self._on_samples_changed)
        trainer.job_ended.connect(self._on_job_ended)
        self._evidence.hide()
        self.hide()

    def show_record(self, gain: Gain | None, memory: PairedComparison) -> None:
        """`gain`: before the model in use learned from the writer, and since; None if that is unknown.

        `memory`: the network alone, and with memory.
        """
        self._gain, self._memory = gain, memory
        self.refresh()

    @Slot(object)
    def _on_job_ended(self, ending: JobEnding) -> None:
        job, event = ending.job, ending.result
        if not isinstance(job, TrainingJob) or not isinstance(event, RunFinished) or not event.comparison:
            return
        standing = StandingComparison(Comparison.from_json(event.comparison), session=self._session)
        self._proposal = Proposal(standing, event.model, job.champion, job.writer)
        self._is_answered = False
        self._why.setChecked(False)
        self.refresh()

    @Slot()
    def _on_samples_changed(self) -> None:
        if self._proposal is not None:
            self.refresh()

    @property
    def _in_use(self) -> str:
        return str(self._session.model_path or "")

    @property
    def _is_used(self) -> bool:
        return self._proposal is not None and self._in_use == self._proposal.model

    @Slot()
    def refresh(self) -> None:
        proposal = self._proposal
        is_open = proposal is not None and not self._is_used and not self._is_answered
        if proposal is not None and is_open:
            self._show_proposal(proposal)
        elif self._gain is not None:
            self._show_gain(self._gain)
        elif self._is_used:
            self._say(IN_USE)
        else:
            memory = self._memory
            headline = memory_headline(memory)
            self._say(headline, evidence=f"{memory.evidence} {SINCE}" if headline else "")
        self._use.setVisible(is_open)
        self._keep.setVisible(is_open)
        self._back.setVisible(self._is_used)
        self._why.setVisible(bool(self._evidence.text()))
        self._evidence.setVisible(self._why.isChecked() and bool(self._evidence.text()))
        self.setVisible(bool(self._sentence.text()))
        self.setAccessibleName(f"{self._sentence.text()} {self._advice.text()}")

    def _show_proposal(self, proposal: Proposal) -> None:
        found, n_changed = proposal.standing.now
        is_about_another = bool(proposal.writer) and proposal.writer != self._session.writer
        sentence = found.sentence
        reasons = [f"{sentence[0].upper()}{sentence[1:]}.", found.intervals, found.hand.evidence]
        if proposal.beside and self._in_use != proposal.beside:
            reasons.append(f"Compared with {found.champion}, which was in use when the training began.")
        if is_about_another:
            reasons.insert(0, f"This is about the drawings by {proposal.writer}.")
        if n_changed:
            were = "was" if n_changed == 1 else "were"
            reasons.append(
                f"{counted(n_changed, 'drawing')} {were} relabelled, deleted or doubted since: not counted."
            )
        if found.hand.n:
            reasons.append(METHOD)
        if found.guard.n:
            reasons.append(MNIST)
        self._say(
            found.headline(proposal.writer if is_about_another else ""),
            found.recommendation,
            ROLES[found.advice],
            " ".join(reason for reason in reasons if reason),
        )
        give_role(self._use, "" if found.advice is Recommendation.KEEP else "primary")

    def _show_gain(self, gain: Gain) -> None:
        self._say(
            gain.headline(),
            gain.recommendation,
            "good" if gain.is_proven else "muted",
            f"{gain.sentence} {SINCE}",
        )

    def _say(self, sentence: str, advice: str = "", role: str = "muted", evidence: str = "") -> None:
        self._sentence.setText(sentence)
        self._advice.setText(advice)
        self._advice.setVisible(bool(advice))
        give_role(self._advice, role)
        self._evidence.setText(evidence)

    @Slot()
    def _on_use(self) -> None:
        if self._proposal is not None:
            self._session.use_model(Path(self._proposal.model))

    @Slot()
    def _on_back(self) -> None:
        if self._proposal is not None and self._proposal.beside:
            self._session.use_model(Path(self._proposal.beside))
        else:
            self._session.roll_back()

    @Slot()
    def _on_keep(self) -> None:
        self._is_answered = True
        self.refresh()
