"""Rerankers that label pairs: tiny `*ForSequenceClassification` checkpoints of seven families.

Knows: each family's tokenizer (what stands around and between two texts, token types), its published file layout, and
the reference scores of one pair: the tokenizer's own pair with its own truncation, then the transformers network.
Nothing of the library under test is imported here.

Sources: cross-encoder/ms-marco-MiniLM-L6-v2 (BERT), cross-encoder/stsb-roberta-base, BAAI/bge-reranker-base (XLM-R),
Alibaba-NLP/gte-reranker-modernbert-base, cross-encoder/nli-deberta-v3-base, cross-encoder/ms-marco-electra-base.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE, Unigram
from torch import Tensor

from ._parts import SUFFIXES, WORDS, byte_alphabet, merges_for, phrases, spread, write_json
from .bert import word_piece

WIDTH = 32
POSITIONS = 64
KINDS = ("bert", "roberta", "xlm-roberta", "modernbert", "deberta-v2", "deberta-v3", "electra", "distilbert")
_BRACKETS = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}
_ANGLES = {"bos": "<s>", "eos": "</s>", "sep": "</s>", "cls": "<s>", "unk": "<unk>", "pad": "<pad>", "mask": "<mask>"}


# ------------------------------------------------------------------------------------------------- the checkpoint


def _byte_level(special: list[str], post: Any, prefix_space: bool) -> Tokenizer:
    merges = merges_for([*WORDS, *("Ġ" + word for word in WORDS)])
    pieces = [*special, *byte_alphabet(), *("".join(pair) for pair in merges)]
    ids = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(BPE(ids, merges))
    tokenizer.add_special_tokens(special)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = post(ids)
    return tokenizer


def _unigram(special: list[str], post: Any) -> Tokenizer:
    """Sentence pieces: words behind "▁", suffixes and letters."""
    letters = [chr(code) for code in range(33, 127)] + list("▁¿áóú你好мир")
    words = ["▁" + word for word in WORDS] + SUFFIXES + letters
    pieces = [*((token, 0.0) for token in special), *((word, -5.0 - i / 1000) for i, word in enumerate(words))]
    pieces = list({piece: (piece, score) for piece, score in pieces}.values())
    ids = {piece: index for index, (piece, _) in enumerate(pieces)}
    tokenizer = Tokenizer(Unigram(pieces, unk_id=ids["<unk>" if "<unk>" in ids else "[UNK]"]))
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip(left=False)])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = post(ids)
    return tokenizer


def _around(first: str, between: str, last: str, typed: bool = False) -> Callable[[dict[str, int]], Any]:
    """A post-processor: first A last, and first A between B last."""
    second = 1 if typed else 0
    names = dict.fromkeys([first, *between.split(), last])
    middle = " ".join(f"{token}:0" for token in between.split())

    def post(ids: dict[str, int]) -> Any:
        return processors.TemplateProcessing(
            single=f"{first}:0 $A:0 {last}:0",
            pair=f"{first}:0 $A:0 {middle} $B:{second} {last}:{second}",
            special_tokens=[(name, ids[name]) for name in names],
        )

    return post


def _tokenizer(kind: str) -> tuple[Tokenizer, str, dict[str, Any]]:
    """(tokenizer, its class in tokenizer_config.json, further keys there)"""
    angles = {f"{name}_token": token for name, token in _ANGLES.items()}
    if kind in ("bert", "electra", "distilbert"):
        name = {"bert": "BertTokenizer", "electra": "ElectraTokenizer", "distilbert": "DistilBertTokenizer"}[kind]
        return word_piece(), name, {"do_lower_case": True, **_BRACKETS}
    if kind == "roberta":
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        made = _byte_level(special, lambda ids: processors.RobertaProcessing(("</s>", ids["</s>"]), ("<s>", 0)), False)
        return made, "RobertaTokenizer", angles
    if kind == "xlm-roberta":
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        return _unigram(special, _around("<s>", "</s> </s>", "</s>")), "XLMRobertaTokenizer", angles
    if kind == "modernbert":
        special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
        names = {"model_input_names": ["input_ids", "attention_mask"], **_BRACKETS}
        return _byte_level(special, _around("[CLS]", "[SEP]", "[SEP]"), False), "PreTrainedTokenizerFast", names
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    made = _unigram(special, _around("[CLS]", "[SEP]", "[SEP]", typed=True))
    return made, "DebertaV2Tokenizer", {"do_lower_case": False, "bos_token": "[CLS]", "eos_token": "[SEP]", **_BRACKETS}


def _network(kind: str, size: int, pad: int, labels: int) -> Any:
    shape: dict[str, Any] = {
        "vocab_size": size,
        "hidden_size": WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "pad_token_id": pad,
        "num_labels": labels,
        "max_position_embeddings": POSITIONS,
    }
    deberta = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 0}
    deberta |= {"position_biased_input": False, "pooler_hidden_size": WIDTH}
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "bert": ("Bert", {}),
        "roberta": ("Roberta", {"max_position_embeddings": POSITIONS + 2, "type_vocab_size": 1}),
        "xlm-roberta": ("XLMRoberta", {"max_position_embeddings": POSITIONS + 2, "type_vocab_size": 1}),
        "modernbert": ("ModernBert", {"local_attention": 16, "global_attn_every_n_layers": 2}),
        "deberta-v2": ("DebertaV2", {**deberta, "conv_kernel_size": 3, "conv_act": "gelu"}),
        "deberta-v3": (
            "DebertaV2",
            {**deberta, "position_buckets": 16, "norm_rel_ebd": "layer_norm", "share_att_key": True},
        ),
        "electra": ("Electra", {"embedding_size": 16}),
        "distilbert": ("DistilBert", {}),
    }
    name, more = kinds[kind]
    if kind == "modernbert":
        more = {**more, "cls_token_id": 1, "sep_token_id": 2, "bos_token_id": 1, "eos_token_id": 2}
        more |= {"classifier_pooling": "mean"}
    if kind == "distilbert":
        own = {"num_hidden_layers": "n_layers", "num_attention_heads": "n_heads", "intermediate_size": "hidden_dim"}
        own |= {"hidden_size": "dim"}
        shape = {own.get(key, key): value for key, value in shape.items()}
    config = getattr(transformers, f"{name}Config")(**{**shape, **more})
    return getattr(transformers, f"{name}ForSequenceClassification")(config).eval()


def build(
    folder: Path,
    seed: int = 0,
    *,
    kind: str = "bert",
    labels: int = 1,
    form: Literal["raw", "modules"] = "raw",
) -> Path:
    """Write a checkpoint and return its folder.

    kind: one of KINDS.  form: "raw" the transformers folder, as rerankers were until Sentence Transformers 5.4,
    "modules" with the files that versions since then write.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _load.cache_clear()
    tokenizer, name, keys = _tokenizer(kind)
    tokenizer.save(str(folder / "tokenizer.json"))
    if kind in ("bert", "electra", "distilbert", "roberta"):
        tokenizer.model.save(str(folder))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": name, "model_max_length": POSITIONS, **keys})
    pad = tokenizer.token_to_id(keys["pad_token"])
    model = _network(kind, tokenizer.get_vocab_size(), pad, labels)
    spread(model, seed)
    model.save_pretrained(folder)
    _centred(folder, model, labels)
    _load.cache_clear()
    if form == "modules":
        _write_modules(folder)
    return folder


def _write_modules(folder: Path) -> None:
    kind = "sentence_transformers.base.modules.transformer.Transformer"
    write_json(folder / "modules.json", [{"idx": 0, "name": "0", "path": "", "type": kind}])
    call = {"method": "forward", "method_output_name": "logits"}
    config = {"transformer_task": "sequence-classification", "modality_config": {"text": call}}
    write_json(folder / "sentence_bert_config.json", {**config, "module_output_name": "scores"})
    versions = {"sentence_transformers": "5.4.0", "transformers": "5.5.0", "pytorch": "2.9.0"}
    write_json(folder / "config_sentence_transformers.json", {"__version__": versions, "model_type": "CrossEncoder"})


def _centred(folder: Path, model: Any, labels: int) -> None:
    """Scores of a few pairs spread over -2 to 2, so that a sigmoid tells them apart."""
    made = np.array([logits(folder, query, document) for query in phrases()[:3] for document in phrases()[3:9]])
    head = next(module for name, module in reversed(list(model.named_modules())) if _is_head(name, module, labels))
    with torch.no_grad():
        scale = torch.from_numpy(1 / made.std(0)).float()
        head.weight.mul_(scale[:, None])
        head.bias.copy_((head.bias - torch.from_numpy(made.mean(0)).float()) * scale)
    model.save_pretrained(folder)


def _is_head(name: str, module: Any, labels: int) -> bool:
    return "classifier" in name and isinstance(module, torch.nn.Linear) and module.out_features == labels


# -------------------------------------------------------------------------------------------------- the reference


@lru_cache(maxsize=16)
def _load(folder: Path) -> tuple[Any, Any]:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    auto = transformers.AutoModelForSequenceClassification
    return tokenizer, auto.from_pretrained(folder, dtype=torch.float32).eval()


def tokens(folder: Path, query: str, document: str, limit: int | None = None, prompt: str = "") -> dict[str, Tensor]:
    """What the network is given for one pair; the tokenizer cuts it, the longer side first."""
    tokenizer, _ = _load(folder)
    limit = min(limit or POSITIONS, POSITIONS, tokenizer.model_max_length)
    given: dict[str, Tensor] = tokenizer(  # lists, since a lone empty text would count as none
        [prompt + query], [document], truncation="longest_first", max_length=limit, return_tensors="pt"
    )
    return given


def logits(folder: Path, query: str, document: str, limit: int | None = None, prompt: str = "") -> np.ndarray:
    """(labels,) of one pair."""
    _, model = _load(folder)
    with torch.inference_mode():
        made: np.ndarray = model(**tokens(folder, query, document, limit, prompt)).logits[0].double().numpy()
    assert np.isfinite(made).all()
    return made


def reference(folder: Path, query: str, document: str, limit: int | None = None) -> float:
    """The probability that a model with one label gives one pair."""
    (logit,) = logits(folder, query, document, limit)
    return float(1 / (1 + np.exp(-logit)))
