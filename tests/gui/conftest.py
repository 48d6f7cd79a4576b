from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gui.fake_engine import FakeEngines
    from qtdigits.gui.engine.engine_controller import EngineController


@pytest.fixture
def engines() -> FakeEngines:
    from gui.fake_engine import FakeEngines

    return FakeEngines()


@pytest.fixture
def make_controller(qapp: object) -> Iterator[Callable[..., EngineController]]:
    """Controllers that are shut down when the test is over."""
    from qtdigits.gui.engine.engine_controller import EngineController

    made: list[EngineController] = []

    def make(engines: FakeEngines, **settings: Any) -> EngineController:
        made.append(EngineController(make_client=engines, **settings))
        return made[-1]

    yield make
    for controller in made:
        controller.shutdown()


@pytest.fixture
def controller(make_controller: Callable[..., EngineController], engines: FakeEngines) -> EngineController:
    return make_controller(engines)
