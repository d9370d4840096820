"""Arguments under their old names.

Knows: that an argument may come under either name, from a script or from a stored configuration. Does not know: which.
"""

from __future__ import annotations


def either(given: int | None, old: int | None, name: str) -> int:
    """The value of an argument under its present or its old name. Raises TypeError when it came under neither."""
    value = given if given is not None else old
    if value is None:
        raise TypeError(f"the argument {name} is missing")
    return int(value)
