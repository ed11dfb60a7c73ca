"""What a process is told by its environment is checked, whatever kind of figure it is."""

from __future__ import annotations

import pytest

from miniplatform.config import ConfigError, Timings


def test_periods_may_have_fractions_and_counts_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """``MINI_<NAME>`` overrides a default; the others stay."""
    monkeypatch.setenv("MINI_SNIFF_TIMEOUT_S", "0.5")
    monkeypatch.setenv("MINI_MAX_CONNECTIONS", "3")
    assert Timings.from_environment() == Timings(sniff_timeout_s=0.5, max_connections=3)


@pytest.mark.parametrize(
    ("variable", "value", "what"),
    [
        ("MINI_MAX_CONNECTIONS", "0.5", "whole number"),
        ("MINI_MAX_CONNECTIONS", "0", "whole number"),
        ("MINI_RESTARTS", "many", "whole number"),
        ("MINI_SNIFF_TIMEOUT_S", "-1", "number of seconds"),
        ("MINI_SNIFF_TIMEOUT_S", "nan", "number of seconds"),
    ],
)
def test_what_is_no_figure_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, what: str) -> None:
    """The sentence has the variable, its value and what it should be."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as refused:
        Timings.from_environment()
    assert str(refused.value) == f"{variable} is {value!r}; it must be a positive {what}"
