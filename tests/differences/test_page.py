"""docs/differences.md has a line for every test of its section, and a test for every line.

Knows: the page's tables. Does not know: what the lines say.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "differences.md"


def lines(section: str) -> list[str]:
    """The names in the first column of a section's tables."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"\n## {section}\n")
    body = re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(r"^\| `(\w+)` \|(?: [^|]+? \|| \|){3}$", body.replace(r"\|", "/"), re.MULTILINE)


def functions(file: str) -> list[str]:
    body = ast.parse((HERE / file).read_text(encoding="utf-8")).body
    names = [node.name for node in body if isinstance(node, ast.FunctionDef)]
    return [name.removeprefix("test_") for name in names if name.startswith("test_")]


@pytest.mark.parametrize(
    ("section", "file"),
    [
        ("Wrong results", "test_wrong_results.py"),
        ("Wrong results", "test_known_library.py"),
        ("Bad input", "test_bad_input.py"),
        ("Behaviour", "test_behaviour.py"),
        ("Rerankers", "test_rerankers.py"),
        ("Rerankers", "test_known_rerankers.py"),
    ],
)
def test_the_lines_of_a_section_are_the_tests_of_its_file_in_their_order(section, file):
    assert lines(section) == functions(file)


def test_no_line_is_outside_the_sections_or_broken():
    named = re.findall(r"^\| `(\w+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert named == [*lines("Wrong results"), *lines("Bad input"), *lines("Behaviour"), *lines("Rerankers")]
