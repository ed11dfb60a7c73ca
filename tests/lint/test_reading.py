"""What a file does with telemetry, and where it stands, as rules are told."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from obslib.lint.uses import Binding, CheckBound, FunctionDefined, LogCall, Printed
from obslib.lint.value import Kind
from tests.lint.conftest import Source

Write = Callable[..., Source]

_ROUTES = {
    "a decorator": "@app.get('/livez')\nasync def live(): ...",
    "a decorator with a keyword": "@app.get(path='/livez')\nasync def live(): ...",
    "a Route": "def live(request): ...\nroutes = [Route('/livez', live)]",
    "a Route by keyword": "def live(request): ...\nroutes = [Route('/livez', endpoint=live)]",
    "a method": "class App:\n    def live(self): ...\n    def routes(self):\n        self.add('/livez', self.live)",
    "a partial": "from functools import partial\ndef live(db): ...\napp.add_route('/livez', partial(live, 3))",
    "an endpoint class": "class Live:\n    async def get(self, request): ...\nroutes = [Route('/livez', Live)]",
    "a path without a slash": "def live(request): ...\nurlpatterns = [path('livez', live)]",
}


@pytest.mark.parametrize("text", _ROUTES.values(), ids=list(_ROUTES))
def test_a_function_is_known_by_the_paths_that_lead_to_it(text: str, source: Write) -> None:
    """A route is found whether a decorator, a table or a call makes it."""
    found = [use for use in source(text).uses(FunctionDefined) if isinstance(use, FunctionDefined)]
    assert [use.routes for use in found if use.function.name in {"live", "get"}] == [("/livez",)]


def test_a_call_knows_whether_an_exception_is_being_handled(source: Write) -> None:
    """Only what runs inside an except block is, not what is merely defined there."""
    found = source(
        """
        import logging
        logging.error("outside")
        try:
            logging.error("tried")
        except OSError:
            logging.error("caught")
            def later():
                logging.error("defined")
            for each in (1, 2):
                logging.error("looped")
        """
    ).uses(LogCall)
    assert [use.site.caught is not None for use in found] == [False, False, True, False, True]


def test_a_check_is_bound_by_its_component_or_by_its_health(source: Write) -> None:
    """``obs.health.check`` binds as ``obs.check`` does; a partial binds nothing until it is called."""
    written = source(
        """
        import obslib
        from functools import partial
        from obslib.catalog.platform import data_plane as s
        obs = obslib.start("agent")
        obs.health.check(s.DISK_OK, deadline=1)(disk)
        later = partial(obs.check, s.KVM_OK)
        later(deadline=2)(kvm)
        """
    )
    bound = [use for use in written.uses(CheckBound) if isinstance(use, CheckBound)]
    assert [(use.value.signal and use.value.signal.name, len(use.arguments.named)) for use in bound] == [
        ("disk_ok", 1), ("kvm_ok", 1),
    ]  # fmt: skip
    assert {use.through for use in written.uses(Binding) if isinstance(use, Binding)} == {"check"}


_PRINTING = (
    "print(1)", "from builtins import print as p\np(1)", "say = print\nsay(1)", "import sys\nsys.stdout.write('a')",
    "from sys import stderr\nstderr.writelines(['a'])", "import sys as s\ns.stdout.buffer.write(b'a')",
    "import traceback\ntraceback.print_exc()", "from pprint import pprint\npprint({})",
)  # fmt: skip


@pytest.mark.parametrize("text", _PRINTING)
def test_writing_to_the_terminal_is_seen_however_it_is_spelt(text: str, source: Write) -> None:
    """print, the standard streams and what writes to them."""
    assert len(source(text).uses(Printed)) == 1


def test_a_secret_that_cannot_be_shown_is_known_as_one(source: Write) -> None:
    """By its call, by its annotation, and no longer once it is revealed."""
    written = source(
        """
        import obslib
        from pydantic import SecretStr
        x = obslib.Secret("a")
        def f(given: obslib.Secret[str], other: SecretStr | None):
            return given, other
        y, z = f(1)[0], x.reveal()
        """
    )
    assert written.of("x").kind is Kind.SECRET
    assert written.of("z").kind is not Kind.SECRET


def test_the_source_of_a_node_is_what_is_written_on_one_line(source: Write) -> None:
    """Across lines, behind characters of several bytes, for a node that was not written at all."""
    written = source("x = 'ä', call(1,\n   2)  # after\n")
    call = next(site.node for site in written.module.survey.sites)
    assert written.file.source(call) == "call(1, 2)"
    assert written.file.source(ast.Name(id="nowhere")) == ""
