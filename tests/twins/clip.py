"""A CLIP dual encoder: text and pictures in one space, in the three forms its checkpoints come in.

Knows: the checkpoint's files, and the reference vector of one text or one picture. The end token is the largest id
and the padding token too, and the text config says eos_token_id 2, all as in openai/clip-vit-base-patch32: the vector
is read at the first end token.

Forms: "bare" is a transformers folder with the original's integer sizes; "new" is what Sentence Transformers 6.2 saves;
"old" is the 0_CLIPModel folder of sentence-transformers/clip-ViT-B-32.

Source: Radford et al. 2021, section 2.4.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE
from torch import Tensor
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from ._parts import WORDS, as_vector, byte_alphabet, merges_for, spread, write_json

SIDE = 48  # pixels of the picture the vision tower sees
PATCH = 16
WIDTH = 32
MAX_LENGTH = 77
MEAN = [0.48145466, 0.4578275, 0.40821073]
STD = [0.26862954, 0.26130258, 0.27577711]
START, END = "<|startoftext|>", "<|endoftext|>"
SPLIT = r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""


def byte_pairs() -> Tokenizer:
    """CLIP's tokenizer: lower case, end-of-word suffix, bytes that are never unknown."""
    alphabet = byte_alphabet()
    merges = merges_for(WORDS, end="</w>")
    pieces = [*alphabet, *(sign + "</w>" for sign in alphabet), *("".join(pair) for pair in merges), START, END]
    ids = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    model = BPE(ids, merges, continuing_subword_prefix="", end_of_word_suffix="</w>", unk_token=END)
    tokenizer = Tokenizer(model)
    tokenizer.add_special_tokens([START, END])
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.post_processor = processors.RobertaProcessing(
        (END, ids[END]), (START, ids[START]), trim_offsets=False, add_prefix_space=False
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _pixels_config(form: str) -> dict[str, Any]:
    base = {"do_center_crop": True, "do_normalize": True, "do_resize": True, "image_mean": MEAN, "image_std": STD}
    if form != "new":
        kind = {"feature_extractor_type": "CLIPFeatureExtractor"}
        return base | kind | {"resample": 3, "size": SIDE, "crop_size": SIDE}
    return base | {
        "crop_size": {"height": SIDE, "width": SIDE},
        "do_convert_rgb": True,
        "do_rescale": True,
        "image_processor_type": "CLIPImageProcessor",
        "resample": 3,
        "rescale_factor": 1 / 255,
        "size": {"shortest_edge": SIDE},
    }


def build(folder: Path, seed: int = 0, *, form: Literal["bare", "new", "old"] = "bare") -> Path:
    """Write the checkpoint and return its folder."""
    weights = folder / "0_CLIPModel" if form == "old" else folder
    weights.mkdir(parents=True, exist_ok=True)
    _load.cache_clear()
    tokenizer = byte_pairs()
    tokenizer.save(str(weights / "tokenizer.json"))
    tokenizer.model.save(str(weights))  # vocab.json, merges.txt
    special = {"bos_token": START, "eos_token": END, "pad_token": END, "unk_token": END}
    write_json(weights / "special_tokens_map.json", special)
    write_json(
        weights / "tokenizer_config.json",
        {**special, "add_prefix_space": False, "errors": "replace", "do_lower_case": True}
        | {"model_max_length": MAX_LENGTH, "tokenizer_class": "CLIPTokenizer"},
    )
    if form == "new":
        kind = {"image_processor": _pixels_config(form), "processor_class": "CLIPProcessor"}
        write_json(weights / "processor_config.json", kind)
    else:
        write_json(weights / "preprocessor_config.json", _pixels_config(form))
    tower = {"hidden_size": WIDTH, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = CLIPConfig(
        text_config=tower
        | {"vocab_size": tokenizer.get_vocab_size(), "max_position_embeddings": MAX_LENGTH}
        | {"bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1},
        vision_config=tower | {"image_size": SIDE, "patch_size": PATCH},
        projection_dim=24,
    )
    model = CLIPModel(config).eval()
    spread(model, seed)
    model.save_pretrained(weights)
    if form == "old":
        kind = "sentence_transformers.models.CLIPModel"
        write_json(folder / "modules.json", [{"idx": 0, "name": "0", "path": "0_CLIPModel", "type": kind}])
        version = {"sentence_transformers": "2.0.0", "transformers": "4.7.0", "pytorch": "1.9.0"}
        write_json(folder / "config_sentence_transformers.json", {"__version__": version})
    if form == "new":
        kind = "sentence_transformers.base.modules.transformer.Transformer"
        write_json(folder / "modules.json", [{"idx": 0, "name": "0", "path": "", "type": kind}])
        write_json(
            folder / "sentence_bert_config.json",
            {
                "transformer_task": "feature-extraction",
                "modality_config": {
                    "text": {"method": "get_text_features", "method_output_name": "pooler_output"},
                    "image": {"method": "get_image_features", "method_output_name": "pooler_output"},
                },
                "module_output_name": "sentence_embedding",
            },
        )
        version = {"sentence_transformers": "6.2.0", "transformers": "5.24.0", "pytorch": "2.13.0+cpu"}
        write_json(
            folder / "config_sentence_transformers.json",
            {"__version__": version, "default_prompt_name": None, "model_type": "SentenceTransformer"}
            | {"prompts": {"query": "", "document": ""}, "similarity_fn_name": "cosine"},
        )
    return folder


def _weights(folder: Path) -> Path:
    return folder / "0_CLIPModel" if (folder / "0_CLIPModel").exists() else folder


@lru_cache(maxsize=16)
def _load(folder: Path) -> tuple[CLIPTokenizer, CLIPModel]:
    path = _weights(folder)
    return CLIPTokenizer.from_pretrained(path), CLIPModel.from_pretrained(path, dtype=torch.float32).eval()


def token_ids(folder: Path, text: str) -> list[int]:
    """The ids of one text with start and end token, cut to 77."""
    tokenizer, _ = _load(folder)
    return tokenizer(text, truncation=True, max_length=MAX_LENGTH)["input_ids"]


def pixels(folder: Path, image: Image.Image) -> Tensor:
    """(1, 3, side, side) float32: shortest edge resized (bicubic), centre crop, 1/255, mean and deviation."""
    return CLIPImageProcessorPil.from_pretrained(_weights(folder))(image, return_tensors="pt")["pixel_values"]


def reference_text(folder: Path, text: str, mask: list[int] | None = None, ids: list[int] | None = None) -> np.ndarray:
    """The projected text vector, not normalised. `ids` and `mask` can replace the tokenizer's, to show what they do."""
    _, model = _load(folder)
    ids = ids or token_ids(folder, text)
    with torch.inference_mode():
        output = model.get_text_features(torch.tensor([ids]), attention_mask=torch.tensor([mask or [1] * len(ids)]))
    return as_vector(output.pooler_output)


def reference_image(folder: Path, image: Image.Image) -> np.ndarray:
    """The projected picture vector, not normalised."""
    _, model = _load(folder)
    with torch.inference_mode():
        return as_vector(model.get_image_features(pixels(folder, image)).pooler_output)


def reference(folder: Path, *, text: str | None = None, image: Image.Image | None = None) -> np.ndarray:
    """The vector of one text or one picture."""
    assert (text is None) != (image is None), "one of text, image"
    return reference_text(folder, text) if text is not None else reference_image(folder, image)  # type: ignore[arg-type]
