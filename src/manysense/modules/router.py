"""One of several networks for each item, by the task of the call and the modality of the item.

Knows: how a route is found, and that items of different routes never share a batch. Does not know: what the networks
of its routes do; their first modules are asked at every station.

The route of an item depends on the item and the call alone.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from torch import nn

from ..errors import ItemError, ModelError, UnsupportedInput, UnsupportedModality, UsageError
from ..inputs.types import MODALITIES, Item, Route
from ..warn import warn
from .base import Features, InputModule, Measured, read_json, write_json
from .custom import Adapted, seam_of

if TYPE_CHECKING:
    from ..inputs.parse import Parser
    from ..media.reader import Reader
    from ..settings import Settings

RouteKey = tuple[str | None, str | tuple[str, ...] | None]
"""(task, modality); None stands for any."""
ROUTE = "route"
"""The feature that says which route a batch was prepared for."""


class Router(InputModule):
    """Sends each item through the modules of its route.

    sub_modules: name → modules in order; a module may stand in several routes.  route_mappings: (task, modality) →
    name, where None is any task or any modality, and a modality may be a tuple: ("image", "text").  default_route: for
    items that no rule sends elsewhere in a call without a task; None for the first one, or with allow_empty_key=False
    for none.

    The first that fits: (task, modality), (task, None), (None, modality), (None, None) of the mappings, the route with
    the name of the task, the one with the name of the modality, the default.  As the first module it also takes
    `{"query": text}` for one item with a task of its own.

    Raises UsageError for routes that do not exist or are empty.
    """

    config_file_name: ClassVar[str] = "router_config.json"

    def __init__(
        self,
        sub_modules: Mapping[str, Sequence[nn.Module]],
        default_route: str | None = None,
        allow_empty_key: bool = True,
        route_mappings: Mapping[RouteKey, str] | None = None,
    ) -> None:
        super().__init__()
        _check(sub_modules, default_route, route_mappings or {})
        if default_route is None and allow_empty_key:
            default_route = next(iter(sub_modules))
        self.sub_modules = nn.ModuleDict({name: nn.Sequential(*modules) for name, modules in sub_modules.items()})
        self.default_route, self.allow_empty_key = default_route, allow_empty_key
        self.route_mappings: dict[RouteKey, str] = {
            (task, _sorted(modality)): name for (task, modality), name in (route_mappings or {}).items()
        }
        widths = {name: width for name in self.routes if (width := self._width(name)) is not None}
        if len(set(widths.values())) > 1:
            told = ", ".join(f"{name} {width}" for name, width in widths.items())
            warn(f"the routes make vectors of different widths, which cannot be compared: {told}")

    @classmethod
    def for_query_document(
        cls,
        query_modules: Sequence[nn.Module],
        document_modules: Sequence[nn.Module],
        default_route: str | None = "document",
        allow_empty_key: bool = True,
    ) -> Self:
        """One route for encode_query, one for encode_document; encode takes the default."""
        return cls({"query": query_modules, "document": document_modules}, default_route, allow_empty_key)

    # ---- what users of the known library look at

    @property
    def routes(self) -> tuple[str, ...]:
        return tuple(self.sub_modules)

    def modules_of(self, name: str) -> list[nn.Module]:
        """The modules of one route, in order."""
        return list(cast(nn.Sequential, self.sub_modules[name]))

    @property
    def modalities(self) -> Sequence[str]:  # type: ignore[override]
        read = {modality for name in self.routes for modality in self._first(name).modalities}
        return tuple(modality for modality in (*MODALITIES, "message") if modality in read)

    @property
    def forward_kwargs(self) -> frozenset[str]:  # type: ignore[override]
        """Those of every route, and what chooses one."""
        inner = (name for route in self.routes for m in self.modules_of(route) for name in _forward_kwargs(m))
        return frozenset({"task", "modality", *inner})

    @property
    def tokenizer(self) -> Any:
        """Of the first route that has one."""
        return next((t for name in self.routes if (t := getattr(self._head(name), "tokenizer", None))), None)

    @property
    def max_seq_length(self) -> int | None:
        """The longest limit of all routes, None for none. Each route keeps to its own; set here, it is set for all."""
        lengths = [length for name in self.routes if (length := getattr(self._head(name), "max_seq_length", None))]
        return max(lengths) if lengths else None

    @max_seq_length.setter
    def max_seq_length(self, value: int | None) -> None:
        for name in self.routes:
            if hasattr(self._head(name), "max_seq_length"):
                self._head(name).max_seq_length = value  # type: ignore[assignment]

    def get_embedding_dimension(self) -> int | None:
        """Of the first route that says."""
        return next((width for name in self.routes if (width := self._width(name)) is not None), None)

    get_sentence_embedding_dimension = get_embedding_dimension

    def _head(self, name: str) -> nn.Module:
        return self.modules_of(name)[0]

    def _first(self, name: str) -> InputModule | Adapted:
        return seam_of(self._head(name))

    def _width(self, name: str) -> int | None:
        names = ("get_embedding_dimension", "get_sentence_embedding_dimension", "get_word_embedding_dimension")
        for module in reversed(self.modules_of(name)):
            function = next((f for n in names if callable(f := getattr(module, n, None))), None)
            if function is not None:
                width: int | None = function()
                return width
        return None

    # ---- which route

    def resolve(self, task: str | None, modality: str | tuple[str, ...] | None) -> str | None:
        """The name of the route, None where no rule says one."""
        modality = _sorted(modality)
        for key in ((task, modality), (task, None), (None, modality), (None, None)):
            if key in self.route_mappings:
                return self.route_mappings[key]
        for name in (task, modality):
            if name in self.routes:
                return cast(str, name)
        return self.default_route if task is None else None

    def _no_route(self, task: str | None, modality: str | tuple[str, ...] | None) -> str:
        what = " and ".join(modality) if isinstance(modality, tuple) else modality or "items of any modality"
        known = [*self.routes, *(f"{_spelled(key)} → {name}" for key, name in self.route_mappings.items())]
        return (
            f"no route for task {task!r} and {what}; this model's routes: {', '.join(known)}\n"
            "  Use encode_query or encode_document, or pass task=…"
        )

    def _route_of(self, item: Item, settings: Settings) -> str:
        """Raises UsageError when the call can reach no route at all, ItemError when this item cannot."""
        own = _own_task(item)
        if own is not None and settings.task not in (None, own):
            raise UnsupportedInput(f"the item says task {own!r} and the call says {settings.task!r}", source=repr(own))
        task, modality = own or settings.task, _modality_of(item)
        name = self.resolve(task, modality)
        if name is None:
            if own is None and not self._reachable(task):
                raise UsageError(self._no_route(task, modality))
            raise UnsupportedModality(self._no_route(task, modality))
        read = self._first(name).modalities
        if modality in read or ("message" in read and all(part in read for part in item.modalities)):
            return name
        what = " and ".join(modality) if isinstance(modality, tuple) else modality
        raise UnsupportedModality(
            f"route {name!r}, for task {task!r}, reads {', '.join(map(str, read))}, and the item is {what}",
            hint="Text(…) embeds the words themselves." if "text" in read else None,
        )

    def _reachable(self, task: str | None) -> list[str]:
        """Routes that items of a call with this task may take."""
        found = (self.resolve(task, modality) for modality in self.modalities)
        return list(dict.fromkeys(name for name in found if name is not None))

    # ---- the line

    def parse(self, value: Any, parser: Parser) -> Item:
        """The item of a value, where `{"query": value}` says the item's own task. Raises ItemError."""
        if not isinstance(value, Mapping) or len(value) != 1:
            return parser(value)
        ((task, inner),) = value.items()
        tasks = {*self.routes, *(task for task, _ in self.route_mappings if task is not None)}
        if task in MODALITIES or task not in tasks:
            return parser(value)
        item = parser(inner)
        if item.chat:
            raise UnsupportedInput("a conversation with a task of its own", hint=f"Pass task={task!r} to the call.")
        return dataclasses.replace(item, turns=tuple(dataclasses.replace(turn, role=task) for turn in item.turns))

    def check(self, settings: Settings) -> None:
        """Before any work: raise UsageError for a task without a route, and for options that no route knows."""
        names = self._reachable(settings.task)
        if settings.task is not None and not names:
            raise UsageError(self._no_route(settings.task, None))
        checks = [check for name in names if (check := getattr(self._first(name), "check", None))]
        for section, options in settings.processing.items() if len(checks) == len(names) else ():
            refused: list[UsageError] = []
            for check in checks:
                try:
                    check(dataclasses.replace(settings, processing={section: options}))
                except UsageError as error:
                    refused.append(error)
            if refused and len(refused) == len(checks):
                raise refused[0]

    def measure(self, items: Sequence[Item], reader: Reader, settings: Settings) -> list[Measured | ItemError]:
        measured: dict[int, Measured | ItemError] = {}
        members: dict[str, list[int]] = {}
        for i, item in enumerate(items):
            try:
                members.setdefault(self._route_of(item, settings), []).append(i)
            except ItemError as error:
                measured[i] = error
        for name, places in members.items():
            own = self._first(name).measure([_plain(items[i]) for i in places], _apart(reader, name), _own(settings))
            for i, made in zip(places, own, strict=True):
                measured[i] = made if isinstance(made, ItemError) else _of_route(name, made)
        return [measured[i] for i in range(len(items))]

    def prepare(self, measured: Measured, reader: Reader, settings: Settings) -> Features:
        name, inner = measured.draft
        return {**self._first(name).prepare(inner, _apart(reader, name), settings), ROUTE: name}

    def collate(self, features: Sequence[Features], route: Route) -> Features:
        names = {one[ROUTE] for one in features}
        if len(names) > 1:
            raise UsageError(f"one batch of features takes one route, got {', '.join(sorted(names))}")
        (name,) = names
        plain = [{key: value for key, value in one.items() if key != ROUTE} for one in features]
        return {**self._first(name).collate(plain, route), ROUTE: name}

    def forward(
        self,
        features: Features,
        task: str | None = None,
        modality: str | tuple[str, ...] | None = None,
        **kwargs: Any,
    ) -> Features:
        """Through the route that the features were prepared for, else the one of `task` and `modality`.

        Raises UsageError when there is none.
        """
        task = task if task is not None else features.get("task")
        modality = modality if modality is not None else features.get("modality")
        name = features.get(ROUTE) or self.resolve(task, modality)
        if name is None:
            raise UsageError(self._no_route(task, modality))
        given = {**kwargs, "task": task, "modality": modality}
        for module in self.modules_of(name):
            features = module(features, **{k: v for k, v in given.items() if k in _forward_kwargs(module)})
        return features

    # ---- the folder

    def get_config_dict(self) -> dict[str, Any]:
        return {
            "default_route": self.default_route,
            "allow_empty_key": self.allow_empty_key,
            "route_mappings": {str(key): name for key, name in self.route_mappings.items()},
        }

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        """Each module once, in a sub-folder named after the first route that it stands in."""
        from ..checkpoints.save import write_module

        folder = Path(output_path)
        written: dict[int, str] = {}
        types: dict[str, str] = {}
        structure: dict[str, list[str]] = {}
        for name in self.routes:
            for i, module in enumerate(self.modules_of(name)):
                if id(module) not in written:
                    place = written[id(module)] = f"{name}_{i}_{type(module).__name__}"
                    types[place] = write_module(module, folder, place, safe_serialization)
                structure.setdefault(name, []).append(written[id(module)])
        config = {"types": types, "structure": structure, "parameters": self.get_config_dict()}
        write_json(folder / self.config_file_name, config)

    @classmethod
    def load_from(cls, folder: Path, **kwargs: Any) -> Self:
        """Also the folders of Asym, its name before version 5. Raises ModelError, UntrustedCode."""
        from ..checkpoints.formats.modules_json import load_module
        from ..checkpoints.types import Wanted

        own = folder / cls.config_file_name
        path = own if own.is_file() else folder / "config.json"
        config = read_json(path, default={})
        wanted = Wanted(**{key: value for key, value in kwargs.items() if key in Wanted.__dataclass_fields__})
        try:
            types, structure = dict(config["types"]), dict(config["structure"])
            parameters = dict(config.get("parameters") or {})
            modules = {name: load_module(str(kind), folder, name, wanted) for name, kind in types.items()}
            routes = {route: [modules[name] for name in names] for route, names in structure.items()}
        except (KeyError, TypeError) as error:
            raise ModelError(f"{path} is no configuration of a Router: {type(error).__name__}: {error}") from error
        parameters["route_mappings"] = _read_mappings(parameters.get("route_mappings") or {}, path)
        return cls(routes, **parameters)


Asym = Router
"""Its name before version 5 of the known library."""


class _Apart:
    """A reader whose prepared media are those of one route: another prepares the same picture in its own way."""

    def __init__(self, reader: Any, name: str) -> None:
        self._reader, self._name = reader, name

    def once(self, key: Any, make: Any, **kwargs: Any) -> Any:
        return self._reader.once((self._name, key), make, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


def _apart(reader: Reader, name: str) -> Reader:
    return cast("Reader", _Apart(reader, name))


def _own(settings: Settings) -> Settings:
    """Each route reads as far as its own limit says, not as far as the longest."""
    return dataclasses.replace(settings, max_length=None)


def _of_route(name: str, inner: Measured) -> Measured:
    return dataclasses.replace(inner, draft=(name, inner), group=(name, inner.group))


def _own_task(item: Item) -> str | None:
    """The task that `parse` has put on the item."""
    one = len(item.turns) == 1 and not item.chat and item.turns[0].role != "user"
    return item.turns[0].role if one else None


def _plain(item: Item) -> Item:
    """The item without a task of its own."""
    if _own_task(item) is None:
        return item
    return dataclasses.replace(item, turns=tuple(dataclasses.replace(turn, role="user") for turn in item.turns))


def _modality_of(item: Item) -> str | tuple[str, ...]:
    if item.chat:
        return "message"
    return item.modalities[0] if len(item.modalities) == 1 else item.modalities


def _sorted(modality: Any) -> Any:
    return tuple(sorted(modality)) if isinstance(modality, (tuple, list)) else modality


def _spelled(key: RouteKey) -> str:
    task, modality = key
    return (
        f"({task or 'any task'}, {'+'.join(modality) if isinstance(modality, tuple) else modality or 'any modality'})"
    )


def _forward_kwargs(module: nn.Module) -> Any:
    return getattr(module, "forward_kwargs", ())


def _check(
    sub_modules: Mapping[str, Sequence[nn.Module]], default: str | None, mappings: Mapping[RouteKey, str]
) -> None:
    if not sub_modules or not all(sub_modules.values()):
        raise UsageError("a Router needs at least one route, and every route at least one module")
    known = ", ".join(sub_modules)
    if default is not None and default not in sub_modules:
        raise UsageError(f"default_route={default!r} is not one of the routes: {known}")
    for key, name in mappings.items():
        if not isinstance(key, tuple) or len(key) != 2:
            raise UsageError(f"route_mappings maps (task, modality) to a route, got {key!r}")
        if name not in sub_modules:
            raise UsageError(f"route_mappings sends {key!r} to {name!r}, which is not one of the routes: {known}")


def _read_mappings(stored: Mapping[str, str], path: Path) -> dict[RouteKey, str]:
    """{"('query', None)": "fast"} as it stands in a file → {("query", None): "fast"}."""
    try:
        return {ast.literal_eval(key): name for key, name in stored.items()}
    except (ValueError, SyntaxError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: route_mappings cannot be read: {error}") from error
