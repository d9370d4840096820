"""The modules of a model → a folder, so that a process that is killed at any moment leaves a model that loads.

Knows: the layout and the class names that the known library reads, and the order in which files are put in place. Does
not know: what a module writes inside its folder.

A save has three steps, each of which ends in the replacement of one file, modules.json:

1. The whole new model is written into a sub-folder of its own, ".saving-…". Until then the old model is untouched.
2. modules.json is replaced by one that finds every module in that sub-folder. From then on the folder is the new model,
   for this library and for every version of the known one, which reads the same paths.
3. Every file of the new model replaces the one at its place, then modules.json takes its final form, and the sub-folder
   goes.

So weights of two models are never read together: either modules.json names the places of the old ones, of which none is
replaced yet, or it names the copy, which is complete. The promise holds for a process that is killed or fails. It does
not hold for a machine that loses power, nor for programs that read single files of the folder past modules.json; and
between steps 2 and 3 the known library reads the prompts of the old model.

Saves into one folder take turns, and so does a load that met one. A file that no save wrote is never removed. Disk
space is needed for the old model and the new one.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import ModelError
from ..modules.base import write_json
from ..modules.transformer.quiet import without_bars
from .foreign import code_of

OWN_FILE = "manysense.json"
"""What only this library knows of a model; the known library's files hold only its own keys."""
SAVING = ".saving-"
"""How the name of the sub-folder begins that a save writes to first."""

_OLD_NAMES = frozenset(
    "BoW CNN Dense Dropout LSTM LayerNorm Normalize Pooling Router StaticEmbedding Transformer WeightedLayerPooling "
    "WordEmbeddings WordWeights".split()
)
"""Modules whose folders every version of the known library that has them reads under its first class paths."""

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
"""Where weights are looked for, in this order."""
_ADAPTER_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
"""The same of an adapter's."""
_ADAPTER = "adapter_config.json"
"""What makes a folder one of an adapter, which is put on the network of another."""


def save(
    modules: Mapping[str, Any],
    config: Mapping[str, Any],
    folder: Path,
    *,
    own: Mapping[str, Any],
    card: str | None,
    safe: bool,
    classes: Sequence[type[Any]] = (),
) -> None:
    """config, own: what the known library reads of a model, and what only this one does.

    card: text of README.md, None to leave the file alone.  safe: weights as safetensors.  classes: that `config`
    names beside the modules; code that came with one goes along.  Raises ModelError, before anything is replaced, for a
    module that cannot be written, and where weights in the folder would be read instead of the new ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with turn(folder):
        copy = folder / f"{SAVING}{secrets.token_hex(4)}"
        copy.mkdir()
        try:
            with without_bars():
                listed = _write(modules, copy, safe)
            for kind in classes:
                _write_code(kind, copy)
            write_json(copy / "config_sentence_transformers.json", config)
            if own or (folder / OWN_FILE).exists():
                write_json(copy / OWN_FILE, own)
            if card is not None:
                (copy / "README.md").write_text(card, encoding="utf-8")
            write_json(copy / "modules.json", listed)
            _check_order(copy, folder)
        except BaseException:
            shutil.rmtree(copy, ignore_errors=True)
            raise
        _put_in_place(copy, folder, listed)
        for old in folder.glob(f"{SAVING}*"):  # this save's, and those of saves that were killed
            shutil.rmtree(old, ignore_errors=True)


def write_module(module: Any, folder: Path, path: str, safe: bool) -> str:
    """Write one module into the sub-folder `path` of `folder`, and into `folder` itself the code that came with it.

    The class path to find it by.  Raises ModelError for a module without `save`.
    """
    write = getattr(module, "save", None)
    if not callable(write):
        raise ModelError(f"{type(module).__name__} has no save(folder), so that a model with it cannot be saved")
    place = folder / path
    place.mkdir(parents=True, exist_ok=True)
    taken = inspect.signature(write).parameters
    if "safe_serialization" in taken or any(one.kind is one.VAR_KEYWORD for one in taken.values()):
        write(str(place), safe_serialization=safe)
    else:
        write(str(place))
    return _write_code(type(module), folder) or type_name(module)


def _write_code(kind: type[Any], folder: Path) -> str | None:
    """Write the files of a class that came with a model; the name to find it by. None for any other class."""
    code = code_of(kind)
    if code is None:
        return None
    name, files = code
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")
    return name


def type_name(module: Any) -> str:
    """The class path that is written: the known library's for its modules, else the module's own."""
    kind = type(module)
    if kind.__module__ == "manysense.modules.logit_score":
        return "sentence_transformers.cross_encoder.modules.logit_score.LogitScore"
    if kind.__module__.startswith("manysense.") and kind.__name__ in _OLD_NAMES:
        return f"sentence_transformers.models.{kind.__name__}"
    return f"{kind.__module__}.{kind.__qualname__}"


def _write(modules: Mapping[str, Any], folder: Path, safe: bool) -> list[dict[str, Any]]:
    """Every module in its sub-folder; the entries of modules.json."""
    listed: list[dict[str, Any]] = []
    for i, (name, module) in enumerate(modules.items()):
        path = "" if i == 0 and getattr(module, "save_in_root", False) else f"{i}_{type(module).__name__}"
        entry = {"idx": i, "name": name, "path": path, "type": write_module(module, folder, path, safe)}
        kwargs = getattr(module, "listed_kwargs", None)  # per-call arguments that its folder said it takes
        listed.append({**entry, "kwargs": kwargs} if kwargs else entry)
    return listed


def _check_order(copy: Path, folder: Path) -> None:
    """Raise ModelError where what stays in the folder would be read before the new weights, or put on top of them."""
    for place in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
        there = folder / place.relative_to(copy)
        for order in (_WEIGHTS, _ADAPTER_WEIGHTS):
            new = next((i for i, name in enumerate(order) if (place / name).is_file()), 0)
            for name in order[:new]:
                if (there / name).is_file():
                    raise ModelError(
                        f"{there / name} would be read instead of the new {order[new]} beside it\n"
                        "  Remove it, or save into another folder."
                    )
        whole = any((place / name).is_file() for name in _WEIGHTS)
        if whole and (there / _ADAPTER).is_file() and not (place / _ADAPTER).is_file():
            raise ModelError(
                f"{there} holds an adapter, which would be put on the new model whenever it is loaded\n"
                f"  Remove {_ADAPTER} and the adapter's weights there, or save into another folder."
            )


def _put_in_place(copy: Path, folder: Path, listed: list[dict[str, Any]]) -> None:
    moved = [{**entry, "path": str(PurePosixPath(copy.name) / entry["path"])} for entry in listed]
    write_json(copy / ".next", moved)
    readable = (copy / ".next").stat().st_mode  # as every new file here; safetensors lets only the owner read its own
    for path in copy.rglob("*"):
        if path.is_file():
            path.chmod(path.stat().st_mode | readable)
    os.replace(copy / ".next", folder / "modules.json")
    for source in sorted(copy.rglob("*")):
        target = folder / source.relative_to(copy)
        if source.is_dir():
            target.mkdir(exist_ok=True)
        elif source != copy / "modules.json":
            _replace(source, target, copy / ".next")
    _replace(copy / "modules.json", folder / "modules.json", copy / ".next")


def _replace(source: Path, target: Path, by: Path) -> None:
    """`target` becomes what `source` is, which stays. by: a name on the same disk that is free."""
    try:
        os.link(source, by)
    except OSError:  # a file system without links
        shutil.copyfile(source, by)
    os.replace(by, target)


@contextlib.contextmanager
def turn(folder: Path, reading: bool = False) -> Iterator[None]:
    """When no save into the folder is at work, and, unless it is for reading, nobody who reads it so; where the system
    can lock a folder. A killed process lets go."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    held = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems know no locks
            fcntl.flock(held, fcntl.LOCK_SH if reading else fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
