"""Who may import whom. Read from the source with `ast`; nothing is imported.

An import at the top of a module counts for its layer; an import inside a function is lazy and may also reach the
layers that LAZY names. Imports under TYPE_CHECKING are for readers and count for neither.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "manysense"
PACKAGE = "manysense"

LAYERS = {  # each may import itself and the layers before it
    "errors": 0,
    "extras": 1,
    "warn": 1,
    "inputs": 2,
    "media": 3,
    "starter": 3,  # preparation for the packaged models, and their text encoder without torch
    "settings": 4,  # the call's frozen values name a modality and a policy
    "progress": 4,
    "batching": 5,
    "outputs": 5,
    "modules": 6,
    "line": 7,  # puts a model's modules behind the loop's protocol
    "checkpoints": 7,
    "adapters": 8,  # of peft, on a model's transformers network
    "model": 9,
    "construct": 9,  # a constructor's arguments → loaded modules
    "collect": 9,  # rows of a call into a store
    "util": 9,
    "search": 10,  # sees models as protocols
    "sentence_transformer": 10,
    "cross_encoder": 10,
    "bench": 11,  # sees rerankers as a protocol
    "cli": 12,
    "compat": 13,  # the known library's names, for all of the above
    "__main__": 14,
    "": 14,  # __init__.py, whose names resolve on first touch
}
SAME = {
    "line": {"checkpoints"},
    "checkpoints": {"line"},
    "model": {"util"},
    "search": {"sentence_transformer", "cross_encoder"},
    "sentence_transformer": {"search", "cross_encoder"},
    "cross_encoder": {"search", "sentence_transformer"},
}
"""Layers of one height that must not import each other, beside batching and outputs."""

LAZY = {
    ("model", "line"): "preprocess() runs the stations of one batch",
    (
        "modules",
        "checkpoints",
    ): "Transformer(name) finds its folder as a model does; the text tower of Towers is a model folder",
    ("checkpoints", "compat"): "trusted code that comes with a model sees the known library's names",
    ("sentence_transformer", "compat"): "names of the known library that are not here yet resolve in its package too",
    ("cross_encoder", "compat"): "names of the known library that are not here yet resolve in its package too",
    ("util", "compat"): "names of the known library that are not here yet resolve in its modules too",
}
"""Lazy imports against the direction, each with its reason."""

VERSION = f"{PACKAGE}.__version__"
"""The one name of __init__.py that everybody may read: it loads nothing."""

FILES = sorted(SOURCE.rglob("*.py"))
NAMES = [str(path.relative_to(SOURCE)) for path in FILES]


def module_of(path: Path) -> tuple[str, ...]:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def layer(module: tuple[str, ...]) -> str:
    return module[0] if module else ""


def imports(path: Path) -> Iterator[tuple[str, bool, int]]:
    """(absolute name, whether it is lazy, line) of every import that runs."""
    own = (PACKAGE, *module_of(path))
    base = own if path.name == "__init__.py" else own[:-1]

    def walk(node: ast.AST, lazy: bool) -> Iterator[tuple[str, bool, int]]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, lazy, node.lineno
        elif isinstance(node, ast.ImportFrom):
            start = base[: len(base) - node.level + 1] if node.level else ()
            name = ".".join((*start, *((node.module,) if node.module else ())))
            for alias in node.names:
                yield f"{name}.{alias.name}", lazy, node.lineno
        inside = lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inside)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), False)


def ours(name: str) -> tuple[str, ...] | None:
    """The module of this package that an imported name lies in, None for a foreign one."""
    parts = tuple(name.split("."))
    if parts[0] != PACKAGE:
        return None
    for end in range(len(parts), 0, -1):
        place = SOURCE.joinpath(*parts[1:end])
        if place.with_suffix(".py").is_file() or (place / "__init__.py").is_file():
            return parts[1:end]
    raise AssertionError(f"{name} is nowhere")


def test_every_part_of_the_package_has_its_layer():
    assert {layer(module_of(path)) for path in FILES} <= set(LAYERS)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_imports_point_one_way(path):
    mine, wrong = layer(module_of(path)), []
    for name, lazy, line in imports(path):
        module = ours(name)
        if module is None or layer(module) == mine or name == VERSION:
            continue
        theirs = layer(module)
        allowed = LAYERS[theirs] < LAYERS[mine] and theirs not in SAME.get(mine, ())
        if not allowed and not (lazy and (mine, theirs) in LAZY):
            wrong.append(f"line {line}: {mine} imports {theirs} ({name}){', lazily' if lazy else ''}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("pair", LAZY, ids=" to ".join)
def test_every_exception_is_needed(pair):
    def crosses(path: Path) -> bool:
        reached = {layer(m) for name, lazy, _ in imports(path) if lazy and (m := ours(name)) is not None}
        return layer(module_of(path)) == pair[0] and pair[1] in reached

    assert any(crosses(path) for path in FILES)


def test_no_cycle_at_the_top_of_modules():
    edges: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for path in FILES:
        found = {ours(name) for name, lazy, _ in imports(path) if not lazy}
        edges[module_of(path)] = {m for m in found if m is not None and m not in ((), module_of(path))}

    def visit(module: tuple[str, ...], way: tuple[tuple[str, ...], ...]) -> None:
        if module in way:
            raise AssertionError(" → ".join(".".join(m) for m in (*way[way.index(module) :], module)))
        if module not in done:
            for other in sorted(edges.get(module, ())):
                visit(other, (*way, module))
            done.add(module)

    done: set[tuple[str, ...]] = set()
    for module in sorted(edges):
        visit(module, ())


def foreign(path: Path, names: set[str], lazily: bool) -> list[str]:
    found = [(name.split(".")[0], lazy, line) for name, lazy, line in imports(path)]
    return [f"line {line}: {name}" for name, lazy, line in found if name in names and (lazily or not lazy)]


@pytest.mark.parametrize("path", [p for p in FILES if layer(module_of(p)) == "inputs"], ids=lambda p: p.name)
def test_inputs_are_pure_rules(path):
    """No torch, no files, no network: also not inside a function."""
    assert not foreign(path, {"torch", "transformers", "numpy", "PIL", "io", "pathlib", "shutil", "socket"}, True)
    assert not [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Name) and n.id == "open"]


@pytest.mark.parametrize("path", [p for p in FILES if layer(module_of(p)) == "media"], ids=lambda p: p.name)
def test_media_are_opened_without_torch(path):
    assert not foreign(path, {"torch", "transformers"}, False)


@pytest.mark.parametrize("name", ["errors.py", "extras.py", "settings.py", "__init__.py", "inputs/types.py"])
def test_what_is_loaded_first_is_light(name):
    assert not foreign(SOURCE / name, {"torch", "transformers", "numpy", "PIL"}, False)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_optional_dependencies_are_imported_through_extras_alone(path):
    if path.name != "extras.py":
        assert not foreign(path, {"av", "soundfile", "soxr", "torchcodec", "librosa", "torchvision"}, True)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_plan_and_a_loop_know_no_model(path):
    if module_of(path) in (("batching", "plan"), ("batching", "run")):
        known = {layer(m) for name, _, _ in imports(path) if (m := ours(name)) is not None}
        assert known <= {"errors", "batching"}


FAMILY = {"errors", "inputs", "modules"}


@pytest.mark.parametrize(
    "path", sorted((SOURCE / "modules/transformer/architectures").glob("*.py")), ids=lambda path: path.name
)
def test_a_family_is_data_and_named_policies(path):
    tree = ast.parse(path.read_text())
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While, ast.ClassDef))]
    assert {layer(m) for name, _, _ in imports(path) if (m := ours(name)) is not None} <= FAMILY


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_file_has_at_most_450_lines(path):
    lines = len(path.read_text().splitlines())
    assert lines <= 450, f"{lines} lines"


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_function_has_at_most_70_lines(path):
    functions = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, (ast.FunctionDef, ast.Lambda))]
    long = {getattr(f, "name", "lambda"): f.end_lineno - f.lineno + 1 for f in functions}
    assert not {name: lines for name, lines in long.items() if lines > 70}


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_no_file_has_a_name_that_says_nothing(path):
    words = set(path.stem.split("_"))
    assert not words & {"utils", "helpers", "helper", "manager", "common", "misc", "process", "data"}
