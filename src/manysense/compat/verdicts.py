"""What of a script's uses is covered here.

Knows: how names, members and arguments of the known library compare with what this library has; it looks at the real
classes, so that nothing has to be written down twice. Does not know: scripts (reading.py).
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NoReturn

from . import ours
from .reading import MODELS, Thing, Use
from .table import VERSION, known

Status = Literal["covered", "differs", "not yet", "unknown"]
_PROCESSOR = "it is the tokenizer; pictures and sounds are not prepared by it"
_CAP = "only a cap: it changes no {}; left away, the cost of inputs decides"
_COPY = "a copy of the model is kept there; the model itself stays where it is"
DIFFERENT = {
    ("CLIPModel", "", ""): "it is an ordinary Transformer here",
    ("http_get", "", ""): "addresses of private networks, and more than 512 MiB, are refused without a policy",
    ("is_training_available", "", ""): "always False: training is still to come",
    **{(model, "processor", ""): _PROCESSOR for model in MODELS},
    ("SentenceTransformer", "encode", "batch_size"): _CAP.format("vector"),
    ("SentenceTransformer", "encode", "device"): _COPY,
    **{("CrossEncoder", call, "batch_size"): _CAP.format("score") for call in ("predict", "rank")},
    **{("CrossEncoder", call, "device"): _COPY for call in ("predict", "rank")},
    ("CrossEncoder", "rank", "apply_softmax"): "it has no effect: one label has nothing to be shared out",
}
"""(name, member, argument) → what is different. docs/differences.md has the whole list."""

_WHEN_MADE = {"InputModule": ("tokenizer",)}
"""Members that an instance gets when it is made."""

_PAIRS = ("sentences", "processing_kwargs", "max_length", "activation_fct", "num_workers")
_FURTHER = {"encode": ("sentences", "task", "processing_kwargs"), "predict": _PAIRS, "rank": (*_PAIRS, "apply_softmax")}
"""Method → arguments that it takes without naming them. It passes on others to modules that take them."""
_OLD_OF_RERANKERS = ("default_activation_function", "classifier_dropout")
_LIKE_ENCODE = ("encode_query", "encode_document", "encode_multi_process")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the answer. line from 1, column from 0.  use: as the script writes it.  note: why, or what to do."""

    line: int
    column: int
    use: str
    status: Status
    note: str | None = None


def verdicts(use: Use) -> Iterator[Verdict]:
    """One for the use; for a call, one more for each argument that is not simply covered."""

    def say(text: str, status: Status, note: str | None) -> Verdict:
        return Verdict(use.line, use.column, text, status, note)

    judged = _judge(use.thing)
    if judged is None:
        return
    status, note = judged
    if not use.called:
        yield say(use.text, status, note)
        return
    apart = {} if status in ("not yet", "unknown") else _arguments(use)
    plain = [f"{name}=" for name, _ in use.keywords if name not in apart]
    yield say(f"{use.text}({', '.join(plain)})", status, note)
    for name, (how, why) in apart.items():
        yield say(f"{use.text}({name}=)", how, why)


def _judge(thing: Thing) -> tuple[Status, str | None] | None:
    """None for a member that neither library has: the script's own business."""
    if not thing.name:
        if known().today(thing.path) is None:
            return "unknown", f"Sentence Transformers {VERSION} has no module {thing.path}"
        return "covered", None
    definer = known().definer(thing.path, thing.name)
    if definer is None:
        if thing.name == "__version__" and not thing.path:
            return "covered", None
        if ours.borrowed(known().today(thing.path) or "", thing.name) is not None:
            return "covered", None
        return "unknown", f"Sentence Transformers {VERSION} has no {thing.name} in {thing.path or 'its root'}"
    found = ours.find(definer, thing.name)
    if found is None or _only_refuses(found):
        return "not yet", ours.says(definer, thing.name).partition(": ")[2].replace("\n  ", ". ", 1)
    if thing.member and not _has(found, definer, thing):
        if not thing.made or thing.member in known().members.get((definer, thing.name), ()):
            return "not yet", f"{thing.name} has no {thing.member} here"
        return None
    note = DIFFERENT.get((thing.name, thing.member, ""))
    return ("differs", note) if note else ("covered", None)


def _only_refuses(found: Any) -> bool:
    """Whether it is a function whose one purpose is to say that it is not here yet."""
    return inspect.isfunction(found) and found.__annotations__.get("return") in ("NoReturn", NoReturn)


def _has(found: Any, definer: str, thing: Thing) -> bool:
    if thing.made and thing.name in MODELS:
        return thing.member in _members(found)
    if thing.made and thing.member in _WHEN_MADE.get(thing.name, ()):
        return True
    return hasattr(found, thing.member) or (thing.made and (definer, thing.name) not in known().members)


@cache
def _members(model: Any) -> frozenset[str]:
    """What a model has, its class's members and those that it gets when it is made."""
    from torch import nn

    return frozenset(dir(model(modules=[nn.Identity()], device="cpu")))


def _arguments(use: Use) -> dict[str, tuple[Status, str | None]]:
    """Argument → verdict, for those that are not simply covered."""
    thing = use.thing
    definer = known().definer(thing.path, thing.name)
    found = ours.find(definer, thing.name) if definer is not None else None
    member = "encode" if thing.member in _LIKE_ENCODE else thing.member
    function = getattr(found, member, None) if member else found
    given: dict[str, tuple[Status, str | None]] = {}
    if not callable(function):
        return given
    for name, value in use.keywords:
        different = DIFFERENT.get((thing.name, member, name))
        if name == "backend" and not (isinstance(value, ast.Constant) and value.value == "torch"):
            given[name] = ("not yet", "models run with torch alone")
        elif different is not None:
            given[name] = ("differs", different)
        elif not _takes(function, thing.name, member, name):
            given[name] = ("not yet", f"{member or thing.name} does not take it here")
        elif name not in (*inspect.signature(function).parameters, *_FURTHER.get(member, (name,))):
            given[name] = ("unknown", "taken only by a model with a module that takes it")
    return given


def _takes(function: Callable[..., Any], name: str, member: str, argument: str) -> bool:
    parameters = inspect.signature(function).parameters
    if argument in parameters:
        return True
    if name in MODELS and not member:
        from ..construct import OLD_NAMES

        return argument in OLD_NAMES or (name == "CrossEncoder" and argument in _OLD_OF_RERANKERS)
    if name == "Transformer":  # its further arguments are there to be refused in words
        return False
    return any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
