"""Commands survive the way through a pipe; anything else is refused."""

import pytest

from qtdigits.engine.protocol import (
    Command,
    ControlCommand,
    RunJob,
    decode_command,
    encode_command,
)
from qtdigits.errors import InputError
from qtdigits.training.jobs import LabelReviewJob, TrainingJob, WriterMatrixJob
from tiny_training import TINY_RECIPE

REQUEST = TrainingJob.new(
    TINY_RECIPE,
    data_dir="/data/π",
    csv_pairs=(("a.csv", "b.csv"),),
    ink_files=("c.jsonl",),
    use_drawings=False,
)

CHECK = LabelReviewJob.new(data_dir="/data/π", writer="Ada")
MATRIX = WriterMatrixJob.new(data_dir="/data", model="/models/π.h5")


@pytest.mark.parametrize("command", [RunJob(REQUEST), RunJob(CHECK), RunJob(MATRIX), *ControlCommand])
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
        '{"command": "run_job"}',
        '{"command": "run_job", "job": {"kind": "dance", "id": "e", "data_dir": "d"}}',
        '{"command": "run_job", "job": {"kind": "label review", "data_dir": "d"}}',
        '{"command": "run_job", "job": {"kind": "label review", "id": "e", "data_dir": 3}}',
        '{"command": "run_job", "job": {"id": "r", "data_dir": "d", "recipe": {}}}',
        '{"command": "run_job", "job": {"kind": "training"}}',
        '{"command": "run_job", "job": {"kind": "training", "id": "r", "data_dir": "d", "recipe": {"epochs": 0}}}',
        '{"command": "run_job", "job": {"kind": "training", "id": "", "data_dir": "d", "recipe": {}}}',
        '{"command": "run_job", "job": {"kind": "training", "id": "r", "data_dir": 3, "recipe": {}}}',
        '{"command": "run_job", "job": {"kind": "training", "id": "r", "data_dir": "d", "recipe": {}, "csv_pairs": [["one"]]}}',
        '{"command": "run_job", "job": {"kind": "training", "id": "r", "data_dir": "d", "recipe": []}}',
        f'{{"command": "run_job", "job": {{"kind": "training", "id": "r", "data_dir": "d", "newest_sample": {"9" * 400}}}}}',
        f'{{"command": "stop", "job": {"9" * 5000}}}',
        f'{{"command": "stop", "job": {{"x": {"[" * 50}{"]" * 50}}}}}',
        f'{{"command": {"[" * 100_000}',
        '{"command": "run_job", "job": {"kind": "label review", "id": "\\ud800", "data_dir": "d"}}',
        '{"command": "stop", "job": "\udcff"}',
    ],
)
def test_that_a_line_that_is_no_command_is_refused(line: str) -> None:
    with pytest.raises(InputError):
        decode_command(line)
