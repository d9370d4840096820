"""Code that comes with a model: the one place where a class that a model folder names, and this library does not know,
is imported.

Nothing foreign runs unless the caller trusts the folder. Then its Python files are modules below `manysense_code`, one
package for each folder and content, so that two folders with equal file names never meet, and files that change on the
disk change nothing that is loaded. Inside, `import sentence_transformers` gives this library (compat/doors.py).

Knows: how such files are found, read, imported, and written beside a saved model; how the known library builds modules
from them. Does not know: the known classes (formats/).
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import inspect
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from ..errors import ModelError, UntrustedCode, first_line
from .source import Source
from .types import Wanted

PACKAGE = "manysense_code"


def foreign_class(name: str, folder: Path, wanted: Wanted) -> ForeignClass:
    """The class of a dotted name that is on no list of ours.

    name: "file.Class" for a file of the model's folder, "package.Class" for an installed package, and
    "owner/name--file.Class" for a file of another folder or repository of the Hub.  folder: the model's.  Raises
    UntrustedCode, without importing anything, unless `wanted.trust_remote_code`; ModelError for a name that cannot be
    imported, or is no module of torch.
    """
    if not wanted.trust_remote_code:
        raise UntrustedCode(
            f"modules.json names {name!r}, which is not a known module and was not imported\n"
            "  Read that code, then pass trust_remote_code=True."
        )
    place, _, dotted = name.rpartition("--")
    module, _, attribute = dotted.rpartition(".")
    try:
        code = read_code(_elsewhere(place, wanted) if place else _holder(folder, module))
        inside = code.file_of(module) is not None
        if place and not inside:
            raise ImportError(f"{place} has no file {module.replace('.', '/')}.py")
        kind = getattr(importlib.import_module(f"{code.package}.{module}" if inside else module), attribute)
    except (ImportError, AttributeError, SyntaxError, ValueError) as error:
        raise ModelError(f"module class {name!r} cannot be imported: {first_line(error)}") from error
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise ModelError(f"{name!r} is no class of torch.nn.Module, which the modules of a model are")
    return ForeignClass(kind, folder)


def _holder(folder: Path, module: str) -> Path:
    """The model's folder, or that of a module: there the known library writes the code of all modules but the first."""
    file = f"{module.replace('.', '/')}.py"
    below = sorted(path for path in folder.iterdir() if path.is_dir())
    return next((place for place in (folder, *below) if (place / file).is_file()), folder)


def _elsewhere(place: str, wanted: Wanted) -> Path:
    """The folder with the Python files of another folder or repository. Raises ModelError where it cannot be had."""
    source = wanted.source or Source(place, trust_remote_code=True)
    try:
        return source.beside(place, wanted.model_kwargs.get("code_revision")).code()
    except ModelError as error:
        raise ModelError(f"the code of {place!r} could not be fetched: {error}") from error


# ---- building a module


@dataclass(frozen=True, slots=True)
class ForeignClass:
    """A class from elsewhere, built from its folder as the known library builds it.  folder: the model's."""

    kind: type[Any]
    folder: Path

    def load_from(self, path: Path, **kwargs: Any) -> Any:
        """path: the module's folder.  kwargs: of the caller, as for the modules of this library."""
        from ..modules.transformer.quiet import without_bars

        with without_bars():
            return self._built(path, kwargs)

    def _built(self, path: Path, kwargs: Mapping[str, Any]) -> Any:
        if not _has_own_load(self.kind):
            if not hasattr(self.kind, "load_from"):
                return self.kind(**_json(path))
            return self.kind.load_from(path, **_accepted(kwargs, inspect.signature(self.kind.load_from).parameters))
        taken = inspect.signature(self.kind.load).parameters
        if len(taken) > 1:
            below = os.path.relpath(path, self.folder.resolve())
            given: dict[str, Any] = {"subfolder": "" if below == "." else below}
            source = kwargs.get("source") or Source(str(self.folder))
            given |= {"token": source.token, "cache_folder": source.cache_folder, "revision": None}
            given |= {"local_files_only": source.local_files_only, "trust_remote_code": True, "backend": "torch"}
            given |= {
                name: dict(kwargs.get(name) or {}) for name in ("model_kwargs", "processor_kwargs", "config_kwargs")
            }
            return self.kind.load(str(self.folder), **_accepted(given, taken))
        made = inspect.signature(self.kind).parameters
        old, new = {"model_args", "tokenizer_args", "config_args"}, {"model_kwargs", "config_kwargs"}
        if old & set(made) or new <= set(made):  # a transformer of before the arguments of `load`
            return self.kind(str(path), **_accepted(self._for_transformer(path, made, kwargs), made))
        return self.kind.load(str(path))

    @staticmethod
    def _for_transformer(path: Path, made: Mapping[str, Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of its constructor: what the folder says, the caller's own on top."""
        from ..modules.transformer.stored import NAMES

        given = _json(path, *NAMES)
        for now, once in (
            ("model_kwargs", "model_args"),
            ("processor_kwargs", "tokenizer_args"),
            ("config_kwargs", "config_args"),
        ):
            stored = {**given.pop(once, {}), **given.pop(now, {})}
            given[now if now in made else once] = {**stored, "trust_remote_code": True, **(kwargs.get(now) or {})}
        return given


def _has_own_load(kind: type[Any]) -> bool:
    """Whether `load` is the class's own, and not one that it has from this library."""
    owner = next((base for base in kind.__mro__ if "load" in vars(base)), None)
    return owner is not None and not owner.__module__.startswith("manysense.")


def _accepted(given: Mapping[str, Any], parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """Those arguments that a function with these parameters takes."""
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
        return dict(given)
    return {name: value for name, value in given.items() if name in parameters}


def _json(path: Path, *names: str) -> dict[str, Any]:
    from ..modules.base import read_json

    name = next((name for name in names if (path / name).is_file()), "config.json")
    value: dict[str, Any] = read_json(path / name, default={})
    return value


# ---- the files


@dataclass(frozen=True, slots=True)
class Code:
    """The Python files of one folder, as they were when it was read.

    package: the name of their package, which says folder and content, so that another process can find them again.
    files: path below the folder, with "/" → text.
    """

    package: str
    folder: Path
    files: Mapping[str, str]

    def file_of(self, module: str) -> str | None:
        """The file of a dotted module name below the package; None where there is none."""
        base = module.replace(".", "/")
        names = (f"{base}.py", f"{base}/__init__.py") if module else ("__init__.py",)
        return next((name for name in names if name in self.files), None)


_read: dict[str, Code] = {}
"""Package name → its files."""
_lock = threading.Lock()


def read_code(folder: Path) -> Code:
    """The Python files in a folder, and in packages below it."""
    folder = Path(os.path.abspath(folder))
    files = {name: path.read_text(encoding="utf-8") for name, path in sorted(_python_files(folder, "").items())}
    digest = hashlib.sha256(repr(files).encode()).hexdigest()[:12]
    place = base64.b32encode(os.fsencode(folder)).decode().rstrip("=").lower()
    label = re.sub(r"\W+", "_", folder.name)[:24] or "root"
    code = Code(f"{PACKAGE}.{label}_{digest}_{place}", folder, files)
    with _lock:
        return _read.setdefault(code.package, code)


def _python_files(folder: Path, below: str) -> dict[str, Path]:
    found = {}
    for path in folder.iterdir():
        if path.suffix == ".py" and path.is_file():
            found[f"{below}{path.name}"] = path
        elif path.is_dir() and (path / "__init__.py").is_file():
            found |= _python_files(path, f"{below}{path.name}/")
    return found


def code_of(kind: type[Any]) -> tuple[str, Mapping[str, str]] | None:
    """For a class that came with a model: the name that modules.json gives it, and the files to write into the model's
    folder (path → text). None for any other class."""
    package, module = _package_and_module(kind.__module__)
    return (f"{module}.{kind.__qualname__}", _read[package].files) if package in _read else None


# ---- Python's import system


def find_code(name: str) -> ModuleSpec | None:
    """The spec of a module below PACKAGE. Raises ImportError when the files of its folder are others by now."""
    package, module = _package_and_module(name)
    if name == PACKAGE:
        return ModuleSpec(name, _Loader(None, None), is_package=True)
    code = _read.get(package) or _found_again(package)
    file = code.file_of(module)
    is_folder = not module or any(path.startswith(f"{module.replace('.', '/')}/") for path in code.files)
    if file is None and not is_folder:
        return None
    spec = ModuleSpec(name, _Loader(code, file), is_package=file is None or file.endswith("__init__.py"))
    if file is not None:
        spec.origin, spec.has_location = str(code.folder / file), True
    return spec


def _package_and_module(name: str) -> tuple[str, str]:
    """manysense_code.model_1.a.b → (manysense_code.model_1, a.b)"""
    parts = name.split(".")
    return ".".join(parts[:2]), ".".join(parts[2:])


def _found_again(package: str) -> Code:
    """The code of a package that another process has named, as a pickled model does."""
    place = package.rpartition("_")[2].upper()
    try:
        folder = Path(os.fsdecode(base64.b32decode(place + "=" * (-len(place) % 8))))
        code = read_code(folder)
    except (OSError, ValueError) as error:
        raise ModuleNotFoundError(f"the code of {package} cannot be read: {error}", name=package) from error
    if code.package != package:
        raise ImportError(f"the code in {folder} has changed since the model was loaded from it", name=package)
    return code


class _Loader(InspectLoader):
    """Runs a file from memory. code, file: None for a package without a file."""

    def __init__(self, code: Code | None, file: str | None) -> None:
        self._text = code.files[file] if code is not None and file is not None else ""
        self._path = str(code.folder / file) if code is not None and file is not None else "<package>"

    def get_source(self, fullname: str) -> str:
        return self._text

    def exec_module(self, module: ModuleType) -> None:
        from ..compat.doors import builtins_with_ours

        vars(module)["__builtins__"] = builtins_with_ours()
        exec(compile(self._text, self._path, "exec", dont_inherit=True), vars(module))  # noqa: S102  trusted by the caller
