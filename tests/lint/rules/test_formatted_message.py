"""A message that is put together at runtime is repaired where the line says the same afterwards, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from obslib.lint import Project, check
from obslib.lint.rules.formatted_message import FormattedMessage

_PATH = Path("/no/such/example.py")
_HEAD = "import logging, obslib\nfrom functools import partial\nobs = obslib.start('agent')\nlogger = logging.getLogger()\n"

_CERTAIN = {
    "logger.info('order %s of %d' % (order, count))": "logger.info('order %s of %d', order, count)",
    "logger.info('order %s' % (order,), exc_info=True)": "logger.info('order %s', order, exc_info=True)",
    "logger.info(f'order {order!s} is {share!r} of 100%')": 'logger.info("order %s is %r of 100%%", order, share)',
    "logging.log(20, f'{order.id!a}\"')": "logging.log(20, '%a\"', order.id)",
    "partial(logger.info, '%s' % (order,))": "partial(logger.info, '%s', order)",
}


@pytest.mark.parametrize(("given", "repaired"), _CERTAIN.items())
def test_the_standard_librarys_logger_formats_what_was_formatted_before(given: str, repaired: str) -> None:
    """The text is the same; it is only put together where a line is written."""
    assert _repaired(given) == repaired


_UNCERTAIN = (
    "logger.info('order %s' % order)", "logger.info(f'order {order}')", "logger.info(f'order {order!s:>8}')",
    "logger.info('order {}'.format(order))", "logger.info('order ' + order)", "logger.info('order %s' % (*order,))",
    "logger.info(f'order {order!s} %s', order)", "obs.log.info(f'order {order!s}')", "logger.info(msg='order %s' % (order,))",
    "message = f'{order!s}'\nlogger.info(message)", "logger.info('order %s' %\n (order,))",
)  # fmt: skip


@pytest.mark.parametrize("given", _UNCERTAIN)
def test_what_could_say_something_else_is_left_to_its_author(given: str) -> None:
    """A tuple, a value's own format, a field that needs a name: reported, not touched."""
    assert _repaired(given) == given


def _repaired(text: str) -> str:
    [finding] = check(_PATH, _HEAD + text, Project(), [FormattedMessage]).findings
    lines = (_HEAD + text).split("\n")
    for edit in finding.edits:
        place = edit.place
        assert place.line == place.end_line
        line = lines[place.line - 1]
        lines[place.line - 1] = line[: place.column - 1] + edit.text + line[place.end_column - 1 :]
    return "\n".join(lines)[len(_HEAD) :]
