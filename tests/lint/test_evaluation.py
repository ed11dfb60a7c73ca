"""What names stand for, followed through a file and the files it imports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from obslib.lint.uses import LabelSet
from obslib.lint.value import Kind, Taint, Value
from tests.lint.conftest import Source

Write = Callable[..., Source]

_TAINTED = {
    "a request's attribute": ("def handle(request):\n    return request.url.path\nx = handle(1)", Taint.REQUEST),
    "a request by its type": (
        "from starlette.requests import Request as R\ndef handle(r: R):\n    p = r.headers['x']\n    return p\nx = handle(1)",
        Taint.REQUEST,
    ),
    "an exception's text": ("try:\n    pass\nexcept ValueError as error:\n    x = str(error)", Taint.EXCEPTION),
    "an exception in an f-string": ("try:\n    pass\nexcept ValueError as error:\n    x = f'a {error}'", Taint.EXCEPTION),
    "a part of a URL": ("from urllib.parse import urlsplit\ndef f(u: str):\n    return urlsplit(u).path\nx = f(q)", Taint.URL),
    "an exception's class": ("try:\n    pass\nexcept ValueError as error:\n    x = type(error).__name__", Taint.EXCEPTION),
    "a fresh id": ("import uuid as u\nx = str(u.uuid4())", Taint.ID),
    "an f-string": ("def name(n):\n    return f'a{n}'\nx = name(3)", Taint.FORMATTED),
    "percent formatting": ("def name(n):\n    return 'a%s' % n\nx = name(3)", Taint.FORMATTED),
    "str.format": ("def name(n):\n    return 'a{}'.format(n)\nx = name(3)", Taint.FORMATTED),
    "concatenation": ("def name(n):\n    return 'a' + n\nx = name(q)", Taint.FORMATTED),
    "a request in percent formatting": (
        "def handle(request):\n    return '%s%s' % ('a', request.url)\nx = handle(1)",
        Taint.REQUEST,
    ),
    "a request in a join": ("def handle(request):\n    return '-'.join(['a', request.url.path])\nx = handle(1)", Taint.REQUEST),
    "the clock": ("from time import time as now\nx = now()", Taint.UNBOUNDED),
    "one of two assignments": ("import uuid\nx = 'a'\nif 1:\n    x = uuid.uuid4().hex", Taint.ID),
    "an argument of a private function": (
        "def _name(n):\n    return n\ndef handle(request):\n    return _name(request.url)\nx = handle(1)",
        Taint.REQUEST,
    ),
    "a walrus": ("import uuid\n(x := uuid.uuid4())", Taint.ID),
    "an element of what is tainted": (
        "def f(request):\n    for x in request.headers:\n        return x\nx = f(1)",
        Taint.REQUEST,
    ),
}


@pytest.mark.parametrize(("text", "taint"), _TAINTED.values(), ids=list(_TAINTED))
def test_text_without_a_bound_is_known_by_where_it_comes_from(text: str, taint: Taint, source: Write) -> None:
    """A value keeps the taint of its source through assignments, calls, attributes and formatting."""
    found = source(text).of("x")
    assert (found.kind, found.taint) == (Kind.TAINTED, taint)


_BOUNDED = {
    "a constant": ("x = 'a'", {"a"}),
    "either of two": ("x = 'a' if q else 'b'", {"a", "b"}),
    "what a function returns": ("def f(n):\n    if n:\n        return 'a'\n    return 'b'\nx = f(1)", {"a", "b"}),
    "a literal type": ("from typing import Literal\ndef f(k: Literal['a', 'b']):\n    return k\nx = f(q)", {"a", "b"}),
    "an alias of a literal type": (
        "from typing import Literal\nK = Literal['a', 'b']\ndef f(k: K):\n    return k\nx = f(q)",
        {"a", "b"},
    ),
    "an optional literal": ("from typing import Literal\ndef f(k: Literal['a'] | None):\n    return k\nx = f(q)", {"a"}),
    "a member of an enumeration": ("from enum import StrEnum\nclass K(StrEnum):\n    A = 'a'\n    B = 'b'\nx = K.B", {"b"}),
    "any of an enumeration": ("from enum import StrEnum\nclass K(StrEnum):\n    A = 'a'\n    B = 'b'\nx = K(q)", {"a", "b"}),
    "a value in a table": ("T = {1: 'a', 2: 'b'}\nx = T[q]", {"a", "b"}),
    "a value in a table, or another": ("T = {1: 'a'}\nx = T.get(q, 'b')", {"a", "b"}),
    "an element of a tuple": ("for x in ('a', 'b'):\n    pass", {"a", "b"}),
    "a place in pairs": ("for x, y in (('a', 1), ('b', 2)):\n    pass", {"a", "b"}),
    "bounded texts put together": ("def f(k):\n    return f'{k}x'\nK = 'a'\nx = f'{K}x'", {"ax"}),
    "an attribute of one's own exception": (
        "from typing import Literal\n"
        "class Refused(Exception):\n    def __init__(self, why: Literal['a', 'b']) -> None:\n        self.why = why\n"
        "try:\n    pass\nexcept Refused as refused:\n    x = refused.why",
        {"a", "b"},
    ),
    "an element of two tuples": ("A = ('a',)\nfor x in A + ('b',):\n    pass", {"a", "b"}),
    "lower case": ("x = 'A'.lower()", {"a"}),
    "a class of errors": (
        "from obslib import ErrorClass\nfrom obslib.errors import ErrorClass as E\nx = E.TIMEOUT",
        {"timeout"},
    ),
}


@pytest.mark.parametrize(("text", "texts"), _BOUNDED.values(), ids=list(_BOUNDED))
def test_bounded_text_is_followed_to_its_values(text: str, texts: set[str], source: Write) -> None:
    """What can only be one of a few texts is known as these."""
    found = source(text).of("x")
    assert (found.kind, found.texts) == (Kind.TEXT, frozenset(texts))


_THINGS = {
    "start": ("import obslib\nx = obslib.start('agent')", Kind.OBSERVABILITY),
    "start under another name": ("from obslib import start as begin\nx = begin('agent')", Kind.OBSERVABILITY),
    "a child component": ("import obslib as o\nx = o.start('agent').component('edge')", Kind.OBSERVABILITY),
    "an annotated parameter": ("import obslib\ndef f(o: obslib.Observability):\n    return o\nx = f(1)", Kind.OBSERVABILITY),
    "a logger": ("import obslib\nx = obslib.start('agent').log.bind(a=1)", Kind.LOG),
    "an attribute of self": (
        "import obslib\nclass A:\n    def __init__(self, obs: obslib.Observability):\n        self._obs = obs\n"
        "    def log(self):\n        return self._obs.log\nx = A(1).log()",
        Kind.LOG,
    ),
    "an attribute of a data class": (
        "import obslib\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    obs: obslib.Observability\nx = A(1).obs",
        Kind.OBSERVABILITY,
    ),
    "an attribute of a base class": (
        "import obslib\nclass A:\n    def __init__(self, obs: obslib.Observability):\n        self.obs = obs\n"
        "class B(A):\n    pass\nx = B(1).obs",
        Kind.OBSERVABILITY,
    ),
    "an unannotated parameter by custom": ("import obslib\ndef f(obs):\n    return obs.log\nx = f(q)", Kind.LOG),
    "an attribute by custom": ("import obslib\ndef f(app):\n    return app.state.obs\nx = f(q)", Kind.OBSERVABILITY),
    "an import by custom": ("from obslib.catalog import common\nfrom elsewhere import obs as x", Kind.OBSERVABILITY),
    "a logger by custom": ("import logging\ndef f(logger):\n    return logger\nx = f(q)", Kind.STDLIB_LOG),
    "structlog": ("import structlog\nx = structlog.get_logger()", Kind.STRUCTLOG),
    "the standard library's logger": ("from logging import getLogger as g\nx = g(__name__)", Kind.STDLIB_LOG),
    "a tracer": ("from opentelemetry import trace as t\nx = t.get_tracer('x')", Kind.TRACER),
    "a meter": ("from opentelemetry.metrics import get_meter\nx = get_meter('x')", Kind.METER),
}


@pytest.mark.parametrize(("text", "kind"), _THINGS.values(), ids=list(_THINGS))
def test_telemetry_objects_are_known(text: str, kind: Kind, source: Write) -> None:
    """Loggers, registries and tracers are recognised whatever they are called and wherever they are kept."""
    assert source(text).of("x").kind is kind


def test_a_declaration_of_another_module_is_read_there(source: Write) -> None:
    """A project's declarations are read from its source, through a relative import and an alias of the label."""
    found = source(
        "from billing.signals import INVOICES as x\n",
        billing____init__="",
        billing__labels="from typing import Annotated, Literal\nfrom obslib.catalog import Label\n"
        "KIND = Label.closed('kind', at_most=3)\nKind = Annotated[Literal['a', 'b'], KIND]\n",
        billing__signals="from obslib.catalog import counter as c\nfrom .labels import Kind\n"
        "@c('invoices_total', serves=('B-1',))\ndef INVOICES(*, kind: Kind) -> None:\n    '''Invoices.'''\n",
    ).of("x")
    assert found.signal is not None
    assert (found.kind, found.signal.name, found.signal.labels["kind"].values) == (
        Kind.DECLARED, "invoices_total", frozenset({"a", "b"}),
    )  # fmt: skip


def test_a_name_that_a_module_does_not_have_is_missing(source: Write) -> None:
    """A misspelt declaration is not merely unknown, in our catalog and in the project's own."""
    written = source(
        "from obslib.catalog.platform import data_plane as s\nimport mine\nx = s.NO_SUCH\ny = mine.NO_SUCH\n", mine="A = 1\n"
    )
    assert written.of("x").kind is Kind.MISSING
    assert written.of("y").kind is Kind.MISSING


_LABELS = {
    "called": "fam.labels(kind=q)",
    "bound first": "labels = fam.labels\nlabels(kind=q)",
    "partial": "from functools import partial\npartial(fam.labels, kind=q)",
    "a partial called": "import functools as f\ngiven = f.partial(fam.labels)\ngiven(kind=q)",
    "a literal dict": "fam.labels(**{'kind': q})",
    "a dict by name": "given = {'kind': q}\nfam.labels(**given)",
    "a dict by call": "given = dict(kind=q)\nfam.labels(**given)",
    "nested dicts": "given = {**{'kind': q}}\nfam.labels(**given)",
    "a comprehension": "[fam.labels(kind=q) for each in every]",
    "a nested function": "def a():\n    def b():\n        fam.labels(kind=q)",
    "a lambda": "later = lambda: fam.labels(kind=q)",
    "a decorator's argument": "@wrap(fam.labels(kind=q))\ndef a(): ...",
}


@pytest.mark.parametrize("text", _LABELS.values(), ids=list(_LABELS))
def test_a_label_set_is_seen_however_it_is_written(text: str, source: Write) -> None:
    """The labels a family is given are found through aliases, partials and dicts."""
    start = (
        "import obslib\nfrom obslib.catalog.platform import data_plane as s\n"
        "fam = obslib.start('agent').metrics[s.AGENT_INSTANCES]\n"
    )
    found = source(start + text).uses(LabelSet)
    assert any(dict(use.arguments.named).keys() == {"kind"} for use in found if isinstance(use, LabelSet))


def test_what_cannot_be_taken_apart_is_kept_as_unclear(source: Write) -> None:
    """Labels from a dict that somebody else fills are not passed over in silence."""
    [use] = source(
        "import obslib\nfrom obslib.catalog.platform import data_plane as s\n"
        "def f(given):\n    obslib.start('agent').metrics[s.AGENT_INSTANCES].labels(**given)\n"
    ).uses(LabelSet)
    assert isinstance(use, LabelSet)
    assert len(use.arguments.unclear) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from typing import Union\nJ = Union[dict[str, 'J'], list['J'], str]\ndef f(j: J):\n    g(j.a)",
        "type = 3",
        "x = x",
        "x = {**x}",
        "def f():\n    return f()\nx = f()",
        "x, y = y, x",
        "class A(A):\n    pass\nx = A().b",
    ],
)
def test_a_question_that_comes_back_to_itself_ends(text: str, source: Write) -> None:
    """Circular definitions are unknown, not endless."""
    source(text + "\nprint(**x)\n").uses()


def test_modules_that_import_from_each_other_are_followed_once(source: Write) -> None:
    """A name that two modules hand to each other is unknown; the others of the circle are still found."""
    written = source(
        "from one import x, y\n", one="from two import x\nfrom three import y\n", two="from one import x\n",
        three="import obslib\nfrom one import y as z\ny = obslib.start('agent')\n",
    )  # fmt: skip
    assert written.of("x").kind is Kind.UNKNOWN
    assert written.of("y").kind is Kind.OBSERVABILITY


@pytest.mark.parametrize("length", [10, 1_000])
def test_a_chain_of_names_of_any_length_has_an_end(length: int, source: Write) -> None:
    """A value is followed as far as people would; past that it is unknown, and no error."""
    chain = "x0 = 'a'\n" + "".join(f"x{n} = x{n - 1}\n" for n in range(1, length))
    assert source(chain).of(f"x{length - 1}").kind is (Kind.TEXT if length == 10 else Kind.UNKNOWN)


def test_custom_is_not_believed_where_the_library_is_not_used(source: Write) -> None:
    """An ``obs`` in a program without obslib may be anything."""
    assert source("def f(obs, log):\n    return obs.log\nx = f(q)").of("x").kind is Kind.UNTYPED


def test_obslibs_own_names_mean_the_same_where_its_source_is_at_hand(source: Write) -> None:
    """A project that holds obslib itself, as ours does, sees telemetry objects and not classes like any other."""
    written = source(
        "import obslib\nfrom obslib.runtime import Observability as O\ndef f(o: O):\n    return o\nx = f(1)\n"
        "y = obslib.start('a')\n",
        obslib____init__="from obslib.runtime import start\n",
        obslib__runtime="class Observability:\n    log = None\ndef start(name) -> Observability: ...\n",
    )
    assert written.of("x").kind is written.of("y").kind is Kind.OBSERVABILITY


def test_one_of_several_declarations_is_none_in_particular(source: Write) -> None:
    """Labels are not held against the first of the declarations that a name can be."""
    looked = source(
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s
        def f(obs: Observability):
            for family in (s.AGENT_INSTANCES, s.AGENT_BACKOFFS):
                return obs.metrics[family]
        x = f(1)
        """
    )
    assert looked.of("x") == Value(Kind.FAMILY)


def test_what_a_catalog_holds_is_declared(source: Write) -> None:
    """Code that goes through a catalog binds declarations, of the kind it asks for."""
    looked = source(
        """
        from obslib.catalog import Catalog, Counter
        from obslib.catalog.platform import PLATFORM
        def f(catalog: Catalog):
            for family in catalog.extend("shop").of(Counter):
                return family
        x = f(1)
        y = next(iter(PLATFORM.of(Counter)))
        """
    )
    assert looked.of("x") == looked.of("y") == Value(Kind.DECLARATION, name="Counter")


def test_a_module_of_the_standard_library_is_no_request(source: Write) -> None:
    """``urllib.request`` is called like one."""
    found = source("import urllib.request\nx = urllib.request.urlopen").of("x")
    assert (found.kind, found.name) == (Kind.IMPORTED, "urllib.request.urlopen")


def test_what_a_class_of_a_library_makes_is_known_by_its_class(source: Write) -> None:
    """Through a ``with`` too; what a function of a library gives is not known."""
    written = source("import httpx\nwith httpx.Client() as x:\n    pass\ny = httpx.get(q)")
    assert (written.of("x").kind, written.of("x").name) == (Kind.FOREIGN, "httpx.Client")
    assert written.of("y").kind is Kind.UNKNOWN


_UNTYPED = {
    "a parameter": "def f(p):\n    return p\nx = f(q)",
    "an attribute of one": "def f(p):\n    return p.kind.value\nx = f(q)",
    "an item of one": "def f(p):\n    return p['kind']\nx = f(q)",
    "what a method of one gives": "def f(p):\n    return p.kind()\nx = f(q)",
    "an element of one": "def f(p):\n    for each in p:\n        return each\nx = f(q)",
    "one of two, the other known": "def f(p):\n    return p if q else 'a'\nx = f(q)",
}


@pytest.mark.parametrize("text", _UNTYPED.values(), ids=list(_UNTYPED))
def test_what_nobody_gives_a_type_is_told_from_what_is_merely_not_followed(text: str, source: Write) -> None:
    """No type checker looks at an unannotated parameter, so a rule may have to."""
    assert source(text).of("x").kind is Kind.UNTYPED


def test_a_typed_parameter_and_that_of_a_lambda_are_not_untyped(source: Write) -> None:
    """The type checker knows what they are although the linter does not."""
    assert source("from elsewhere import T\ndef f(p: T):\n    return p.kind\nx = f(q)").of("x").kind is Kind.UNKNOWN
    assert source("f = lambda p: p\nx = f(q)").of("x").kind is Kind.UNKNOWN
