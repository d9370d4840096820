"""Package versions that a folder declares it needs.

Knows: the `requirements` of config_sentence_transformers.json. Does not know: why a model needs them.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ..errors import ModelError
from ..modules.base import read_json

STANDS_FOR = {"sentence-transformers": "6.2.0"}
"""This library reads what that version reads."""


def check_requirements(folder: Path) -> None:
    """Raise ModelError for each package that is missing or of another version, with the reason the folder gives."""
    declared = read_json(folder / "config_sentence_transformers.json", default={}).get("requirements") or {}
    if not isinstance(declared, dict):
        raise ModelError(f"{folder}: requirements maps packages to versions, got {declared!r}")
    unmet = [line for package, wanted in declared.items() if (line := _unmet(str(package), wanted))]
    if unmet:
        raise ModelError(f"{folder} needs other packages than are installed:\n  " + "\n  ".join(unmet))


def _unmet(package: str, wanted: Any) -> str | None:
    specifier, reason = (wanted.get("specifier"), wanted.get("reason")) if isinstance(wanted, dict) else (wanted, None)
    try:
        allowed = SpecifierSet(str(specifier or ""))
    except InvalidSpecifier:
        return f"{package}: {specifier!r} is no version specifier"
    name = package.replace("_", "-").lower()
    try:
        found = STANDS_FOR.get(name) or version(package)
    except PackageNotFoundError:
        found = None
    if found is not None and allowed.contains(found, prereleases=True):
        return None
    why = f" ({reason})" if reason else ""
    return f'{package}{allowed}, {found or "not installed"}{why}: pip install "{package}{allowed}"'
