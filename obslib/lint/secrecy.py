"""Which expressions hold a secret: by the names they are taken from, wherever the value goes afterwards.

The redactor knows a secret by the name of its field. Under another name, ``key=config.api_key``, only the place where it
comes from tells, and that is in the source.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import lru_cache

from obslib.lint.scope import Scope
from obslib.lint.uses import File
from obslib.lint.value import Kind, Value
from obslib.redaction.names import is_secret_name
from obslib.redaction.shapes import scrub_credentials, scrub_pem, scrub_runs, scrub_urls
from obslib.redaction.tokens import scrub_tokens

__all__ = ["is_harmless", "secret_in"]

_LOOKUPS = frozenset({"get", "getenv", "pop", "getlist", "get_all", "setdefault", "getone", "getattr"})
_REVEALING = frozenset({"reveal", "get_secret_value"})
_WHOLE = frozenset({"headers", "environ", "cookies"})
_SAME_TEXT = frozenset({
    "decode", "encode", "strip", "lstrip", "rstrip", "lower", "upper", "replace", "removeprefix", "removesuffix", "split",
    "partition", "rpartition", "copy", "hex", "format", "join", "title", "ljust", "rjust", "zfill", "items", "values",
})  # fmt: skip
_SHOWING = frozenset({
    "builtins.str", "builtins.repr", "builtins.ascii", "builtins.bytes", "builtins.format", "builtins.dict", "builtins.list",
    "builtins.tuple", "builtins.sorted", "builtins.vars", "json.dumps", "base64.b64encode", "base64.b64decode",
    "base64.urlsafe_b64encode", "urllib.parse.quote", "urllib.parse.unquote", "typing.cast", "copy.copy", "copy.deepcopy",
    "textwrap.shorten", "pprint.pformat",
})  # fmt: skip
_BUILDING = frozenset({"format", "join"})
_CODE = frozenset({Kind.FUNCTION, Kind.CLASS, Kind.METHOD})
_GETTERS = ("get_", "read_", "load_", "fetch_")
_GUESSED = frozenset({"high_entropy"})
"""What may as well be a checksum: a constant is not reported for its looks alone."""
_MOST_SHOWN = 8
"""So many characters tell which constant is meant, and not the secret."""
_TRUTHS = frozenset({"True", "False", "None", ""})


def secret_in(node: ast.expr | None, scope: Scope, file: File) -> str:
    """The source of a secret that the expression would show; empty when none can be told."""
    return "" if node is None else _Search(file).within(node, scope)


def is_harmless(value: Value) -> bool:
    """Whether a value under a secret's name is none: a ``Secret``, a number, a truth, nothing."""
    if value.kind in {Kind.SECRET, Kind.NUMBER}:
        return True
    return value.kind is Kind.TEXT and value.texts is not None and all(map(_is_no_text, value.texts))


class _Search:
    """One look through an expression and the names in it; what was looked at is not looked at again."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.seen: set[int] = set()

    def within(self, node: ast.expr, scope: Scope) -> str:
        """The first secret in the expression, or in what its name was given before."""
        for each, home in self.file.written(node, scope):
            if id(each) not in self.seen:
                self.seen.add(id(each))
                found = self._secret(each, home)
                if found:
                    return found
        return self._named(node, node.id, scope) if isinstance(node, ast.Name) else ""

    def _any(self, nodes: Iterable[ast.expr], scope: Scope) -> str:
        return next((found for each in nodes if (found := self.within(each, scope))), "")

    def _secret(self, node: ast.expr, scope: Scope) -> str:
        shaped = next(filter(_is_shaped, self.file.value(node, scope).texts or ()), "")
        if shaped:
            return f"{shaped[:_MOST_SHOWN]}…"
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return self._named(node, name, scope)
            case ast.Subscript(value=base, slice=key):
                return self._item(node, base, key, scope)
            case ast.Call():
                return self._called(node, scope)
            case ast.JoinedStr(values=parts) | ast.BoolOp(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
                return self._any(parts, scope)
            case ast.FormattedValue(value=inner) | ast.Await(value=inner) | ast.NamedExpr(value=inner):
                return self.within(inner, scope)
            case ast.Starred(value=inner):
                return self.within(inner, scope)
            case ast.BinOp(left=left, op=ast.Add() | ast.Mod() | ast.BitOr(), right=right) | ast.IfExp(body=left, orelse=right):
                return self._any((left, right), scope)
            case ast.Dict(keys=keys, values=values):
                return self._mapped(keys, values, scope)
        return ""

    def _named(self, node: ast.Name | ast.Attribute, name: str, scope: Scope) -> str:
        if isinstance(node, ast.Attribute) and name in _WHOLE:
            return self.file.source(node)
        if not is_secret_name(name):
            return ""
        value = self.file.value(node, scope)
        is_kind = value.kind is Kind.TEXT and (isinstance(node, ast.Attribute) or _is_about(value))
        is_code = value.kind in _CODE or (value.kind is Kind.IMPORTED and not name.isupper())
        return "" if is_harmless(value) or is_kind or is_code else self.file.source(node)

    def _item(self, node: ast.Subscript, base: ast.expr, key: ast.expr, scope: Scope) -> str:
        if self._is_secret_key(key, scope):
            return self.file.source(node)
        name = getattr(base, "attr", getattr(base, "id", ""))
        about = [f"{name}_{each}" for each in self.file.value(key, scope).texts or ()] if isinstance(key, ast.Constant) else []
        if is_secret_name(name) and about and not any(map(is_secret_name, about)):
            return ""
        is_one_of_many = isinstance(base, ast.Attribute) and base.attr in _WHOLE and not is_secret_name(base.attr)
        return "" if is_one_of_many else self.within(base, scope)

    def _called(self, node: ast.Call, scope: Scope) -> str:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        base = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        if (
            (name in _REVEALING and base and not node.args)
            or (name in _LOOKUPS and any(self._is_secret_key(each, scope) for each in node.args[:2]))
            or (name.startswith(_GETTERS) and is_secret_name(name))
        ):
            return self.file.source(node)
        callee = self.file.value(node.func, scope)
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if callee.kind is Kind.IMPORTED:
            return self._any(given, scope) if callee.name in _SHOWING else ""
        return self._any((*base, *given) if name in _BUILDING else base, scope) if name in _SAME_TEXT else ""

    def _mapped(self, keys: list[ast.expr | None], values: list[ast.expr], scope: Scope) -> str:
        for key, value in zip(keys, values, strict=True):
            is_secret = key is not None and self._is_secret_key(key, scope) and not is_harmless(self.file.value(value, scope))
            found = self.file.source(value) if is_secret else self.within(value, scope)
            if found:
                return found
        return ""

    def _is_secret_key(self, key: ast.expr, scope: Scope) -> bool:
        value = self.file.value(key, scope)
        return value.kind is Kind.TEXT and value.texts is not None and any(map(is_secret_name, value.texts))


@lru_cache(maxsize=4_096)
def _is_shaped(text: str) -> bool:
    """Whether a constant is a key, a token or an address with a password in it, whatever it is called."""
    found: set[str] = set()

    def hit(kind: str) -> str:
        found.add(kind)
        return ""

    for scrub in (scrub_pem, scrub_urls, scrub_credentials, scrub_tokens, scrub_runs):
        scrub(text, hit)
    return bool(found - _GUESSED)


def _is_about(value: Value) -> bool:
    """A constant called ``TOKEN`` that holds the word itself is the name of something, not the thing."""
    return value.texts is None or any(len(each) < 6 or is_secret_name(each) for each in value.texts)


def _is_no_text(text: str) -> bool:
    return text in _TRUTHS or text.replace(".", "", 1).isdigit()
