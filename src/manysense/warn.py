"""Say something to the caller that is no error.

Knows: where the caller's own line is. Does not know: what is worth saying.
"""

from __future__ import annotations

import sys
import warnings

from .errors import ManysenseWarning


def warn(message: str) -> None:
    """A ManysenseWarning that points at the caller's own line."""
    warnings.warn(message, ManysenseWarning, stacklevel=_outside())


def _outside() -> int:
    """The stack level, seen from `warn`, of the first frame that is not this package's."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("manysense"):
        level, frame = level + 1, frame.f_back
    return level
