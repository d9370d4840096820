"""Objects by their dotted name, and back.

Knows: Python's imports. Does not know: model folders and what they may name (checkpoints/).
"""

from __future__ import annotations

import importlib
from typing import Any


def import_from_string(dotted_path: str) -> Any:
    """What "package.module.Name" names. A module that holds a `Name` of its own name gives that.

    Imports, and so runs, the module: never pass a name that came from somebody else.  Raises ImportError.
    """
    parent, _, name = dotted_path.rpartition(".")
    if not parent or not name:
        raise ImportError(f"{dotted_path!r} is no dotted path; write package.module.Name")
    for place in (dotted_path, parent):
        try:
            module = importlib.import_module(place)
        except ModuleNotFoundError as error:
            if not (error.name and f"{place}.".startswith(f"{error.name}.")):
                raise  # the module is there, and what it imports is not
            continue
        if hasattr(module, name):
            return getattr(module, name)
    raise ImportError(f"there is no {name!r} in {parent!r}", name=dotted_path)


def fullname(obj: Any) -> str:
    """ "package.module.Name" of a class, or of the class of an object; builtins are their name alone."""
    kind = obj if isinstance(obj, type) else type(obj)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
