"""The policy keeps every error and slow trace, and the configured share of the rest."""

from __future__ import annotations

import random

import pytest

from obslib.traces import Policy


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ((True, 9.0, True, True), "error"),
        ((False, 1.0, True, True), "slow"),
        ((False, 0.9, True, True), "keep_flag"),
        ((False, 0.9, False, True), "ratio"),
        ((False, 0.9, False, False), None),
    ],
)
def test_the_strongest_reason_is_named(facts: tuple[bool, float, bool, bool], reason: str | None) -> None:
    """Error goes before slow, slow before the keep flag, the flag before the ratio."""
    assert Policy(success_ratio=0.05, slow_s=1.0).reason(*facts) == reason


@pytest.mark.parametrize(
    ("ratio", "th"), [(1.0, "0"), (0.5, "8"), (0.25, "c"), (0.05, "f333333333333"), (0.0, "ffffffffffffff")]
)
def test_the_threshold_is_written_as_opentelemetry_writes_it(ratio: float, th: str) -> None:
    """``th`` is the rejection threshold in hexadecimal without trailing zeros."""
    assert Policy(success_ratio=ratio, slow_s=1.0).threshold_hex == th


@pytest.mark.parametrize("ratio", [0.0, 0.05, 0.5, 1.0])
def test_the_share_of_random_ids_is_the_ratio(ratio: float) -> None:
    """Of 20 000 random trace ids the configured share is within the ratio; 0 and 1 are exact."""
    numbers, policy = random.Random(7), Policy(success_ratio=ratio, slow_s=1.0)
    share = sum(policy.is_in_ratio(numbers.getrandbits(128)) for _ in range(20_000)) / 20_000
    assert share == pytest.approx(ratio, abs=0.0 if ratio in (0.0, 1.0) else 0.012)


def test_a_larger_ratio_keeps_what_a_smaller_one_keeps() -> None:
    """Processes with different ratios agree on every trace that the stricter one keeps."""
    numbers = random.Random(7)
    small, large = Policy(success_ratio=0.1, slow_s=1.0), Policy(success_ratio=0.4, slow_s=1.0)
    ids = [numbers.getrandbits(128) for _ in range(2_000)]
    assert all(large.is_in_ratio(x) for x in ids if small.is_in_ratio(x))


def test_explicit_randomness_replaces_that_of_the_id() -> None:
    """``rv`` decides when the trace id is not random."""
    policy = Policy(success_ratio=0.5, slow_s=1.0)
    assert not policy.is_in_ratio(1)
    assert policy.is_in_ratio(1, 0xFFFFFFFFFFFFFF)


def test_the_rate_weighs_a_kept_trace() -> None:
    """What is always kept counts once, what the ratio kept counts as many times as it was thinned."""
    policy = Policy(success_ratio=0.05, slow_s=1.0)
    assert [policy.rate(r) for r in ("error", "slow", "keep_flag", "ratio")] == [1.0, 1.0, 1.0, 0.05]  # type: ignore[arg-type]


def test_a_ratio_outside_0_and_1_is_refused() -> None:
    """A wrong share is refused when the process is wired."""
    with pytest.raises(ValueError, match=r"success_ratio is 1\.5; it is a share from 0 to 1"):
        Policy(success_ratio=1.5, slow_s=1.0)
