"""Reason sets are closed: whatever a host calls its failure becomes one of the codes, the nearest there is."""

from __future__ import annotations

import pytest

from obslib.catalog import ReasonSet
from obslib.catalog.platform import PLATFORM
from obslib.catalog.platform.terms import INSTANCE_REASONS, SECRETS_REASONS, VOLUME_REASONS

CLOSING = ReasonSet(name="closing", values=("late", "tired"), fallback="tired", finer={"overslept": "late"})


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("late", "late"),
        ("late: by an hour", "late"),
        ("late:by:two", "late"),
        ("overslept", "late"),
        ("overslept: again", "late"),
        ("bored", "tired"),
        ("", "tired"),
        (None, "tired"),
        (OSError("late"), "late"),
    ],
)
def test_whatever_is_told_becomes_a_code(told: object, code: str) -> None:
    """A code stays, what follows a colon is detail, a finer word stands for its code, and anything else is the fallback."""
    assert CLOSING.fold(told) == code


def test_outcomes_are_a_success_without_a_reason_and_a_failure_for_each() -> None:
    """Three pairs for two reasons, and one more series for what is none of them."""
    joint = CLOSING.outcomes
    assert joint.labels == ("result", "reason")
    assert joint.reserved == (("success", "none"), ("failure", "late"), ("failure", "tired"))
    assert joint.bound == 4
    assert joint == CLOSING.outcomes


def test_the_reasons_of_a_delivery_and_of_an_attachment_stand_for_one_of_the_instance() -> None:
    """A boot that ends because of one is counted as such, never as a machine that did not start (platform facts §10)."""
    assert {reason: INSTANCE_REASONS.fold(reason) for reason in VOLUME_REASONS.values} == dict.fromkeys(
        VOLUME_REASONS.values, "volume_attach_failed"
    )
    codes = {reason: INSTANCE_REASONS.fold(reason) for reason in SECRETS_REASONS.values}
    assert codes.pop("secrets_missing") == "secrets_missing"
    assert set(codes.values()) == {"secrets_injection_failed"}


def test_no_reason_of_the_platform_is_the_word_for_none() -> None:
    """A failure for the reason ``none`` would look like a success, and one with a colon could never be told."""
    assert [
        reason for reasons in PLATFORM.reasons.values() for reason in reasons.values if reason == "none" or ":" in reason
    ] == []
