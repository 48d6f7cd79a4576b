"""The trainings of a window: who asks for them, which begin by themselves, and what is told of how they ended."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from qtdigits.gui.collaborators import Collaborators
from qtdigits.gui.models.automatic_promotion import AutomaticPromotion
from qtdigits.gui.panels.training.training_panel import TrainingPanel
from qtdigits.gui.training.closing import Closing
from qtdigits.gui.training.self_training import SelfTraining
from qtdigits.gui.training.training_queue import TrainingQueue
from qtdigits.gui.training.training_requests import TrainingRequests
from qtdigits.training.jobs import TrainingJob
from qtdigits.training.runs import is_any_running


class WindowTraining(QObject):
    """Makes the `panel`, and leads to it what is wished elsewhere. `panel_wanted`: a person wants to see it.

    `queue`, `requests` and `closing` are for whoever closes the window, or asks what it would train.
    """

    panel_wanted = Signal()

    def __init__(self, *, shared: Collaborators, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shared = shared
        session, controller, guided = shared.session, shared.controller, shared.guided
        data_dir, preferences = shared.data_dir, shared.preferences
        self.requests = TrainingRequests(session=session, data_dir=data_dir)
        self.queue = TrainingQueue(
            table=session.store.queue,
            controller=controller,
            data_dir=data_dir,
            is_held_back=self._may_not_train,
            parent=self,
        )
        self.panel = TrainingPanel(
            session=session,
            controller=controller,
            make_request=self.requests.by,
            preferences=preferences,
            ask=shared.ask,
            queue=self.queue,
        )
        self.closing = Closing(
            controller=controller,
            ask=shared.ask,
            queue=self.queue,
            stop=self.panel.stop_training,
            can_stop=lambda: self.panel.can_stop,
            parent=self,
        )
        self._by_itself = SelfTraining(
            session=session,
            controller=controller,
            after=lambda: preferences.retrain_after,
            make_request=self.requests.learning_hand,
            is_held_back=lambda: guided.run is not None,
            must_wait=lambda: self.queue.must_wait,
            parent=self,
        )
        self._promotion = AutomaticPromotion(
            session=session,
            guided=guided,
            is_wished=lambda: preferences.promotion == "automatic",
            parent=self,
        )
        guided.ended.connect(self._by_itself.look_again)
        self._connect()
        self._describe_data()

    def start(self) -> None:
        """Train what the panel shows."""
        self.panel_wanted.emit()
        self.panel.start_training()

    @Slot(object)
    def train(self, request: TrainingJob) -> None:
        self.panel_wanted.emit()
        self.panel.train(request)

    def learn_hand(self) -> None:
        if not self.requests.has_something_to_learn:
            self._shared.messages.show_notice("Draw some digits first: there is nothing to learn from yet.")
            return
        self._shared.messages.withdraw(self.learn_hand)
        self._by_itself.forget()
        self.train(self.requests.learning_hand())

    def begin_nothing(self) -> None:
        """From now on; what goes on, goes on. What waits in line is for the next time, or for another window."""
        self.queue.stop()
        self._by_itself.stop()

    def _connect(self) -> None:
        session, panel = self._shared.session, self.panel
        session.samples_changed.connect(self._describe_data)
        panel.run_ended.connect(self._on_run_ended)
        self.queue.problem_met.connect(self._shared.messages.show_problem)
        self._by_itself.worth_asking.connect(self._offer_learning)
        self._promotion.told.connect(self._on_promoted)
        self._promotion.left_to_person.connect(self._offer_verdict)

    def _may_not_train(self) -> bool:
        """Some window or terminal trains, or this one is asked what becomes of its training. Raises `StoreError`."""
        if self.closing.is_asking or self._shared.controller.is_locked_elsewhere:
            return True
        return is_any_running(self._shared.session.store.runs, self._shared.data_dir)

    @Slot()
    def _describe_data(self) -> None:
        self.panel.set_data_description(self.requests.data_text())
        self.panel.set_n_classes(len(self._shared.session.store.classes()))

    @Slot(object)
    def _on_run_ended(self, event: object) -> None:
        self._shared.session.model_trained()
        self._promotion.run_ended(event)

    @Slot()
    def _offer_learning(self) -> None:
        text = "Some of your drawings were misread. The program can learn your hand from what you have drawn."
        self._shared.messages.offer(text, "Learn my hand", self.learn_hand)

    @Slot(str)
    def _offer_verdict(self, text: str) -> None:
        """To whoever looks at something else than the training, which may have begun by itself."""
        if not self.panel.isVisible() and self._shared.preferences.promotion != "never":
            self._shared.messages.offer(text, "Look at it", self.panel_wanted.emit, can_wait=True)

    @Slot(str)
    def _on_promoted(self, text: str) -> None:
        self._shared.messages.show_notice(text, can_wait=True)
