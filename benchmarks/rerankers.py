"""Folders of rerankers for the benchmarks, made once from a seed: shapes of published models, random weights.

Knows: configurations, tokenizers, templates. Does not know: what is measured.

Both libraries read the same folder. A vocabulary is trained on the texts of the benchmarks, so that a word is about as
many tokens as in the published model; its size changes nothing but the table of token vectors.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from . import material

First = Literal["query", "document"]
"""Which side of a pair the template puts first."""
VOCABULARY = 8_000
QWEN3 = {
    "hidden_size": 1024,
    "intermediate_size": 3072,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
}
"""A layer of Qwen3-Reranker-0.6B."""
QWEN3_VL_TEXT = QWEN3 | {"hidden_size": 2048, "intermediate_size": 6144}
QWEN3_VL_VISION = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_heads": 16,
    "out_hidden_size": 2048,
    "num_position_embeddings": 2304,
}
"""A layer of the towers of Qwen3-VL-Reranker-2B."""
_TINY_TEXT = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
}
_TINY_VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_heads": 2,
    "out_hidden_size": 64,
    "num_position_embeddings": 64,
}


def minilm() -> str:
    """A cross-encoder of the shape of ms-marco-MiniLM-L6: the real encoder of all-MiniLM-L6-v2, a random head."""

    def make(folder: Path) -> None:
        from transformers import AutoTokenizer, BertForSequenceClassification

        network = BertForSequenceClassification.from_pretrained(material.minilm(), num_labels=1)
        _save_classifier(network, AutoTokenizer.from_pretrained(material.minilm()), folder)

    return _made("reranker-minilm", make)


def tiny_bert() -> str:
    """A cross-encoder of one layer of width 32 with the tokenizer of MiniLM: its forward pass is cheap."""

    def make(folder: Path) -> None:
        from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

        tokenizer = AutoTokenizer.from_pretrained(material.minilm())
        config: Any = BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
        )
        config.num_labels = 1
        network = BertForSequenceClassification(config)
        _randomise(network)
        _save_classifier(network, tokenizer, folder)

    return _made("reranker-tiny-bert", make)


def _made(name: str, make: Callable[[Path], object]) -> str:
    """material.made_once for this version of this file too."""
    declare_operators()  # transformers imports torchvision where it is installed
    version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    return str(material.made_once(f"{name}-{version}", make))


def _save_classifier(network: Any, tokenizer: Any, folder: Path) -> None:
    import torch

    torch.manual_seed(material.SEED)
    torch.nn.init.normal_(network.classifier.weight, std=0.5)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@cache
def declare_operators() -> Any:
    """Make torchvision importable, where it is installed, beside a torch for the CPU alone: the wheel of PyPI then
    finds no kernels for two operators, which no processor of pictures calls. What it returns has to be kept."""
    if find_spec("torchvision") is None:
        return None
    import torch

    try:
        import_module("torchvision")
    except RuntimeError:
        library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return library
    return None


# ---- language models that answer yes or no


def qwen3(first: First, tiny: bool = False) -> str:
    """Four layers of Qwen3-Reranker-0.6B with the authors' template; or with the document before the query, so that
    what queries share of a prompt is its document."""

    def make(folder: Path) -> None:
        from transformers import Qwen3Config, Qwen3ForCausalLM

        raw = folder.with_name("raw")
        tokenizer = _tokenizer(raw)
        shape: dict[str, Any] = _TINY_TEXT | {"num_hidden_layers": 2} if tiny else QWEN3 | {"num_hidden_layers": 4}
        config = Qwen3Config(
            vocab_size=len(tokenizer),
            tie_word_embeddings=True,
            max_position_embeddings=40_960,
            rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0},
            **shape,
        )
        network = Qwen3ForCausalLM(config)
        _randomise(network)
        network.save_pretrained(raw)
        if first == "document":
            (raw / "chat_template.jinja").write_text(_document_first(), encoding="utf-8")
        _finished(raw, folder, 8192)

    return _made(f"reranker-qwen3-{first}-first{'-tiny' * tiny}", make)


def _document_first() -> str:
    """The authors' template with the turns of query and document in the other order."""
    from manysense.modules.transformer import templates

    text = Path(templates.__file__).with_name("qwen3_reranker.jinja").read_text(encoding="utf-8")
    marker, ends = "{%- for message in messages if message.role == '{}' -%}", "{%- endfor -%}"
    blocks = []
    for role in ("query", "document"):
        start = text.index(marker.replace("{}", role, 1))
        blocks.append(text[start : text.index(ends, start) + len(ends)])
    query, document = blocks
    between = text[text.index(query) + len(query) : text.index(document)]
    return text.replace(query + between + document, document + between + query)


def qwen3_vl(form: Literal["tiny", "shallow", "2b"]) -> str:
    """A Qwen3-VL-Reranker. shallow: the layers of the 2B model, two of each tower, in float32.  2b: all of it, in
    bfloat16, but for the vocabulary."""

    def make(folder: Path) -> None:
        import torch
        from tests.twins import qwen3_vl as twin
        from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

        raw = twin.build(folder.with_name("raw"))
        tokenizer = _tokenizer(raw)
        config: Any = Qwen3VLConfig.from_pretrained(raw)
        depths, taps = {"tiny": ((2, 2), [0]), "shallow": ((2, 2), [0]), "2b": ((28, 24), [5, 11, 17])}[form]
        shapes = (_TINY_TEXT, _TINY_VISION) if form == "tiny" else (QWEN3_VL_TEXT, QWEN3_VL_VISION)
        config.text_config.update({**shapes[0], "num_hidden_layers": depths[0], "vocab_size": len(tokenizer)})
        config.vision_config.update({**shapes[1], "depth": depths[1], "deepstack_visual_indexes": taps})
        if form != "tiny":
            rope = config.text_config.rope_parameters
            config.text_config.rope_parameters = {**rope, "mrope_section": [24, 20, 20]}
        for name in ("image_pad", "video_pad", "vision_start", "vision_end"):
            key = f"{name.removesuffix('_pad')}_token_id"
            setattr(config, key, tokenizer.convert_tokens_to_ids(f"<|{name}|>"))
        network: Any = Qwen3VLForConditionalGeneration(config)
        _randomise(network)
        network.to(torch.bfloat16 if form == "2b" else torch.float32).save_pretrained(raw)
        _finished(raw, folder, 10_240)

    return _made(f"reranker-qwen3-vl-{form}", make)


def _tokenizer(raw: Path) -> Any:
    """Qwen's tokenizer with a vocabulary of our texts, saved into the folder."""
    from tests.twins import qwen3_vl as twin
    from transformers import AutoTokenizer

    if not raw.exists():
        twin.build(raw)
        for path in raw.iterdir():
            if "processor" in path.name or path.suffix == ".safetensors" or path.name == "config.json":
                path.unlink()
    old = AutoTokenizer.from_pretrained(raw)
    corpus = [*material.texts(3_000), *["yes", "no"] * 1_000]
    made = old.train_new_from_iterator(corpus, VOCABULARY)
    made.save_pretrained(raw)
    return made


def _randomise(network: Any) -> None:
    """Weights with which different pairs get different scores."""
    from tests.twins._parts import spread

    spread(network, material.SEED)
    network.eval()


def _finished(raw: Path, folder: Path, limit: int) -> None:
    """raw: a folder of transformers. folder: the same as a CrossEncoder that both libraries read."""
    from manysense import CrossEncoder

    CrossEncoder(raw, device="cpu", max_length=limit).save(str(folder))
    shutil.rmtree(raw)
    told = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    assert len(told) == 2, told
