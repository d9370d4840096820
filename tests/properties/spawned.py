"""What a spawned process does: load or unpickle a model, encode, hand the vectors back.

Knows: nothing of tests, so that the child imports no more than it needs.
"""

from __future__ import annotations

import pickle
from typing import Any


def encode(how: str, source: Any, inputs: list[Any], back: Any) -> None:
    """how: "folder" to load the model from `source`, "pickle" to unpickle it. back: a pipe's end."""
    from manysense import SentenceTransformer

    model = SentenceTransformer(source, device="cpu") if how == "folder" else pickle.loads(source)
    back.send(model.encode(inputs))
    back.close()
