"""What the installed Sentence Transformers offers, read from its sources: the content of compat/known.txt.

    python tests/compat/known_tree.py > src/manysense/compat/known.txt

Knows: how that package is laid out. Does not know: manysense. Nothing of the package is imported.
"""

from __future__ import annotations

import ast
import importlib.util
import textwrap
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

NAME = "sentence_transformers"
FACADES = {
    "base.modules.input_module": "InputModule",
    "cross_encoder.model": "CrossEncoder",
    "sentence_transformer.model": "SentenceTransformer",
}
"""Classes whose members are listed: module → name."""


def page() -> str:
    """The text of known.txt for the installed version."""
    root = Path(importlib.util.find_spec(NAME).submodule_search_locations[0])  # type: ignore[union-attr, index]
    trees = {module: ast.parse(file.read_text(encoding="utf-8")) for module, file in _files(root)}
    own = {module: _defined(tree.body) for module, tree in trees.items()}
    lines = [_HEAD.format(version=version("sentence-transformers"))]
    for module, tree in trees.items():
        exported = sorted(set(_assigned(tree, "__all__") or ()) - own[module])
        words = [*sorted(own[module]), *(["+", *exported] if exported else [])]
        lines.append(_line(f".{module}:", words))
    lines.append("\n# Members of the classes that programs use most.\n")
    for module, name in FACADES.items():
        lines.append(_line(f".{module}.{name}():", sorted(_members(name, trees))))
    lines.append("\n# Old modules and what they are now.\n")
    for old, new in _assigned(trees["util.deprecated_import"], "DEPRECATED_MODULE_PATHS").items():
        lines.append(f"{old.removeprefix(NAME)} = {new.removeprefix(NAME)}")
    return "\n".join(lines) + "\n"


_HEAD = """\
# What Sentence Transformers {version} offers, read from its sources by tests/compat/known_tree.py, which checks it.
#
#   .module: names that it defines + names that it exports from elsewhere
#   .module.Class(): members
#   .old.module = .module
#
# A line that starts with a space goes on with the one before it.
"""


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), file


def _line(head: str, words: list[str]) -> str:
    return textwrap.fill(
        " ".join([head, *words]), 120, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def _defined(body: list[ast.stmt]) -> set[str]:
    """Public names that these statements bind, other than by an import."""
    found: set[str] = set()
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and not _is_none(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.If):
            found |= _defined(node.body) | _defined(node.orelse)
        elif isinstance(node, ast.Try):
            found |= _defined(node.body).union(*(_defined(handler.body) for handler in node.handlers))
    return {name for name in found if not name.startswith("_") and name != "logger"}


def _is_none(value: ast.expr | None) -> bool:
    """Whether an optional import left this in the place of a name."""
    return isinstance(value, ast.Constant) and value.value is None


def _assigned(tree: ast.Module, name: str) -> object:
    """The literal that a module gives this name, or None."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    return None


def _members(name: str, trees: dict[str, ast.Module]) -> set[str]:
    """Public methods, properties and attributes of a class and of its bases within the package."""
    classes = {node.name: node for tree in trees.values() for node in tree.body if isinstance(node, ast.ClassDef)}
    found: set[str] = set()
    if name not in classes:
        return found
    node = classes[name]
    found |= {method.name for method in node.body if isinstance(method, ast.FunctionDef)} | _defined(node.body)
    for child in ast.walk(node):
        targets = child.targets if isinstance(child, ast.Assign) else [getattr(child, "target", None)]
        for target in targets:
            if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self":
                found.add(target.attr)
    for base in node.bases:
        if isinstance(base, ast.Name):  # nn.Module and the like are not of the package
            found |= _members(base.id, trees)
    return {member for member in found if not member.startswith("_")}


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
