"""What a spawned process does: load or unpickle a model, encode, hand the vectors back.

Knows: nothing of tests, so that the child imports no more than it needs.
"""

from __future__ import annotations

import pickle
from typing import Any


def encode(folder: str, pickled: bytes, inputs: list[Any], back: Any) -> None:
    """Send what a model loaded from `folder` gives, then what the pickled one gives. back: a pipe's end."""
    from manysense import SentenceTransformer

    for model in (SentenceTransformer(folder, device="cpu"), pickle.loads(pickled)):
        back.send(model.encode(inputs))
    back.close()
