"""``obslib budget``: what to ask, how it is answered, for people and for programs."""

from obslib.cli.budget.command import add

__all__ = ["add"]
