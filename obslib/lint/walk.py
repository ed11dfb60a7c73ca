"""One walk over a module: who binds which name where, and the places at which telemetry can happen."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from obslib.lint.flow import regions
from obslib.lint.scope import Binding, Comprehension, Function, How, Scope
from obslib.lint.survey import Item, Site, Survey

__all__ = ["survey"]


def survey(tree: ast.Module) -> Survey:
    """Walk the module once."""
    walker = _Walker(Survey(scope=Scope(tree)))
    for statement in tree.body:
        walker.visit(statement)
    return walker.survey


class _Walker:
    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.scope = survey.scope
        self.loop: ast.AST | None = None
        self.caught: ast.ExceptHandler | None = None
        self.until = 1 << 30
        self._methods: dict[type[ast.AST], Callable[[Any], None]] = {
            ast.Name: _leaf, ast.Constant: _leaf, ast.Attribute: self._attribute, ast.Call: self._call,
            ast.Subscript: self._subscript, ast.Import: self._import, ast.ImportFrom: self._import_from,
            ast.Assign: self._assign, ast.AnnAssign: self._annotated, ast.AugAssign: self._augmented,
            ast.NamedExpr: self._walrus, ast.If: self._test, ast.Assert: self._test, ast.Match: self._test,
            ast.For: self._for, ast.AsyncFor: self._for, ast.While: self._while,
            ast.withitem: self._with, ast.ExceptHandler: self._except, ast.MatchAs: self._match, ast.Global: self._global,
            ast.Nonlocal: self._global, ast.Return: self._return, ast.Yield: self._yield,
            ast.FunctionDef: self._define, ast.AsyncFunctionDef: self._define, ast.Lambda: self._lambda,
            ast.ClassDef: self._class, ast.ListComp: self._comprehension, ast.SetComp: self._comprehension,
            ast.GeneratorExp: self._comprehension, ast.DictComp: self._comprehension,
        }  # fmt: skip
        if hasattr(ast, "TypeAlias"):
            self._methods[ast.TypeAlias] = self._type_alias

    def visit(self, node: ast.AST) -> None:
        self._methods.get(type(node), self.descend)(node)

    def descend(self, node: ast.AST) -> None:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                self.visit(value)
            elif isinstance(value, list) and value:
                if isinstance(value[0], ast.stmt) and not isinstance(node, (ast.With, ast.AsyncWith)):
                    self._block(value)
                    continue
                for item in value:
                    if isinstance(item, ast.AST):
                        self.visit(item)

    def _note(self, node: ast.expr | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.survey.sites.append(Site(node, self.scope, self.loop, self.caught))

    def _attribute(self, node: ast.Attribute) -> None:
        self.visit(node.value)

    def _call(self, node: ast.Call) -> None:
        self._note(node)
        match node.func:
            case ast.Attribute(value=ast.Name(id=name), attr="update" | "setdefault"):
                self._fill(name)
        self.visit(node.func)
        for argument in node.args:
            self.visit(argument)
        for keyword in node.keywords:
            self.visit(keyword.value)

    def _subscript(self, node: ast.Subscript) -> None:
        if isinstance(node.ctx, ast.Load):
            self._note(node)
        self.visit(node.value)
        self.visit(node.slice)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.survey.modules.add(alias.name)
            bound = alias.asname or alias.name.partition(".")[0]
            target = alias.name if alias.asname else bound
            self.scope.bind(bound, Binding(How.IMPORTED, node, self.scope, name=target))

    def _import_from(self, node: ast.ImportFrom) -> None:
        origin = "." * node.level + (node.module or "")
        if not node.level:
            self.survey.modules.add(origin)
        for alias in node.names:
            separator = "" if origin.endswith(".") else "."
            self.scope.bind(
                alias.asname or alias.name, Binding(How.IMPORTED, node, self.scope, name=f"{origin}{separator}{alias.name}")
            )

    def _assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._bind(target, How.ASSIGNED, node.value)
            self._look_into(target)
        self.visit(node.value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._bind(node.target, How.ASSIGNED, node.value, annotation=node.annotation)
            self.visit(node.value)
        else:
            self._bind(node.target, How.ANNOTATED, node, annotation=node.annotation)
        self._look_into(node.target)

    def _augmented(self, node: ast.AugAssign) -> None:
        joined = ast.BinOp(left=_loaded(node.target), op=node.op, right=node.value)
        self._bind(node.target, How.ASSIGNED, ast.copy_location(joined, node))
        self.visit(node.value)

    def _walrus(self, node: ast.NamedExpr) -> None:
        self.scope.inline.bind(node.target.id, Binding(How.ASSIGNED, node.value, self.scope))
        self.visit(node.value)

    def _type_alias(self, node: Any) -> None:
        self._bind(node.name, How.ASSIGNED, node.value)

    def _test(self, node: ast.If | ast.Assert | ast.Match) -> None:
        self._narrow(node)
        self.descend(node)

    def _narrow(self, node: ast.If | ast.Assert | ast.Match | ast.While) -> None:
        for region in regions(node, self.scope):
            self.survey.regions.setdefault(region.narrowing.path, []).append(region)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._bind(node.target, How.ELEMENT, node.iter)
        with_loop, self.loop = self.loop, node
        self._block(node.body)
        self.loop = with_loop
        self._block(node.orelse)

    def _while(self, node: ast.While) -> None:
        outer, self.loop = self.loop, node
        self._narrow(node)
        self.visit(node.test)
        self._block(node.body)
        self.loop = outer
        self._block(node.orelse)

    def _with(self, node: ast.withitem) -> None:
        self.visit(node.context_expr)
        if node.optional_vars is not None:
            self._bind(node.optional_vars, How.ENTERED, node.context_expr)

    def _except(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        if node.name:
            self.scope.bind(node.name, Binding(How.CAUGHT, node.type, self.scope))
        outer, self.caught = self.caught, node
        self._block(node.body)
        self.caught = outer

    def _match(self, node: ast.MatchAs) -> None:
        if node.name:
            self.scope.bind(node.name, Binding(How.OPAQUE, node, self.scope))
        self.descend(node)

    def _global(self, node: ast.Global) -> None:
        for name in node.names:
            self.scope.bind(name, Binding(How.OPAQUE, node, self.scope))

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            (self.scope.function or self.scope).returns.append(node.value)
            self.visit(node.value)

    def _yield(self, node: ast.Yield) -> None:
        if node.value is not None:
            (self.scope.function or self.scope).yields.append(node.value)
            self.visit(node.value)

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._note(node)
        self.scope.bind(node.name, Binding(How.DEFINED, node, self.scope))
        self._all(node.decorator_list)
        self._defaults(node.args)
        self._function(node, node.body)

    def _lambda(self, node: ast.Lambda) -> None:
        self._defaults(node.args)
        scope = self._function(node, [node.body])
        scope.returns.append(node.body)

    def _class(self, node: ast.ClassDef) -> None:
        self._note(node)
        self.scope.bind(node.name, Binding(How.DEFINED, node, self.scope))
        self._all(node.decorator_list)
        self._all(node.bases)
        for keyword in node.keywords:
            self.visit(keyword.value)
        self._inside(Scope(node, self.scope, is_class=True), node.body)

    def _comprehension(self, node: Comprehension) -> None:
        scope = self._open(Scope(node, self.scope))
        first, outer, outer_loop = True, self.scope, self.loop
        for generator in node.generators:
            self.scope = outer if first else scope
            self.visit(generator.iter)
            self.scope, self.loop, first = scope, node, False
            self._bind(generator.target, How.ELEMENT, generator.iter)
            self._all(generator.ifs)
        if isinstance(node, ast.DictComp):
            self.visit(node.key)
            self.visit(node.value)
        else:
            self.visit(node.elt)
        self.scope, self.loop = outer, outer_loop

    def _function(self, node: Function, body: Iterable[ast.AST]) -> Scope:
        scope = Scope(node, self.scope)
        for parameter in _parameters(node.args):
            scope.bind(parameter.arg, Binding(How.PARAMETER, parameter, scope, annotation=parameter.annotation))
        for rest in (node.args.vararg, node.args.kwarg):
            if rest is not None:
                scope.bind(rest.arg, Binding(How.OPAQUE, rest, scope))
        self._inside(scope, body)
        return scope

    def _defaults(self, arguments: ast.arguments) -> None:
        self._all(arguments.defaults)
        self._all(default for default in arguments.kw_defaults if default is not None)

    def _inside(self, scope: Scope, body: Iterable[ast.AST]) -> None:
        """A body that runs at another time than what is around it."""
        outer = self.scope, self.loop, self.caught, self.until
        self.scope, self.loop, self.caught, self.until = self._open(scope), None, None, 1 << 30
        self._all(body)
        self.scope, self.loop, self.caught, self.until = outer

    def _open(self, scope: Scope) -> Scope:
        self.survey.scopes[id(scope.node)] = scope
        return scope

    def _block(self, statements: list[ast.stmt]) -> None:
        if statements:
            outer, self.until = self.until, statements[-1].end_lineno or 0
            self._all(statements)
            self.until = outer

    def _all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def _look_into(self, target: ast.expr) -> None:
        if not isinstance(target, ast.Name):
            self.descend(target)

    def _bind(
        self, target: ast.AST, how: How, node: ast.AST, index: tuple[int, ...] = (), annotation: ast.expr | None = None
    ) -> None:
        match target:
            case ast.Name(id=name):
                line = getattr(node, "end_lineno", 0) if how is How.ASSIGNED else 0
                self.scope.bind(
                    name,
                    Binding(
                        how, node, self.scope, index=index, annotation=annotation, line=line, until=self.until if line else 0
                    ),
                )
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                for place, each in enumerate(targets):
                    self._bind(each, how, node, (*index, place))
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)) if (
                how is How.ASSIGNED and not index and isinstance(node, ast.expr)
            ):
                self._fill(name, Item(key, node, self.scope))
            case ast.Subscript(value=ast.Name(id=name)):
                self._fill(name)
            case ast.Starred(value=inner):
                self._bind(inner, How.OPAQUE, node)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                self._bind_attribute(owner, name, Binding(how, node, self.scope, index=index, annotation=annotation))

    def _fill(self, name: str, item: Item | None = None) -> None:
        """Something called ``name`` gets an item, or several of which nothing is known."""
        self.survey.grown.update(id(binding.node) for binding in self.scope.find(name))
        if item is None:
            self.survey.filled.add(name)
        else:
            self.survey.items.setdefault(name, []).append(item)

    def _bind_attribute(self, owner: str, name: str, binding: Binding) -> None:
        method = self.scope.function
        if method is None or method.parent is None or not method.parent.is_class or not isinstance(method.node, Function):
            return
        first = next(iter(_parameters(method.node.args)), None)
        if first is not None and first.arg == owner:
            method.parent.attributes.setdefault(name, []).append(binding)


def _leaf(node: ast.AST) -> None:
    """A name or a constant holds nothing more to look at."""


def _parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from arguments.posonlyargs
    yield from arguments.args
    yield from arguments.kwonlyargs


def _loaded(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(id=target.id, ctx=ast.Load()), target)
    return target
