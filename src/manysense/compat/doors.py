"""The known library's modules, as modules of Python whose names are looked up on first touch.

They stand below three roots. `manysense` itself, for its old import paths that are no files. STUB, one complete copy of
the tree, for code that comes with a model. And `sentence_transformers`, between install() and uninstall().

Knows: Python's import system. Does not know: what the names are (table.py), what they are here (ours.py).
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from . import ours
from .table import VERSION, known

KNOWN = "sentence_transformers"
STUB = f"{__package__}.{KNOWN}"
OWN = "manysense"
_CONSTANTS = {"__version__": VERSION, "__MODEL_HUB_ORGANIZATION__": "sentence-transformers"}
"""Of the root, for programs that take this library for the known one."""


def find(name: str) -> ModuleSpec | None:
    """The spec of a module below one of the roots; None where the known library has no such module."""
    _, path = _split(name)
    return ModuleSpec(name, _Doorway(), is_package=True) if known().today(path) is not None else None


def attribute(module: str, name: str) -> Any:
    """What `name` is in a module below one of the roots, or in a real module that stands at such a place.

    Raises AttributeError for what the known library does not have there either.
    """
    root, path = _split(module)
    if not path and root != OWN and name in _CONSTANTS:
        return _CONSTANTS[name]
    if not name.startswith("__"):
        definer = known().definer(path, name)
        if definer is not None:
            found = ours.find(definer, name)
            return ours.missing(definer, name, root, patient=root != OWN) if found is None else found
        other = ours.borrowed(known().today(path) or "", name)
        if other is not None:
            return other
        if known().today(f"{path}.{name}" if path else name) is not None:
            return import_module(f"{module}.{name}")
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


def _split(name: str) -> tuple[str, str]:
    """(root, path below it)"""
    root = next(root for root in (STUB, KNOWN, OWN) if name == root or name.startswith(f"{root}."))
    return root, name[len(root) + 1 :]


class _Keeping(ModuleType):
    """A package where a class and an old module share a name: importing the module leaves the class in its place."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, Door) and name in known().names(_split(self.__name__)[1])):
            super().__setattr__(name, value)


class Door(_Keeping):
    """A module of the known library's tree."""

    def __getattr__(self, name: str) -> Any:
        value = attribute(self.__name__, name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__all__})


class _Doorway(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return Door(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        _, path = _split(module.__name__)
        module.__all__ = sorted(name for name in known().names(path) if not name.startswith("_"))  # type: ignore[attr-defined]
        above, _, last = module.__name__.rpartition(".")
        parent = sys.modules.get(above)
        if type(parent) is ModuleType and last in known().names(_split(above)[1]):
            parent.__class__ = _Keeping


# ---- for code that comes with a model


def builtins_with_ours() -> dict[str, Any]:
    """Builtins for a module whose `import sentence_transformers …` shall give this library, whatever that name means
    to the rest of the program."""
    return {**vars(builtins), "__import__": _import}


def _import(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    if level == 0 and (name == KNOWN or name.startswith(f"{KNOWN}.")):
        module = import_module(STUB + name[len(KNOWN) :])
        return module if fromlist else import_module(STUB)
    return __import__(name, globals, locals, fromlist or (), level)
