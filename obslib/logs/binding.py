"""What is bound to a logger and to the work at hand, rendered once and kept.

Ambient contexts are frozen, so what was rendered from one is kept under its identity for as long as few enough of
them are in use at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from obslib.context import Ambient, current
from obslib.guard import Guard
from obslib.logs.admission import Admission, Shape
from obslib.redaction import Redactor

__all__ = ["Binding", "ContextRenderer", "Rendered", "members"]

_MOST_KEPT = 256
_MOST_SHAPES = 64
_LONGEST_REQUEST_ID = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The part of a line that one binding and one ambient context decide.

    ``request`` is the request id member, ``members`` all others with a comma before each, ``values`` the same
    unrendered and without the constant ones, for lines that override some. ``shapes`` are the combinations of call
    fields seen on top of it.
    """

    ambient: Ambient
    names: frozenset[str]
    values: dict[str, object]
    request: str
    members: str
    epoch: object
    shapes: dict[tuple[str, ...], Shape | None]


_NEVER = Rendered(ambient=Ambient(), names=frozenset(), values={}, request="", members="", epoch=object(), shapes={})


class Binding:
    """The fields bound to one logger; never changed, so that loggers may share it."""

    __slots__ = ("fields", "last", "rendered")

    def __init__(self, fields: Mapping[str, object]) -> None:
        self.fields = fields
        self.rendered: dict[int, Rendered] = {}
        self.last: Rendered = _NEVER


class ContextRenderer:
    """Finds or makes what a binding looks like in the ambient context of the caller.

    What was rendered in an earlier ``epoch`` is no longer good.
    """

    def __init__(self, *, constant: Mapping[str, str], admission: Admission, redactor: Redactor, guard: Guard) -> None:
        self._constant = members(constant)
        self._admission = admission
        self._redactor = redactor
        self._guard = guard
        self.epoch = object()

    def __call__(self, binding: Binding) -> Rendered:
        """Redaction and id checks happen here, once, not on each line."""
        ambient = current()
        found = binding.rendered.get(id(ambient))
        if found is None or found.ambient is not ambient or found.epoch is not self.epoch:
            found = self._render(binding, ambient)
        binding.last = found
        return found

    def fit(self, rendered: Rendered, names: tuple[str, ...]) -> Shape | None:
        """The shape of these names on top of what is bound; None when they override something or need a closer look."""
        shape = self._admission.shape(names)
        if shape is not None and not shape.names.isdisjoint(rendered.names):
            shape = None
        if len(rendered.shapes) >= _MOST_SHAPES:
            rendered.shapes.clear()
        rendered.shapes[names] = shape
        return shape

    def forget(self) -> None:
        """Render everything anew, because what counts as a secret has changed."""
        self._admission.forget()
        self.epoch = object()

    def _render(self, binding: Binding, ambient: Ambient) -> Rendered:
        values = self._admission.admit(ambient.fields, with_tenant=True) if ambient.fields else {}
        if binding.fields:
            values |= self._admission.admit(binding.fields)
        if len(binding.rendered) >= _MOST_KEPT:
            binding.rendered.clear()
        rendered = Rendered(
            ambient=ambient,
            names=frozenset(values),
            values=values,
            request=',"request_id":' + orjson.dumps(self._request_id(ambient.request_id)).decode(),
            members=self._constant + members(values),
            epoch=self.epoch,
            shapes={},
        )
        binding.rendered[id(ambient)] = rendered
        return rendered

    def _request_id(self, given: object) -> str:
        """A client's id is opaque, but must be printable and short."""
        if given == "" or given is None:
            return ""
        text = given[:_LONGEST_REQUEST_ID] if isinstance(given, str) else ""
        if not text.isprintable() or not text:
            self._guard.note("invalid_id", "request_id is not printable text")
            return "_invalid"
        return self._redactor.text(text)[:_LONGEST_REQUEST_ID]


def members(values: Mapping[str, object]) -> str:
    """JSON members with a comma before each; empty when there are none."""
    return "," + orjson.dumps(dict(values)).decode()[1:-1] if values else ""
