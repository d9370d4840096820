"""A BERT sentence encoder: WordPiece, two layers, and every pooling Sentence Transformers knows.

Knows: the checkpoint's files in their old and their new form, and the reference vector of one text. The reference reads
the same files as the library under test does and computes with transformers and torch alone.

Sources: Reimers & Gurevych 2019, section 3 (pooling); files as sentence-transformers/all-MiniLM-L6-v2 (old form) and as
Sentence Transformers 6.2 writes them (new form).
"""

from __future__ import annotations

import string
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from torch import Tensor
from transformers import BertConfig, BertModel, BertTokenizer

from ._parts import SUFFIXES, WORDS, as_vector, centre, phrases, read_json, spread, unit, write_json

WIDTH = 32
POSITIONS = 64
POOLINGS = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")  # also the legacy order
LEGACY = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
OLD = {name: f"sentence_transformers.models.{name}" for name in ("Transformer", "Pooling", "Dense", "Normalize")}
NEW = {
    "Transformer": "sentence_transformers.base.modules.transformer.Transformer",
    "Pooling": "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
    "Dense": "sentence_transformers.base.modules.dense.Dense",
    "Normalize": "sentence_transformers.base.modules.normalize.Normalize",
}


def vocabulary() -> list[str]:
    signs = list(string.digits + string.ascii_lowercase + string.punctuation + "¿你好мир")
    pieces = ["##" + piece for piece in [*string.ascii_lowercase, *string.digits, *"мир", *SUFFIXES]]
    return list(dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *signs, *pieces, *WORDS]))


def word_piece() -> Tokenizer:
    """The uncased BERT tokenizer over the small vocabulary."""
    ids = {piece: index for index, piece in enumerate(vocabulary())}
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def build(
    folder: Path,
    seed: int = 0,
    *,
    pooling: str | tuple[str, ...] = "mean",
    normalize: bool = True,
    dense: int | None = None,
    style: Literal["legacy", "new"] = "legacy",
    include_prompt: bool = True,
    max_seq_length: int | None = 48,
    prompts: dict[str, str] | None = None,
) -> Path:
    """Write a Sentence Transformers folder and return it.

    pooling: one of POOLINGS or several to concatenate. dense: the width of a Dense module with tanh between Pooling and
    Normalize. style: "legacy" has the old class paths and pooling keys, "new" those of 5.4 and later.
    """
    bare(folder, seed)
    types = OLD if style == "legacy" else NEW
    names = (pooling,) if isinstance(pooling, str) else tuple(pooling)
    modules = ["Transformer", "Pooling", *(["Dense"] if dense else []), *(["Normalize"] if normalize else [])]
    paths = ["" if name == "Transformer" else f"{index}_{name}" for index, name in enumerate(modules)]
    write_json(
        folder / "modules.json",
        [
            {"idx": index, "name": str(index), "path": path, "type": types[name]}
            for index, (name, path) in enumerate(zip(modules, paths))
        ],
    )
    version = {"sentence_transformers": "2.0.0", "transformers": "4.6.1", "pytorch": "1.8.1"}
    config: dict[str, object] = {"__version__": version}
    if style == "legacy":
        write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_seq_length, "do_lower_case": False})
        pooling_config: dict[str, object] = {"word_embedding_dimension": WIDTH}
        pooling_config |= {LEGACY[name]: name in names for name in POOLINGS}
        if not include_prompt:
            pooling_config["include_prompt"] = False
    else:
        forward = {"method": "forward", "method_output_name": "last_hidden_state"}
        write_json(
            folder / "sentence_bert_config.json",
            {
                "transformer_task": "feature-extraction",
                "modality_config": {"text": forward},
                "module_output_name": "token_embeddings",
            },
        )
        tokens = read_json(folder / "tokenizer_config.json") | {"model_max_length": max_seq_length or POSITIONS}
        write_json(folder / "tokenizer_config.json", tokens)
        pooling_config = {
            "embedding_dimension": WIDTH,
            "pooling_mode": names[0] if len(names) == 1 else list(names),
            "include_prompt": include_prompt,
        }
        version = {"sentence_transformers": "6.2.0", "transformers": "5.24.0", "pytorch": "2.13.0+cpu"}
        config = {"__version__": version, "default_prompt_name": None, "model_type": "SentenceTransformer"}
        config |= {"prompts": {"query": "", "document": ""}, "similarity_fn_name": "cosine"}
    if prompts:
        config["prompts"] = prompts
    write_json(folder / "config_sentence_transformers.json", config)
    write_json(folder / "1_Pooling" / "config.json", pooling_config)
    if dense:
        _write_dense(folder / "2_Dense", WIDTH * len(names), dense, seed, new=style == "new")
    if normalize and style == "new":  # an old folder has no Normalize file: git keeps no empty folder
        key = {"module_input_name": "sentence_embedding", "module_output_name": "sentence_embedding"}
        write_json(folder / paths[-1] / "config.json", key)
    return folder


def bare(folder: Path, seed: int = 0) -> Path:
    """Write the plain transformers folder, without any Sentence Transformers file."""
    folder.mkdir(parents=True, exist_ok=True)
    _load.cache_clear()
    tokenizer = word_piece()
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.model.save(str(folder))  # vocab.txt
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}
    write_json(folder / "special_tokens_map.json", special)
    write_json(
        folder / "tokenizer_config.json",
        {"do_lower_case": True, **special, "tokenize_chinese_chars": True, "strip_accents": None}
        | {"tokenizer_class": "BertTokenizer", "model_max_length": POSITIONS},
    )
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=POSITIONS,
        pad_token_id=0,
    )
    model = BertModel(config).eval()
    spread(model, seed)
    with torch.no_grad():
        states = [model(torch.tensor([tokenizer.encode(text).ids])).last_hidden_state[0].mean(0) for text in phrases()]
        centre(model.encoder.layer[-1].output.LayerNorm.bias, states)
    model.save_pretrained(folder)
    return folder


def _write_dense(folder: Path, inputs: int, outputs: int, seed: int, new: bool) -> None:
    config = {"in_features": inputs, "out_features": outputs, "bias": True}
    config["activation_function"] = "torch.nn.modules.activation.Tanh"  # type: ignore[assignment]
    if new:
        config |= {"module_input_name": "sentence_embedding", "module_output_name": "sentence_embedding"}  # type: ignore[dict-item]
    write_json(folder / "config.json", config)
    random = torch.Generator().manual_seed(seed + 1)
    weight = torch.randn(outputs, inputs, generator=random) / inputs**0.5
    bias = 0.1 * torch.randn(outputs, generator=random)
    save_file({"linear.weight": weight, "linear.bias": bias}, folder / "model.safetensors", metadata={"format": "pt"})


@lru_cache(maxsize=16)
def _load(folder: Path) -> tuple[BertTokenizer, BertModel]:
    return BertTokenizer.from_pretrained(folder), BertModel.from_pretrained(folder, dtype=torch.float32).eval()


def _limit(folder: Path) -> int:
    """Tokens a text may have, special tokens included."""
    limits = [POSITIONS, read_json(folder / "tokenizer_config.json")["model_max_length"]]
    if (folder / "sentence_bert_config.json").exists():
        limits.append(read_json(folder / "sentence_bert_config.json").get("max_seq_length") or POSITIONS)
    return min(limits)


def token_ids(folder: Path, text: str) -> list[int]:
    """The ids of one text with [CLS] and [SEP], cut to the folder's limit."""
    tokenizer, _ = _load(folder)
    return tokenizer(text, truncation=True, max_length=_limit(folder))["input_ids"]


def hidden(folder: Path, ids: list[int], mask: list[int] | None = None) -> Tensor:
    """(length, width) token vectors of one sequence."""
    _, model = _load(folder)
    with torch.inference_mode():
        return model(torch.tensor([ids]), torch.tensor([mask or [1] * len(ids)])).last_hidden_state[0]


def pool(tokens: Tensor, name: str, skipped: int = 0) -> Tensor:
    """(length, width) -> (width,). Every token counts; `skipped` tokens stood before the first."""
    length = tokens.shape[0]
    ramp = torch.arange(1, length + 1, dtype=torch.float32)[:, None] + skipped
    match name:
        case "cls":
            return tokens[0]
        case "max":
            return tokens.amax(0)
        case "mean":
            return tokens.sum(0) / length
        case "mean_sqrt_len_tokens":
            return tokens.sum(0) / length**0.5
        case "weightedmean":
            return (tokens * ramp).sum(0) / ramp.sum()
        case "lasttoken":
            return tokens[-1]
    raise AssertionError(name)


def _poolings(folder: Path) -> tuple[list[str], bool]:
    """The names to concatenate, and whether the prompt's tokens are pooled.

    A plain folder averages all tokens. New keys concatenate in the written order, legacy keys in that of POOLINGS.
    """
    if not (folder / "1_Pooling").exists():
        return ["mean"], True
    config = read_json(folder / "1_Pooling" / "config.json")
    if "pooling_mode" in config:
        mode = config["pooling_mode"]
        return [mode] if isinstance(mode, str) else mode, config["include_prompt"]
    return [name for name in POOLINGS if config[LEGACY[name]]], config.get("include_prompt", True)


def reference(folder: Path, text: str, prompt: str = "") -> np.ndarray:
    """The vector of one text: tokens, model, pooling, then Dense and Normalize where the folder has them.

    prompt: put before the text. Where the folder says include_prompt false, the tokens of the prompt, [CLS] among
    them, are attended but not pooled.
    """
    tokens = hidden(folder, token_ids(folder, prompt + text))
    names, include_prompt = _poolings(folder)
    skipped = len(token_ids(folder, prompt)) - 1 if prompt and not include_prompt else 0
    vector = torch.cat([pool(tokens[skipped:], name, skipped) for name in names])
    if (folder / "2_Dense").exists():
        weights = load_file(folder / "2_Dense" / "model.safetensors")
        vector = torch.tanh(torch.nn.functional.linear(vector, weights["linear.weight"], weights["linear.bias"]))
    modules = folder / "modules.json"
    if modules.exists() and read_json(modules)[-1]["type"].endswith("Normalize"):
        vector = unit(vector)
    return as_vector(vector)
