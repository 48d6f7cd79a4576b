from __future__ import annotations

import os
import select
import sys
from pathlib import Path

import pytest

from bad_days.killing import victim

PATIENCE_S = 60.0


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="waits for a process that is not its child")
def test_that_an_engine_ends_by_itself_when_its_owner_is_killed(tmp_path: Path) -> None:
    with victim("own_an_engine", tmp_path) as owner:
        engine = os.pidfd_open(int(owner.stdout.readline()))
        try:
            owner.kill()
            ended, _, _ = select.select([engine], [], [], PATIENCE_S)
        finally:
            os.close(engine)
    assert ended
