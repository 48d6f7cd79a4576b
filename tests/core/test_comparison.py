"""Two models on the same drawings, and what was gained since a hand was learned: exact probabilities, careful advice."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtdigits.core.score.comparison import (
    Comparison,
    Gain,
    PairedComparison,
    Recommendation,
    mcnemar_exact,
    right_text,
)
from qtdigits.core.score.metrics import Tally


def paired(n: int, fixed: int, broken: int, still_wrong: int = 0) -> PairedComparison:
    after = n - broken - still_wrong
    ids = iter(range(n))
    take = lambda count: tuple(next(ids) for _ in range(count))  # noqa: E731 - short lists of numbers
    return PairedComparison.of_ids(
        n, after - fixed + broken, after, take(fixed), take(broken), take(still_wrong)
    )


@pytest.mark.parametrize(
    ("fixed", "broken", "p"),
    [
        (0, 0, 1.0),
        (5, 0, 0.0625),
        (6, 0, 0.03125),
        (0, 6, 0.03125),
        (4, 2, 0.6875),
        (10, 2, 0.03857421875),
        (3, 3, 1.0),
    ],
)
def test_that_the_exact_test_has_its_known_values(fixed: int, broken: int, p: float) -> None:
    assert mcnemar_exact(fixed, broken) == pytest.approx(p)


@given(st.integers(0, 400), st.integers(0, 400))
def test_that_the_test_does_not_care_which_model_is_called_new(fixed: int, broken: int) -> None:
    p = mcnemar_exact(fixed, broken)
    assert 0 < p <= 1
    assert p == mcnemar_exact(broken, fixed)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_that_fixed_broken_and_still_wrong_account_for_every_error(outcomes: list[tuple[bool, bool]]) -> None:
    before, after = (np.array([o[i] for o in outcomes], bool) for i in (0, 1))
    found = PairedComparison.of(before, after, tuple(range(100, 100 + len(outcomes))))
    assert (found.n_fixed, found.n_broken) == (len(found.fixed), len(found.broken))
    assert len(found.broken) + len(found.still_wrong) == found.n - found.after
    assert len(found.fixed) + len(found.still_wrong) == found.n - found.before
    assert all(not before[i - 100] and after[i - 100] for i in found.fixed)
    assert PairedComparison.from_json(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize(
    ("hand", "guard", "advice"),
    [
        (paired(103, 4, 2, 1), paired(6000, 3, 4), Recommendation.USE),
        (paired(20, 1, 0), paired(6000, 0, 0), Recommendation.USE),
        (paired(20, 0, 0), paired(6000, 2, 1), Recommendation.ASK),
        (paired(20, 0, 1), paired(6000, 2, 1), Recommendation.ASK),
        (paired(100, 1, 9), paired(6000, 2, 1), Recommendation.KEEP),
        (paired(100, 9, 1), paired(6000, 2, 40), Recommendation.ASK),
        (paired(100, 1, 1), paired(6000, 2, 40), Recommendation.KEEP),
        (paired(100, 9, 1), paired(0, 0, 0), Recommendation.ASK),
        (paired(100, 9, 1), paired(1000, 2, 4), Recommendation.ASK),
        (paired(0, 0, 0), paired(6000, 60, 5), Recommendation.USE),
        (paired(0, 0, 0), paired(6000, 3, 2), Recommendation.ASK),
    ],
)
def test_that_only_what_is_safe_is_recommended(
    hand: PairedComparison, guard: PairedComparison, advice: Recommendation
) -> None:
    assert Comparison(hand, guard).advice is advice


def test_that_the_sentence_says_what_changed() -> None:
    found = Comparison(paired(103, 4, 2, 1), paired(6000, 3, 4, 12), "default")
    assert found.sentence == (
        "reads 95.1 → 97.1 % of your 103 held-out drawings; 4 fixed, 2 broken; MNIST 99.75 → 99.73 %"
    )
    assert found.recommendation == (
        "It reads more of your drawings, though with so few that may be chance, and hardly any of MNIST is lost: use it."
    )
    sure = Comparison(paired(100, 9, 1), paired(6000, 4, 3))
    assert sure.recommendation == "It reads you better, and nothing of MNIST is lost: use it."
    assert "not known yet" in Comparison(paired(0, 0, 0), paired(6000, 60, 5)).recommendation
    nothing = Comparison(paired(0, 0, 0), paired(10, 0, 0))
    assert "no drawings of yours" in nothing.sentence
    assert nothing.recommendation.startswith("More drawings of yours are needed to tell")
    perfect = Comparison(paired(17, 0, 0), paired(10, 0, 0))
    assert perfect.recommendation == "Both read all of these drawings: use either."
    assert Comparison.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_that_a_gain_for_one_hand_at_the_cost_of_others_is_said_as_what_it_is() -> None:
    """Whose 1 is everybody's 7 cannot be read without loss: that is for the person to weigh, not for a rule."""
    found = Comparison(paired(100, 9, 1), paired(6000, 2, 40))
    assert found.recommendation == (
        "It reads you better. It reads other people worse: 0.6 points of MNIST are lost. Use it only if you alone draw."
    )
    perhaps = Comparison(paired(100, 9, 1), paired(1000, 2, 4))
    assert "0.2 points of MNIST are lost, perhaps by chance." in perhaps.recommendation
    alone = Comparison(paired(100, 9, 1), paired(0, 0, 0))
    assert "is unknown without MNIST" in alone.recommendation


def test_that_what_is_not_everything_is_never_called_100_percent() -> None:
    guard = PairedComparison.of_ids(10_000, 9_999, 10_000, (1,))
    assert "MNIST 99.99 → 100.00 %" in Comparison(paired(3, 0, 0), guard).sentence
    nearly = PairedComparison.of_ids(3000, 2999, 3000, (1,))
    assert "reads 99.9 → 100.0 % of your 3,000" in Comparison(nearly, guard).sentence


def test_that_drawings_read_out_of_fold_count_with_what_is_held_out() -> None:
    held_out, others = (
        PairedComparison.of_ids(20, 18, 18, (), (), (4, 9)),
        PairedComparison.of_ids(8, 6, 8, (41, 42)),
    )
    guard = paired(6000, 2, 1)
    assert Comparison(held_out, guard).advice is Recommendation.ASK
    found = Comparison(held_out, guard, "default", others)
    assert found.advice is Recommendation.USE
    assert found.hand == PairedComparison.of_ids(28, 24, 26, (41, 42), (), (4, 9))
    assert found.sentence.startswith("reads 85.7 → 92.9 % of your 28 drawings; 2 fixed, 0 broken")
    assert Comparison.from_json(json.loads(json.dumps(found.to_json()))) == found
    first_files = {name: value for name, value in found.to_json().items() if name != "others"}
    assert Comparison.from_json(first_files).others == PairedComparison()
    assert Comparison.from_json({**first_files, "newer": others.to_json()}) == found


@pytest.mark.parametrize(
    ("fixed", "broken", "rarity"),
    [(3, 1, "62 %"), (8, 0, "0.8 %"), (12, 0, "less than 0.1 %")],
)
def test_that_it_says_how_often_chance_alone_does_so(fixed: int, broken: int, rarity: str) -> None:
    evidence = Comparison(paired(20, fixed, broken), paired(0, 0, 0)).hand.evidence
    assert f"{fixed} fixed and {broken} broken" in evidence
    assert evidence.endswith(f"by chance in {rarity} of cases.")


def test_that_a_cost_is_told_where_nothing_is_gained() -> None:
    found = Comparison(paired(32, 0, 0), PairedComparison.of_ids(3000, 2997, 2993, (), (1, 2, 3, 4)))
    assert found.advice is Recommendation.ASK
    assert found.recommendation == (
        "It reads as many of your drawings. It reads other people worse: 0.1 points of MNIST are lost, perhaps by chance. "
        "Use it only if you alone draw."
    )


def test_that_nothing_is_evidence_where_both_read_the_same() -> None:
    assert Comparison(paired(20, 0, 0), paired(0, 0, 0)).hand.evidence == ""


def test_that_totals_alone_are_clear_only_beyond_significance_and_outside_the_intervals() -> None:
    assert not PairedComparison.of_totals(10, 5, 10).is_clear  # five drawings: p = 0.06
    assert PairedComparison.of_totals(30, 10, 25).is_clear
    assert PairedComparison.of_totals(30, 25, 10).is_clear
    assert not PairedComparison.of_totals(200, 100, 107).is_clear  # significant, but within the interval
    assert not PairedComparison().is_clear


tallies = st.integers(1, 500).flatmap(lambda n: st.builds(Tally, st.just(n), st.integers(0, n)))


@pytest.mark.parametrize(
    ("now", "before", "interval"),
    [
        ((70, 56), (80, 48), (0.0524, 0.3339)),
        ((10, 9), (10, 3), (0.1705, 0.8090)),
        ((10, 10), (10, 0), (0.6075, 1.0)),
    ],
)
def test_that_the_interval_is_newcombes(
    now: tuple[int, int], before: tuple[int, int], interval: tuple[float, float]
) -> None:
    """The examples of his table II (Statistics in Medicine 17, 1998, page 877)."""
    assert Gain(Tally(*before), Tally(*now)).interval == pytest.approx(interval, abs=1e-4)


@given(tallies, tallies)
def test_that_the_change_lies_in_its_interval_and_losing_mirrors_gaining(before: Tally, now: Tally) -> None:
    gain, loss = Gain(before, now), Gain(now, before)
    low, high = gain.interval
    assert -1 <= low <= gain.change <= high <= 1
    assert loss.interval == pytest.approx((-high, -low))
    assert loss.is_beyond_chance == gain.is_beyond_chance


def test_that_chance_is_rarely_taken_for_a_gain() -> None:
    """Fixed seed; 5 % is promised, the standard error of 2,000 is 0.5 points."""
    rng = np.random.default_rng(5)
    pairs = zip(rng.binomial(74, 0.9, 2000), rng.binomial(50, 0.9, 2000), strict=True)
    wrong = sum(Gain(Tally(74, int(a)), Tally(50, int(b))).is_beyond_chance for a, b in pairs)
    assert wrong / 2000 < 0.06


def test_that_it_says_how_much_was_gained_and_why_to_believe_it() -> None:
    assert Gain(Tally(74, 61), Tally(50, 50)).sentence == (
        "Before, 61 of 74 were read right, 82.4 % (72.2 to 89.4 %). "
        "The gain of 17.6 points is more than chance explains (95 % interval +7.6 to +27.8)."
    )
    assert "The gain of 10.0 points may still be chance (95 % " in Gain(Tally(20, 18), Tally(20, 20)).sentence
    assert "The loss of 10.0 points may still be chance (95 % " in Gain(Tally(20, 20), Tally(20, 18)).sentence
    assert "Nothing was gained or lost so far" in Gain(Tally(20, 18), Tally(10, 9)).sentence
    assert right_text(Tally(1, 1)).startswith("1 of 1 was read right, 100.0 % (20.7 to 100.0 %)")


@pytest.mark.parametrize(("fixed", "broken"), [(1, 0), (1, 1), (3, 3)])
def test_that_an_even_split_is_not_called_a_chance_of_100_percent(fixed: int, broken: int) -> None:
    evidence = Comparison(paired(13, fixed, broken), paired(0, 0, 0)).hand.evidence
    assert evidence == f"{fixed} fixed and {broken} broken: that does not tell which is better."


def test_that_the_headline_counts_drawings_and_says_whose_they_are() -> None:
    found = Comparison(PairedComparison(13, 12, 13, 1, 0), paired(0, 0, 0))
    assert found.headline() == "The new one reads 13 of your 13 held-out drawings right. The one in use: 12."
    more = Comparison(PairedComparison(13, 12, 13, 1, 0), paired(0, 0, 0), others=PairedComparison(2, 1, 1))
    assert more.headline("Ada") == "The new one reads 14 of 15 drawings by Ada right. The one in use: 13."
    assert Comparison(PairedComparison(), paired(0, 0, 0)).headline() == "A new model is ready."


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ((60, 40), (60, 60), "more than chance explains."),
        ((60, 60), (60, 40), "go back to the old one."),
        ((60, 58), (60, 60), "may still be chance"),
        ((60, 55), (60, 55), "Nothing was gained or lost"),
    ],
)
def test_that_what_is_said_of_a_gain_follows_from_its_interval(before, now, said) -> None:
    gain = Gain(Tally(*before), Tally(*now))
    assert said in gain.recommendation
    assert gain.headline() == (
        f"Since it learned from you: {now[1]} of {now[0]} read right. Before: {before[1]} of {before[0]}."
    )


def test_that_drawings_can_be_taken_out_of_a_comparison() -> None:
    found = PairedComparison.of_ids(40, 37, 38, (1, 2), (3,), (4,))
    assert found.without(()) == found
    assert found.without({1, 99}) == PairedComparison.of_ids(39, 37, 37, (2,), (3,), (4,))
    assert found.without({1, 3, 4}) == PairedComparison.of_ids(37, 36, 37, (2,), (), ())
    assert Comparison(found, paired(0, 0, 0), others=found).without({3}).hand.n == 78
