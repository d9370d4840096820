"""The README.md of a saved model.

Knows: what a reader of the folder needs to use it. Does not know: how the model was trained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..model import Model

_EXAMPLES = {
    "text": '"A sentence."',
    "image": '"photo.jpg"',
    "audio": '"speech.wav"',
    "video": '"clip.mp4"',
}


def make_card(model: Model, name: str) -> str:
    """A card with a usage snippet for the model's own modalities."""
    read = [m for m in model.modalities if m in _EXAMPLES]
    inputs = ", ".join(_EXAMPLES[m] for m in read)
    facts: dict[str, Any] = {
        "Reads": ", ".join(read),
        "Longest text": f"{model.max_seq_length} tokens" if model.max_seq_length else "no limit",
        "Modules": " → ".join(type(module).__name__ for module in model),
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in facts.items())
    return f"""---
library_name: sentence-transformers
tags:
- sentence-transformers
- feature-extraction
- sentence-similarity
---

# {name}

| | |
| --- | --- |
{table}

```python
from manysense import SentenceTransformer

model = SentenceTransformer("{name}")
embeddings = model.encode([{inputs}])
```
"""
