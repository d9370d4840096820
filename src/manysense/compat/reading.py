"""Where a script uses the known library: its imports, names, calls and members, read without running anything.

Knows: Python's syntax and scopes, and which names are classes of the known library. Does not know: what of it is
covered (verdicts.py).

A script is read twice: what the first reading learns of globals, members of `self` and results of functions is known
from the start in the second. What a value is follows from plain assignments, annotations and returns; nothing is
guessed of values that come from elsewhere.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .doors import KNOWN
from .table import known

_GIVES_ITSELF = frozenset("to cuda cpu half float bfloat16 double eval train requires_grad_".split())
"""Methods of every model that give the model."""
MODELS = ("SentenceTransformer", "CrossEncoder")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Thing:
    """Something of the known library: a module, a name in it, an instance of the class of that name, a member of these.

    path: of the module.  name: "" for the module itself.  made: an instance.  member: "" for the class or instance.
    """

    path: str
    name: str = ""
    made: bool = False
    member: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """text: as the script writes it.  called: whether it is called.  keywords: of the call, with the value where it is
    written out, else None.
    """

    line: int
    column: int
    text: str
    thing: Thing
    called: bool = False
    keywords: tuple[tuple[str, ast.expr], ...] = ()


def uses(source: str, filename: str = "<script>") -> list[Use]:
    """In the order of lines. Raises SyntaxError."""
    tree = ast.parse(source, filename)
    first = _Reading({})
    first.read(tree)
    second = _Reading(first.learned)
    second.read(tree)
    return sorted(second.found, key=lambda use: (use.line, use.column))


class _Scope:
    """name: where it is, dotted.  names: what is bound in it, as it is written ("model", "self.model", "load()"); None
    for what is of no interest.  globals: names that belong to the module.  later: its functions, which run after it.
    returns: what its function gives.
    """

    def __init__(self, name: str, outer: _Scope | None, kind: type[ast.AST]) -> None:
        self.name, self.outer, self.kind = name, outer, kind
        self.names: dict[str, Thing | None] = {}
        self.globals: set[str] = set()
        self.later: list[ast.FunctionDef | ast.AsyncFunctionDef] = []
        self.returns: Thing | None = None


class _Reading(ast.NodeVisitor):
    def __init__(self, before: dict[tuple[str, str], Thing]) -> None:
        self.before = before
        self.learned: dict[tuple[str, str], Thing] = {}
        self.found: list[Use] = []
        self.scope = _Scope("", None, ast.Module)

    def read(self, tree: ast.Module) -> None:
        for node in tree.body:
            self.visit(node)
        self._bodies()

    # ---- what is bound to what

    def _bind(self, key: str, thing: Thing | None) -> None:
        scope = self.scope
        if key.split(".")[0] in scope.globals:
            while scope.outer is not None:
                scope = scope.outer
        elif "." in key:
            scope = self._class() or scope
        scope.names[key] = thing
        if thing is not None:
            self.learned[scope.name, key] = thing

    def _class(self) -> _Scope | None:
        scope: _Scope | None = self.scope
        while scope is not None and scope.kind is not ast.ClassDef:
            scope = scope.outer
        return scope

    def _look_up(self, key: str) -> Thing | None:
        scope: _Scope | None = self.scope
        while scope is not None:
            if scope is self.scope or scope.kind is not ast.ClassDef or "." in key:  # bodies do not see their class
                if key in scope.names:
                    return scope.names[key]
                if (scope.name, key) in self.before:
                    return self.before[scope.name, key]
            scope = scope.outer
        return None

    def _assign(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
            for i, one in enumerate(target.elts):
                self._assign(one, parts[i] if len(parts) == len(target.elts) else None)
        elif isinstance(target, (ast.Name, ast.Attribute)):
            key = ast.unparse(target)
            if isinstance(value, ast.Constant) and value.value is None:
                self.scope.names.pop(key, None)  # to be filled later
            else:
                self._bind(key, self._value(value))
                if self.scope.kind is ast.ClassDef:
                    self._bind(f"self.{key}", self._value(value))

    # ---- what an expression is

    def _value(self, node: ast.expr | None) -> Thing | None:
        match node:
            case ast.Name():
                return self._look_up(node.id)
            case ast.Attribute():
                inner = self._value(node.value)
                return self._look_up(ast.unparse(node)) if inner is None else _member(inner, node.attr)
            case ast.Call():
                return self._result(node)
            case ast.Subscript(slice=ast.Constant(value=0)):
                return _first_module(self._value(node.value))
            case ast.NamedExpr() | ast.Await():
                return self._value(node.value)
            case ast.IfExp():
                return self._value(node.body) or self._value(node.orelse)
            case ast.BoolOp():
                return next((thing for value in node.values if (thing := self._value(value)) is not None), None)
        return None

    def _result(self, call: ast.Call) -> Thing | None:
        thing = self._value(call.func)
        if thing is None:
            imported = _imported(call)
            return Thing(imported) if imported is not None else self._look_up(f"{ast.unparse(call.func)}()")
        if thing.name and not thing.member and not thing.made and thing.name[0].isupper():
            return replace(thing, made=True)
        if thing.made and thing.member in _GIVES_ITSELF:
            return replace(thing, member="")
        if thing.member == "_first_module":
            return _first_module(replace(thing, member=""))
        return None

    def _annotated(self, node: ast.expr | None) -> Thing | None:
        """An instance of the class that an annotation names, also as text, or as one of several."""
        match node:
            case ast.Constant(value=str(text)):
                try:
                    return self._annotated(ast.parse(text, mode="eval").body)
                except SyntaxError:
                    return None
            case ast.BinOp(op=ast.BitOr()):
                return self._annotated(node.left) or self._annotated(node.right)
            case ast.Subscript(value=ast.Name(id="Optional" | "Union") | ast.Attribute(attr="Optional" | "Union")):
                parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                return next((thing for part in parts if (thing := self._annotated(part)) is not None), None)
        thing = self._value(node)
        return replace(thing, made=True) if thing is not None and thing.name and not thing.member else None

    # ---- imports

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            path = _below(alias.name)
            if path is None:
                self._bind(alias.asname or alias.name.partition(".")[0], None)
                continue
            self._use(node, f"import {alias.name}", Thing(path))
            self._bind(alias.asname or KNOWN, Thing(path) if alias.asname else Thing(""))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        path = _below(node.module or "") if not node.level else None
        for alias in node.names:
            if path is None:
                self._bind(alias.asname or alias.name, None)
                continue
            names = sorted(known().names(path)) if alias.name == "*" else [alias.name]
            thing = Thing(path) if alias.name == "*" else _member(Thing(path), alias.name)
            self._use(node, f"from {node.module} import {alias.name}", thing)
            for name in names:
                self._bind(alias.asname or name, _member(Thing(path), name))

    # ---- statements that bind

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)
            self._assign(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self._assign(node.target, node.value)
        if (thing := self._annotated(node.annotation)) is not None:
            self._bind(ast.unparse(node.target), thing)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._assign(node.target, node.value)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._assign(node.target, None)
        for statement in (*node.body, *node.orelse):
            self.visit(statement)

    visit_AsyncFor = visit_For

    def visit_withitem(self, node: ast.withitem) -> None:
        self.visit(node.context_expr)
        if node.optional_vars is not None:
            self._assign(node.optional_vars, None)

    def visit_Global(self, node: ast.Global) -> None:
        self.scope.globals.update(node.names)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.scope.returns = self.scope.returns or self._value(node.value)

    # ---- scopes

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)):
            self.visit(part)
        self._bind(node.name, None)
        if (thing := self._annotated(node.returns)) is not None:
            self._bind(self._called(node), thing)
        self.scope.later.append(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def _called(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        """How the function's result is written, from where it can be seen."""
        if self.scope.kind is not ast.ClassDef:
            return f"{node.name}()"
        is_property = any(ast.unparse(one).endswith("property") for one in node.decorator_list)
        return f"self.{node.name}" if is_property else f"self.{node.name}()"

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        self._bind(node.name, None)
        outer, self.scope = self.scope, self._inner(node.name, ast.ClassDef)
        for statement in node.body:
            self.visit(statement)
        self._bodies()
        self.scope = outer

    def _inner(self, name: str, kind: type[ast.AST]) -> _Scope:
        return _Scope(f"{self.scope.name}.{name}", self.scope, kind)

    def _bodies(self) -> None:
        """Read the functions of this scope: they run after it."""
        outer = self.scope
        for node in outer.later:
            self.scope = self._inner(node.name, ast.FunctionDef)
            args = node.args
            for one in (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg):
                if one is not None:
                    self._bind(one.arg, self._annotated(one.annotation))
            for statement in node.body:
                self.visit(statement)
            self._bodies()
            given, self.scope = self.scope.returns, outer
            if given is not None:
                self._bind(self._called(node), given)

    # ---- uses

    def visit_Attribute(self, node: ast.Attribute) -> None:
        thing = self._value(node)
        if thing is not None and thing.name and (thing.member or not thing.made):
            self._use(node, ast.unparse(node), thing)
        self._inside(node)

    def visit_Call(self, node: ast.Call) -> None:
        thing, imported = self._value(node.func), _imported(node)
        if imported is not None:
            self._use(node, ast.unparse(node), Thing(imported))
        if thing is not None and thing.name and (thing.member or not thing.made):
            keywords = tuple((one.arg, one.value) for one in node.keywords if one.arg is not None)
            self._use(node, ast.unparse(node.func), thing, True, keywords)
            self._inside(node.func)
        else:
            self.visit(node.func)
        for part in (*node.args, *node.keywords):
            self.visit(part)

    def _inside(self, node: ast.expr) -> None:
        """Visit what an attribute is looked up on, unless it is a plain chain of names."""
        while isinstance(node, ast.Attribute):
            node = node.value
        if not isinstance(node, ast.Name):
            self.visit(node)

    def _use(
        self,
        node: ast.stmt | ast.expr,
        text: str,
        thing: Thing,
        called: bool = False,
        keywords: Sequence[tuple[str, ast.expr]] = (),
    ) -> None:
        self.found.append(Use(node.lineno, node.col_offset, text, thing, called, tuple(keywords)))


def _member(thing: Thing, name: str) -> Thing:
    """What stands behind a dot. Of a module: a name, or a module below it."""
    if thing.name:
        return thing if thing.member else replace(thing, member=name)
    below = f"{thing.path}.{name}" if thing.path else name
    if known().definer(thing.path, name) is None and known().today(below) is not None:
        return Thing(below)
    return Thing(thing.path, name)


def _first_module(thing: Thing | None) -> Thing | None:
    """What `model[0]` is, as far as that is so for every model."""
    if thing is None or thing.name not in MODELS or not thing.made or thing.member:
        return None
    return Thing("base.modules.input_module", "InputModule", made=True)


def _below(module: str) -> str | None:
    """The path below the known library's root, None for a module of another package."""
    return module[len(KNOWN) + 1 :] if module == KNOWN or module.startswith(f"{KNOWN}.") else None


def _imported(call: ast.Call) -> str | None:
    """The path that a call of import_module or __import__ names as a string."""
    match call:
        case ast.Call(
            func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            return _below(name)
    return None
