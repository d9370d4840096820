"""What the documents point at is there: links, files, public names, arguments; and the tree is the real one."""

from __future__ import annotations

import builtins
import re
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest
from pages import READ, ROOT, anchors, blocks, code, links, name
from torch import nn

import manysense
from manysense import Policy, SentenceTransformer, errors, util
from manysense.compat.table import known

PACKAGE = ROOT / "src" / "manysense"
FOREIGN = {
    *("modules.json", "config.json", "config_sentence_transformers.json", "tokenizer.json", "chat_template.jinja"),
    *("sentence_bert_config.json", "model.safetensors", "pytorch_model.bin"),
    *("notes.txt", "main.ts"),  # inputs, not files of the repository
}
"""File names that pages use and that are not files of this repository."""
_FILE = re.compile(r"(?:[\w.*-]+/)*[\w.*-]+\.(?:py|md|toml|txt|json|yml|jinja)|(?:[\w.-]+/)+")
_ERROR = re.compile(r"[A-Z]\w*(?:Error|Input|Modality|Found|TooLarge|TooLong|Refused|Extra|Code|Memory|Warning)")


def _link_is_good(page: Path, target: str) -> bool:
    if re.match(r"[a-z]+:", target):
        return target.startswith("https://")
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    return file.exists() and (not anchor or anchor in anchors(file))


@pytest.mark.parametrize("page", READ, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [target for target in links(page) if not _link_is_good(page, target)]
    assert not broken, f"{name(page)} links to {broken}"


@cache
def _tracked() -> tuple[str, ...]:
    """Every file and folder of the repository that is a document's business, as paths from its root."""
    tops = ("src", "tests", "docs", "samples", "training", "benchmarks", ".ci")
    inside = [p for top in tops for p in (ROOT / top).rglob("*") if "__pycache__" not in p.parts]
    paths = [*ROOT.glob("*"), *(ROOT / top for top in tops if (ROOT / top).exists()), *inside]
    return tuple(f"/{p.relative_to(ROOT).as_posix()}{'/' if p.is_dir() else ''}" for p in paths)


def _file_exists(spelled: str) -> bool:
    if "*" in spelled:
        wanted = re.compile("/" + re.escape(spelled).replace(r"\*", "[^/]*"))
        return any(wanted.search(path) for path in _tracked())
    return any(path.endswith(f"/{spelled}") for path in _tracked())


@pytest.mark.parametrize("page", READ, ids=name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = {word for word in code(page) if _FILE.fullmatch(word) and word.rsplit("/")[-1] not in FOREIGN}
    lost = sorted(word for word in named if not _file_exists(word))
    assert not lost, f"{name(page)} names {lost}"


@pytest.mark.parametrize("page", READ, ids=name)
def test_every_error_that_is_named_exists(page: Path) -> None:
    named = {word for text in code(page) for word in _ERROR.findall(text)}
    lost = sorted(word for word in named if not hasattr(errors, word) and not hasattr(builtins, word))
    assert not lost, f"{name(page)} names {lost}"


@cache
def _names_of(holder: str) -> frozenset[str]:
    """What `model.…`, `util.…`, `error.…` and `manysense.…` may be followed by on a page."""
    if holder == "model":
        return frozenset(dir(SentenceTransformer(modules=[nn.Identity()], device="cpu")))
    if holder == "error":
        return frozenset(dir(errors.ItemError("one")))
    if holder == "util":
        return frozenset(util.__all__)
    old = known().names("") | {path.split(".")[0] for path in (*known().defined, *known().old)}
    return frozenset(manysense.__all__) | {path.stem for path in PACKAGE.iterdir()} | old


@pytest.mark.parametrize("page", READ, ids=name)
def test_every_public_name_exists(page: Path) -> None:
    lost = []
    for text in code(page):
        for holder, attribute in re.findall(r"\b(model|util|manysense|error)\.([A-Za-z_]\w*)", text):
            if not _FILE.fullmatch(text) and attribute not in _names_of(holder):
                lost.append(f"{holder}.{attribute}")
        for argument in re.findall(r"Policy\((\w+)=", text):
            if argument not in {field.name for field in fields(Policy)}:
                lost.append(f"Policy({argument}=)")
    assert not lost, f"{name(page)} names {lost}"


def test_the_table_of_limits_is_the_policy() -> None:
    page = (ROOT / "docs" / "inputs.md").read_text(encoding="utf-8")
    table = page.partition("## Limits: Policy")[2].partition("```")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {word for cell in cells for word in re.findall(r"`(\w+)`", cell)}
    assert named == {field.name for field in fields(Policy)}


def test_the_table_of_suffixes_is_the_rule() -> None:
    from manysense.inputs.forms import SUFFIXES

    page = (ROOT / "docs" / "inputs.md").read_text(encoding="utf-8")
    for modality, suffixes in SUFFIXES.items():
        (line,) = re.findall(rf"^\| {modality} \| ((?:\w+ ?)+)\|$", page, re.MULTILINE)
        assert {f".{suffix}" for suffix in line.split()} == suffixes


# ---- the tree of docs/architecture.md


def _tree() -> dict[str, set[str]]:
    """Folder (below src/manysense, "" for itself) → file names that its line, or its files' lines, name."""
    (block,) = [b for b in blocks(ROOT / "docs" / "architecture.md") if b.text.startswith("src/manysense/")]
    folders: dict[str, set[str]] = {"": set()}
    trail: list[tuple[int, str]] = [(0, "")]
    for line in block.text.splitlines()[1:]:
        indent = len(line) - len(line.lstrip())
        entry = line.split()[0]
        while trail[-1][0] >= indent > 0 and len(trail) > 1:
            trail.pop()
        folder = trail[-1][1]
        if entry.endswith("/"):
            folder = f"{folder}{entry}"
            folders.setdefault(folder, set())
            trail.append((indent, folder))
        else:
            folders[folder].add(entry)
    return folders


def test_the_tree_names_every_file_and_no_other() -> None:
    told = {f"{folder}{file}" for folder, files in _tree().items() for file in files}
    real = {p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py")}
    real = {path for path in real if not path.endswith("__init__.py") or path in told}
    assert told - real == set(), "docs/architecture.md names files that do not exist"
    assert real - told == set(), "docs/architecture.md leaves files out of its tree"
