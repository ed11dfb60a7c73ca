"""Each limit holds at its figure, is passed by one more, and is named when it is."""

from __future__ import annotations

import math
import random
from contextlib import ExitStack
from typing import Any

import pytest

from obslib.errors import ErrorClass, LimitExceeded, SelectionError
from obslib.testing import FixedClock
from obslib.workload import Limits, LineRate, Streams
from obslib.workload import limits as limits_module
from obslib.workload import streams as streams_module

LIMITS = Limits()
NOW = 1_766_000_000.0
HOUR = 3_600


def test_the_published_figures() -> None:
    """Those of the platform's documents."""
    assert Limits(
        max_tail_rate_lines_per_second=500, max_query_window_seconds=3_600, max_query_lines=10_000,
        max_log_streams_per_org=10, max_log_streams_per_token=5, retention_seconds=7 * 86_400,
    ) == LIMITS  # fmt: skip


@pytest.mark.parametrize("wanted", [0, 1, 9_999, 10_000])
def test_lines_up_to_the_limit(wanted: int) -> None:
    """As many as were asked for."""
    assert LIMITS.lines(wanted) == wanted


def test_one_line_more_is_refused() -> None:
    """With the limit's name, its figure and the way out."""
    with pytest.raises(LimitExceeded) as refused:
        LIMITS.lines(10_001)
    assert str(refused.value) == (
        "10001 lines are asked for and limits.max_query_lines is 10000; ask for fewer, or for one part of the time after the"
        " other"
    )
    assert (refused.value.limit, refused.value.error_class) == ("max_query_lines", ErrorClass.INVALID_ARGUMENT)


@pytest.mark.parametrize(
    ("since", "until", "begin"),
    [
        (None, None, NOW - HOUR),
        (None, NOW - 50, NOW - 50 - HOUR),
        (NOW - HOUR + 1, None, NOW - HOUR + 1),
        (NOW - HOUR, None, NOW - HOUR),
        (NOW - HOUR - 4, None, NOW - HOUR),
        (NOW - 9 * HOUR, NOW - 8 * HOUR, NOW - 9 * HOUR),
        (NOW - 9 * HOUR, NOW - 8 * HOUR - 1, NOW - 9 * HOUR),
    ],
)
def test_windows_up_to_the_limit(since: float | None, until: float | None, begin: float) -> None:
    """'The last hour' by a clock a little behind is cut to the hour; without a beginning it is the hour before the end."""
    assert LIMITS.window(since, until, now=NOW) == begin


@pytest.mark.parametrize(
    ("since", "until"), [(NOW - HOUR - 6, None), (NOW - HOUR - 1, NOW), (0.0, NOW - HOUR), (NOW, NOW + HOUR + 1)]
)
def test_a_longer_window_is_refused(since: float, until: float | None) -> None:
    """One second more, between any two times."""
    with pytest.raises(
        LimitExceeded, match=r"limits\.max_query_window_seconds is 3600; ask for one part of it after the other"
    ):
        LIMITS.window(since, until, now=NOW)


def test_an_operator_may_look_back_as_far_as_lines_are_kept() -> None:
    """Seven days, and not a second more."""
    week = 7 * 86_400
    assert LIMITS.window(NOW - week, NOW, now=NOW, is_operator=True) == NOW - week
    assert LIMITS.window(None, None, now=NOW, is_operator=True) == NOW - HOUR
    with pytest.raises(LimitExceeded, match="is 604800"):
        LIMITS.window(NOW - week - 1, NOW, now=NOW, is_operator=True)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (-1, "the number of lines is -1; it must be a whole number from 0 to 9223372036854775807"),
        (1.5, "the number of lines is 1.5; it must be"),
        (True, "the number of lines is True; it must be"),
    ],
)
def test_what_is_no_number_of_lines_is_refused(wanted: Any, told: str) -> None:
    """-1 is 'all of them' to a database, so it passes no limit."""
    with pytest.raises(SelectionError) as refused:
        LIMITS.lines(wanted)
    assert str(refused.value).startswith(told)
    assert refused.value.error_class is ErrorClass.INVALID_ARGUMENT


@pytest.mark.parametrize("time", [math.nan, math.inf, -math.inf, -1e300, 10**30])
def test_what_is_no_time_is_refused(time: float) -> None:
    """At either end of a window: a comparison with it would let everything through."""
    for name, since, until in (("since", time, None), ("until", NOW, time)):
        with pytest.raises(SelectionError, match=rf"{name} is .*; it must be a time in Unix seconds, between the years"):
            LIMITS.window(since, until, now=NOW)


def bypasses(limits: Limits, combinations: int) -> int:
    """Ask for arbitrary windows and lines; how many were let through beyond a limit. Should be 0."""
    chance, passed = random.Random(20), 0
    for _ in range(combinations):
        since = chance.choice([None, NOW - chance.uniform(0, 3 * HOUR), 0.0, math.nan, -math.inf])
        until = chance.choice([None, NOW - chance.uniform(0, 2 * HOUR), NOW + chance.uniform(0, 2 * HOUR)])
        wanted = chance.choice([-1, 0, 1, 9_999, 10_000, 10_001, 10**9])
        try:
            begin, lines = limits.window(since, until, now=NOW), limits.lines(wanted)
        except (LimitExceeded, SelectionError):
            continue
        passed += not (NOW if until is None else until) - begin <= HOUR or not 0 <= lines <= 10_000
    return passed


def test_no_combination_gets_past_them() -> None:
    """Whatever is left out or combined, nobody reads more than an hour or 10 000 lines (R20)."""
    assert bypasses(LIMITS, 10_000) == 0


def test_mutant_that_forgets_open_windows_is_caught() -> None:
    """Limits that check a window only when both its ends are given let more through."""

    class Forgetful(Limits):
        def window(self, since: float | None, until: float | None, *, now: float, is_operator: bool = False) -> float:
            return since if since is not None and until is None else super().window(since, until, now=now)

    assert bypasses(Forgetful(), 1_000) > 0


def test_mutant_that_takes_any_number_of_lines_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that compare with the highest number only let -1 through, which a database takes for all of them."""
    monkeypatch.setattr(limits_module, "require_whole", lambda name, value, least: None)
    assert bypasses(LIMITS, 1_000) > 0


def test_a_second_holds_so_many_lines_and_no_more() -> None:
    """500 pass, the 501st does not; once dry it waits until it is half full, and never holds more than a second's worth."""
    clock = FixedClock()
    rate = LineRate(500, clock.monotonic)
    assert [rate.take() for _ in range(501)] == [True] * 500 + [False]
    clock.advance(0.4)
    assert not rate.take()
    clock.advance(0.1)
    assert [rate.take() for _ in range(251)] == [True] * 250 + [False]
    clock.advance(3_600)
    assert sum(rate.take() for _ in range(2_000)) == 500


def test_streams_per_token_and_per_org() -> None:
    """Five with one token, ten in an org; one more is refused with its reason and when to come back, others are not."""
    rejected: list[str] = []
    streams = Streams(LIMITS, on_rejected=rejected.append)
    with ExitStack() as held:
        for number in range(10):
            held.enter_context(streams.open("org_1", f"token_{number // 5}"))
        for token, reason, where in (("token_0", "token_limit", "with this token"), ("token_2", "org_limit", "in this org")):
            with pytest.raises(LimitExceeded) as refused, streams.open("org_1", token):
                pass
            assert (refused.value.error_class, refused.value.retry_after_s) == (ErrorClass.RATE_LIMITED, 10)
            assert f"{where}, as many as limits.max_log_streams allows" in str(refused.value)
            assert rejected[-1] == reason
        held.enter_context(streams.open("org_2", "token_0"))
        assert streams.active == 11
    assert streams.active == 0
    with streams.open("org_1", "token_0"):
        assert streams.active == 1


def most_open(operations: int) -> tuple[int, int]:
    """Open and close at random; the most streams one token and one org have had at once."""
    chance, streams = random.Random(5), Streams(LIMITS)
    stacks: list[tuple[str, str, ExitStack]] = []
    of_token = of_org = 0
    for _ in range(operations):
        if stacks and chance.random() < 0.4:
            stacks.pop(chance.randrange(len(stacks)))[2].close()
            continue
        org, token, stack = f"org_{chance.randint(1, 2)}", f"token_{chance.randint(1, 4)}", ExitStack()
        try:
            stack.enter_context(streams.open(org, token))
        except LimitExceeded:
            continue
        stacks.append((org, token, stack))
        of_org = max(of_org, sum(each[0] == org for each in stacks))
        of_token = max(of_token, sum(each[:2] == (org, token) for each in stacks))
    for _, _, stack in stacks:
        stack.close()
    assert streams.active == 0
    return of_token, of_org


def test_no_order_of_opening_and_closing_gets_past_them() -> None:
    """Both limits are reached and neither is passed (R20)."""
    assert most_open(3_000) == (5, 10)


def test_mutant_that_counts_orgs_only_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams that take every token for a new one pass the token's limit."""
    counting = iter(range(10**9))
    honest = streams_module.Streams.open
    monkeypatch.setattr(streams_module.Streams, "open", lambda self, org, token: honest(self, org, f"{token}{next(counting)}"))
    assert most_open(3_000)[0] > 5
