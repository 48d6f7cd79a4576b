from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qtdigits.core.drawing.samples import Origin, Suspicion, Verdict
from qtdigits.store.tables.rows import SampleFilter
from qtdigits.store.tables.samples import SampleStore
from tests.store.statements import plans_of
from tests.store.values import a_sample, a_trial, an_image

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> SampleStore:
    """1, 2: Ada's, judged by `mlp`, right and wrong; 3: Bob's by `cnn`; 4: an image; 5: a suspect; 6: in the trash."""
    with SampleStore.open(tmp_path) as opened:
        opened.judge(a_sample("7", drawn_at=NOON), a_trial("7"))
        opened.judge(a_sample("1", drawn_at=NOON + timedelta(hours=1)), a_trial("1"))
        opened.judge(a_sample("7", "Bob"), a_trial("7", "Bob", model="cnn"))
        opened.add_samples([an_image("7", "Bob", origin=Origin.IMAGE), a_sample("2", "Bob"), a_sample()])
        opened.mark_suspects({5: Suspicion(0.5, "7", "")})
        opened.delete_samples([6])
        yield opened


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (SampleFilter(), [1, 2, 3, 4, 5]),
        (SampleFilter(writer="Bob"), [3, 4, 5]),
        (SampleFilter(writer="Bob", label="7"), [3, 4]),
        (SampleFilter(verdict=Verdict.CONFIRMED), [1, 3]),
        (SampleFilter(verdict=Verdict.CORRECTED), [2]),
        (SampleFilter(verdict=Verdict.SKIPPED), []),
        (SampleFilter(model="cnn"), [3]),
        (SampleFilter(model="mlp", verdict=Verdict.CONFIRMED), [1]),
        (SampleFilter(origin=Origin.IMAGE), [4]),
        (SampleFilter(is_suspect=True), [5]),
        (SampleFilter(is_suspect=False, writer="Bob"), [3, 4]),
        (SampleFilter(before=NOON + timedelta(hours=1)), [1]),
        (SampleFilter(after=NOON, before=NOON + timedelta(days=1)), [1, 2]),
        (SampleFilter(after=NOON + timedelta(days=1)), [3, 4, 5]),
        (SampleFilter(is_deleted=True), [6]),
        (SampleFilter(ids=(4, 1, 6, 99)), [1, 4]),
        (SampleFilter(ids=(2, 1), label="1"), [2]),
        (SampleFilter(ids=()), []),
        (SampleFilter(writer="nobody"), []),
        (SampleFilter(label="%"), []),
    ],
    ids=str,
)
def test_that_a_filter_chooses_the_same_in_every_way(
    store: SampleStore, chosen: SampleFilter, expected: list[int]
) -> None:
    assert store.ids(chosen).tolist() == expected
    assert store.count(chosen) == len(expected)
    assert [sample.id for sample in store.samples(chosen)] == expected
    assert list(store.dataset(chosen, with_doubted=True).ids) == expected


def test_that_held_out_and_the_rest_are_all(store: SampleStore) -> None:
    held_out, rest = (store.ids(SampleFilter(held_out=flag)).tolist() for flag in (True, False))
    assert sorted(held_out + rest) == [1, 2, 3, 4, 5]


def test_that_the_most_doubtful_come_first(store: SampleStore) -> None:
    store.mark_suspects({1: Suspicion(0.9, "1", ""), 3: Suspicion(0.3, "1", ""), 4: Suspicion(0.5, "1", "")})
    assert store.ids(is_suspect=True, most_doubtful_first=True).tolist() == [1, 5, 4, 3]


def test_that_a_keyword_sharpens_a_filter(store: SampleStore) -> None:
    assert store.ids(SampleFilter(writer="Bob"), label="2").tolist() == [5]


@pytest.mark.parametrize(
    "chosen",
    [
        SampleFilter(),
        SampleFilter(label="7", held_out=True),
        SampleFilter(writer="Ada", is_suspect=True),
        SampleFilter(after=NOON, origin=Origin.IMAGE),
        SampleFilter(verdict=Verdict.CORRECTED, model="mlp"),
    ],
    ids=str,
)
def test_that_listing_and_counting_do_not_read_the_drawings(
    connections: list[sqlite3.Connection], store: SampleStore, chosen: SampleFilter
) -> None:
    plan = plans_of(connections[-1], lambda: (store.ids(chosen), store.count(chosen)))
    steps = [step for step in plan if step.split()[:2] in (["SCAN", "samples"], ["SEARCH", "samples"])]
    assert steps
    assert all("COVERING INDEX" in step or "rowid=?" in step for step in steps), steps
