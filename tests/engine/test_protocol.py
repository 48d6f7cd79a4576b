"""Commands survive the way through a pipe; anything else is refused."""

import pytest

from qtdigits.engine.protocol import (
    Command,
    Plain,
    Run,
    Train,
    decode_command,
    encode_command,
)
from qtdigits.errors import InputError
from qtdigits.training.jobs import CheckLabels, MeasureWriters, RetrainRequest
from tiny_training import TINY_RECIPE

REQUEST = RetrainRequest.fresh(
    TINY_RECIPE,
    data_dir="/data/π",
    csv_pairs=(("a.csv", "b.csv"),),
    ink_files=("c.jsonl",),
    use_drawings=False,
)

CHECK = CheckLabels.fresh(data_dir="/data/π", writer="Ada")
MATRIX = MeasureWriters.fresh(data_dir="/data", model="/models/π.h5")


@pytest.mark.parametrize("command", [Train(REQUEST), Run(CHECK), Run(MATRIX), *Plain])
def test_that_a_command_comes_back_from_its_line_as_it_was(command: Command) -> None:
    line = encode_command(command)
    assert "\n" not in line
    assert decode_command(line) == command


@pytest.mark.parametrize(
    "line",
    [
        "",
        "stop",
        "[]",
        '{"command": "dance"}',
        '{"command": ["stop"]}',
        '{"command": "run"}',
        '{"command": "run", "errand": {"kind": "dance", "errand": "e", "data_dir": "d"}}',
        '{"command": "run", "errand": {"kind": "CheckLabels", "data_dir": "d"}}',
        '{"command": "run", "errand": {"kind": "CheckLabels", "errand": "e", "data_dir": 3}}',
        '{"command": "train"}',
        '{"command": "train", "request": {}}',
        '{"command": "train", "request": {"run": "r", "data_dir": "d", "recipe": {"epochs": 0}}}',
        '{"command": "train", "request": {"run": "", "data_dir": "d", "recipe": {}}}',
        '{"command": "train", "request": {"run": "r", "data_dir": 3, "recipe": {}}}',
        '{"command": "train", "request": {"run": "r", "data_dir": "d", "recipe": {}, "csv_pairs": [["one"]]}}',
    ],
)
def test_that_a_line_that_is_no_command_is_refused(line: str) -> None:
    with pytest.raises(InputError):
        decode_command(line)
