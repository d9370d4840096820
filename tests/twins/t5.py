"""INSTRUCTOR, tiny: a T5 encoder, mean pooling without the instruction, Dense without bias, length 1.

Knows: the files as hkunlp/instructor-base has them (old class paths and pooling keys, pickled weights, no word of the
prompt), and the reference vector of one text with its instruction. The reference computes with transformers and torch
alone; nothing of the library under test is imported here.

Source: Su et al. 2023, section 2.1: the instruction is read before the text and left out of the mean.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from transformers import AutoTokenizer, T5Config, T5EncoderModel, T5Tokenizer

from ._parts import WORDS, as_vector, spread, unit, write_json

WIDTH = 32
INSTRUCTION = "Represent the sentence for search: "


def build(folder: Path, seed: int = 0, *, decoder: bool = False) -> Path:
    """decoder: the weights and the configuration are those of a whole T5, as many of its kin have them."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(folder)
    config = T5Config(
        vocab_size=len(AutoTokenizer.from_pretrained(folder)),
        d_model=WIDTH,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        relative_attention_num_buckets=8,
        feed_forward_proj="gated-gelu" if decoder else "relu",
    )
    encoder = T5EncoderModel(config).eval()
    spread(encoder, seed)
    weights = dict(encoder.state_dict())
    if decoder:
        weights |= {"decoder.final_layer_norm.weight": torch.ones(WIDTH)}
    torch.save(weights, folder / "pytorch_model.bin")
    kind = "T5Model" if decoder else "T5EncoderModel"
    stored = {**config.to_diff_dict(), "model_type": "t5", "architectures": [kind], "is_encoder_decoder": True}
    write_json(folder / "config.json", stored)
    kinds = ("Transformer", "Pooling", "Dense", "Normalize")
    paths = ("", "1_Pooling", "2_Dense", "3_Normalize")
    listed = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(zip(kinds, paths))
    ]
    write_json(folder / "modules.json", listed)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 48, "do_lower_case": False})
    version = {"sentence_transformers": "2.2.2", "transformers": "4.19.2", "pytorch": "1.11.0"}
    write_json(folder / "config_sentence_transformers.json", {"__version__": version})
    modes = {f"pooling_mode_{name}": name == "mean_tokens" for name in ("cls_token", "mean_tokens", "max_tokens")}
    write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": WIDTH, **modes, "pooling_mode_mean_sqrt_len_tokens": False},
    )
    random = torch.Generator().manual_seed(seed + 1)
    dense = {"in_features": WIDTH, "out_features": 24, "bias": False}
    write_json(folder / "2_Dense" / "config.json", {**dense, "activation_function": "torch.nn.modules.linear.Identity"})
    weight = torch.randn(24, WIDTH, generator=random) / WIDTH**0.5
    torch.save({"linear.weight": weight}, folder / "2_Dense" / "pytorch_model.bin")
    return folder


def _write_tokenizer(folder: Path) -> None:
    """Unigram over whole words and letters, as SentencePiece marks them."""
    letters = sorted(set("abcdefghijklmnopqrstuvwxyzR.,:!?0123456789"))
    words = dict.fromkeys([*WORDS, "Represent", "the", "sentence", "for", "search"])
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -20.0), ("▁", -6.0)]
    pieces += [(f"▁{word}", -3.0) for word in words] + [(letter, -8.0) for letter in letters]
    T5Tokenizer(vocab=pieces, extra_ids=2, model_max_length=64).save_pretrained(folder)


def reference(folder: Path, text: str, instruction: str = "", pooled: bool = False) -> np.ndarray:
    """The vector of one text. pooled: the instruction counts in the mean, as its folders say."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoder = T5EncoderModel.from_pretrained(folder).eval()
    ids = tokenizer(instruction + text)["input_ids"]  # ends in </s>
    skipped = 0 if pooled or not instruction else len(tokenizer(instruction)["input_ids"]) - 1
    weight = torch.load(folder / "2_Dense" / "pytorch_model.bin", weights_only=True)["linear.weight"]
    with torch.inference_mode():
        tokens = encoder(torch.tensor([ids])).last_hidden_state[0]
        return as_vector(unit(tokens[skipped:].mean(0) @ weight.T))
