"""What is never trained on.

Knows: the public rule that holds items of content out, and the two sides. Does not know: what the items are.

An item is a string: a code point ("1F600"), a combination ("red circle"), a synonym ("synonym crimson"), a prompt
("prompt a drawing of {}"), a font file ("font DejaVuSans-Bold"). Generators get the side as an argument, and refuse
what it does not allow; tests/training holds every manifest against the same rule.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

Side = Literal["train", "dev"]
"""train: held-out items are refused. dev: for measuring; everything is allowed, and each set says what differs."""


def held_out(item: str) -> bool:
    """Whether the rule keeps this item from training: one of eight, by its own name alone."""
    return hashlib.sha256(b"starter-v1" + item.encode()).digest()[-1] % 8 == 0


def allowed(items: Iterable[str], side: Side, kind: str = "") -> list[str]:
    """Those items that may be used on this side; `kind` is put before each for the rule ("synonym", "prompt" …)."""
    prefix = f"{kind} " if kind else ""
    return [item for item in items if side == "dev" or not held_out(prefix + item)]


def only_held_out(items: Iterable[str], kind: str = "") -> list[str]:
    """Those items that training never sees."""
    prefix = f"{kind} " if kind else ""
    return [item for item in items if held_out(prefix + item)]
