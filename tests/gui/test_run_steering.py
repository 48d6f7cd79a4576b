"""From a run in the list to the request by which it goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gui.stand_ins import Answers
from qtdigits.core.recipe_files import load_recipe
from qtdigits.errors import InputError
from qtdigits.gui.panels.runs.runs_panel import RunSteering
from qtdigits.store.run_files import RunFolder
from qtdigits.store.tables.runs import RunRecord
from qtdigits.training.jobs import TrainingJob
from store.values import a_checkpoint

RECIPE = load_recipe("mlp-50-50").with_values(epochs=6)
RUN = RunRecord("run", RECIPE.to_json())


class Steered:
    def __init__(self, folder: Path) -> None:
        self.trained: list[TrainingJob] = []
        self.ask = Answers()
        self.steering = RunSteering(
            data_dir=folder, train=self.trained.append, champion=lambda: "champion.h5", ask=self.ask
        )
        self.folder = RunFolder(folder, "run")
        self.folder.write_request(TrainingJob("run", RECIPE, "elsewhere", champion="old.h5").to_json())


@pytest.fixture
def steered(tmp_path: Path) -> Steered:
    return Steered(tmp_path)


def test_that_an_interrupted_run_goes_on_where_the_data_is_now_beside_the_present_champion(
    steered: Steered, tmp_path: Path
) -> None:
    assert steered.steering.can_go_on(RUN)
    assert not steered.steering.can_be_extended(RUN)
    steered.steering.go_on(RUN)
    expected = TrainingJob("run", RECIPE, str(tmp_path), champion="champion.h5", resumes=True)
    assert steered.trained == [expected]


def test_that_an_ended_run_is_trained_longer_by_what_the_person_says(steered: Steered) -> None:
    ended = replace(RUN, state="completed")
    assert not steered.steering.can_be_extended(ended)
    steered.folder.write_checkpoint(replace(a_checkpoint(), epochs=6))
    assert steered.steering.can_be_extended(ended)
    assert not steered.steering.can_go_on(ended)
    steered.steering.extend(ended)
    assert steered.trained == []
    steered.ask.reply = 4
    steered.steering.extend(ended)
    _title, _question, suggestion, _most = steered.ask.asked[-1]
    assert suggestion == 3
    (request,) = steered.trained
    assert (request.recipe.epochs, request.stages, request.resumes) == (10, ((0, 6), (6, 10)), True)


def test_that_a_run_extended_twice_remembers_both(steered: Steered, tmp_path: Path) -> None:
    steered.folder.write_checkpoint(replace(a_checkpoint(), epochs=6))
    steered.ask.reply = 4
    steered.steering.extend(replace(RUN, state="completed"))
    steered.folder.write_request(steered.trained[0].to_json())
    steered.folder.write_checkpoint(replace(a_checkpoint(18), epochs=10))
    steered.steering.extend(replace(RUN, state="converged"))
    assert steered.trained[1].stages == ((0, 6), (6, 10), (10, 14))


@pytest.mark.parametrize("state", ["diverged", "completed"])
def test_that_what_has_come_to_its_end_does_not_go_on(steered: Steered, state: str) -> None:
    assert not steered.steering.can_go_on(replace(RUN, state=state))
    with pytest.raises(InputError):
        steered.steering.go_on(replace(RUN, state=state))


def test_that_a_run_of_another_process_is_left_alone(steered: Steered) -> None:
    assert steered.folder.lock.acquire()
    assert steered.steering.is_running(replace(RUN, state="running"))
    assert not steered.steering.can_go_on(RUN)
    steered.folder.lock.release()
