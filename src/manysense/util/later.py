"""Known functions that wait for training: each says so when it is called.

Knows: their names and what to do meanwhile. Does not know: names that live elsewhere in the known library (compat/).
"""

from __future__ import annotations

from typing import Any, NoReturn

from ..errors import NotSupported


def mine_hard_negatives(*args: Any, **kwargs: Any) -> NoReturn:
    """Raises NotSupported: training is still to come."""
    raise NotSupported(
        "mine_hard_negatives is not supported yet\n"
        "  semantic_search finds the texts nearest to each anchor; choose the negatives among them."
    )


def resolve_ids(*args: Any, **kwargs: Any) -> NoReturn:
    """Raises NotSupported: training is still to come."""
    raise NotSupported("resolve_ids is not supported yet\n  Put the texts in the place of their ids yourself.")


def is_training_available() -> bool:
    """Whether models can be trained here: not yet."""
    return False
