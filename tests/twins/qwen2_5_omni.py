"""Twins of the thinker of Qwen2.5-Omni: as an embedding model, and as a reranker that answers.

Knows: the checkpoint's files, and the reference of one input or one pair from prompts spelled out here, transformers'
own Whisper feature extractor, Pillow processor and network. Nothing of the library under test is imported here.

Sounds are read at 16 kHz, mono, padded with silence to 30 seconds (300 in the
published model), which the thinker's mask takes away again. The prompt
of a reranker is that of Qwen3-VL-Reranker with a sound where a picture may stand.

Sources: transformers, models/qwen2_5_omni and whisper. The chat template is Qwen2.5-Omni's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soxr
import torch
from tokenizers import AddedToken
from torch import Tensor
from transformers import (
    Qwen2_5OmniThinkerConfig,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen2Tokenizer,
    WhisperFeatureExtractor,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from ._parts import as_vector, phrases, spread, unit, write_json
from .qwen2_vl import (
    DEVIATION,
    INSTRUCTION,
    JUDGE,
    MEAN,
    SYSTEM,
    WIDTH,
    answers_apart,
    listed,
    widened,
    write_modules,
    write_tokenizer_config,
)
from .qwen3_vl import PLAIN, SPECIAL, byte_pairs

RATE = 16_000
OWN = [f"<|{name}|>" for name in ("AUDIO", "audio_bos", "audio_eos", "IMAGE", "vision_bos", "vision_eos", "VIDEO")]
PICTURE, SOUND = "<|vision_bos|><|IMAGE|><|vision_eos|>", "<|audio_bos|><|AUDIO|><|audio_eos|>"
CHAT = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system\n"
    "You are a helpful assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}<|im_end|>\n{% else %}"
    "{% for content in message['content'] %}"
    "{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}"
    "<|vision_bos|><|IMAGE|><|vision_eos|>"
    "{% elif content['type'] == 'audio' or 'audio' in content or 'audio_url' in content %}"
    "<|audio_bos|><|AUDIO|><|audio_eos|>"
    "{% elif content['type'] == 'video' or 'video' in content %}<|vision_bos|><|VIDEO|><|vision_eos|>"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

Given = Mapping[str, Any]
"""Parts of one input: text, image, audio (samples and their rate), each one or several."""


# ------------------------------------------------------------------------------------------------- the checkpoint


def build(folder: Path, seed: int = 0, *, form: Literal["raw", "st"] = "raw") -> Path:
    """Write the checkpoint and return its folder. form: "st" adds the files of Sentence Transformers."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = byte_pairs(("yes", "no"))
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in OWN])
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.model.save(str(folder))
    write_tokenizer_config(folder, tokenizer, [*SPECIAL, *PLAIN, *OWN], [*SPECIAL, *OWN])
    (folder / "chat_template.jinja").write_text(CHAT, encoding="utf-8")
    write_json(
        folder / "preprocessor_config.json",
        {
            "chunk_length": 30,  # of the published one: 300, and the next two likewise
            "dither": 0.0,
            "feature_extractor_type": "WhisperFeatureExtractor",
            "feature_size": 128,
            "hop_length": 160,
            "image_mean": MEAN,
            "image_processor_type": "Qwen2VLImageProcessor",
            "image_std": DEVIATION,
            "max_pixels": 12845056,
            "merge_size": 2,
            "min_pixels": 3136,
            "n_fft": 400,
            "n_samples": 480000,
            "nb_max_frames": 3000,
            "padding_side": "right",
            "padding_value": 0.0,
            "patch_size": 14,
            "processor_class": "Qwen2_5OmniProcessor",
            "return_attention_mask": True,
            "sampling_rate": RATE,
            "temporal_patch_size": 2,
        },
    )
    model = Qwen2_5OmniThinkerForConditionalGeneration(Qwen2_5OmniThinkerConfig(**_config(tokenizer))).eval()
    spread(model, seed)
    for cached in (_tools, _load):
        cached.cache_clear()
    with torch.no_grad():
        for layer in model.model.language_model.layers:
            layer.self_attn.o_proj.weight.mul_(4)
        pairs = [({"text": query}, {"text": text}) for query in phrases()[:2] for text in phrases()[2:8]]
        words = _tools(folder)[0]
        answers_apart(model, [words(answer_prompt(*pair))["input_ids"] for pair in pairs], words)
    model.save_pretrained(folder)
    if form == "st":
        write_modules(folder, ("image", "audio"))
    return folder


def _config(tokenizer: Any) -> dict[str, Any]:
    ids = {name: tokenizer.token_to_id(f"<|{name}|>") for name in ("AUDIO", "IMAGE", "VIDEO", "audio_bos", "audio_eos")}
    ids |= {name: tokenizer.token_to_id(f"<|{name}|>") for name in ("vision_bos", "vision_eos", "endoftext", "im_end")}
    return {
        "audio_config": {
            "d_model": 32,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 48,
            "encoder_layers": 2,
            "max_source_positions": 1500,
            "n_window": 100,
            "num_mel_bins": 128,
            "output_dim": WIDTH,
        },
        "audio_end_token_id": ids["audio_eos"],
        "audio_start_token_id": ids["audio_bos"],
        "audio_token_index": ids["AUDIO"],
        "image_token_index": ids["IMAGE"],
        "pad_token_id": ids["endoftext"],
        "position_id_per_seconds": 25,
        "seconds_per_chunk": 2,
        "text_config": {
            "hidden_act": "silu",
            "hidden_size": WIDTH,
            "intermediate_size": 96,
            "max_position_embeddings": 32768,
            "num_attention_heads": 4,
            "num_hidden_layers": 2,
            "num_key_value_heads": 2,
            "rms_norm_eps": 1e-06,
            "rope_scaling": {"mrope_section": [2, 3, 3], "rope_type": "default", "type": "default"},
            "rope_theta": 1000000.0,
            "vocab_size": tokenizer.get_vocab_size(),
        },
        "tie_word_embeddings": False,
        "video_token_index": ids["VIDEO"],
        "vision_config": {
            "depth": 2,
            "fullatt_block_indexes": [1],
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "out_hidden_size": WIDTH,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "window_size": 112,
        },
        "vision_end_token_id": ids["vision_eos"],
        "vision_start_token_id": ids["vision_bos"],
    }


# -------------------------------------------------------------------------------------------------- the reference


@lru_cache(maxsize=8)
def _tools(folder: Path) -> tuple[Qwen2Tokenizer, Qwen2VLImageProcessorPil, WhisperFeatureExtractor]:
    return (
        Qwen2Tokenizer.from_pretrained(folder),
        Qwen2VLImageProcessorPil.from_pretrained(folder),
        WhisperFeatureExtractor.from_pretrained(folder),
    )


@lru_cache(maxsize=8)
def _load(folder: Path) -> Qwen2_5OmniThinkerForConditionalGeneration:
    return Qwen2_5OmniThinkerForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()


def written(given: Given) -> str:
    """The parts of one side as they stand in a prompt: pictures, sounds, texts."""
    media = PICTURE * len(listed(given.get("image"))) + SOUND * len(listed(given.get("audio")))
    return media + "".join(listed(given.get("text")))


def embedding_prompt(given: Given, instruction: str | None = None) -> str:
    return (
        f"<|im_start|>system\n{instruction or SYSTEM}<|im_end|>\n<|im_start|>user\n{written(given)}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def answer_prompt(query: Given, document: Given, instruction: str | None = None) -> str:
    asked = f"<Instruct>: {instruction or INSTRUCTION}<Query>:{written(query)}\n<Document>:{written(document)}"
    return f"<|im_start|>system\n{JUDGE}<|im_end|>\n<|im_start|>user\n{asked}<|im_end|>\n<|im_start|>assistant\n"


def at_rate(samples: np.ndarray, rate: int) -> np.ndarray:
    """The same sound at 16 kHz."""
    if rate == RATE:
        return samples
    made = soxr.resample(samples, rate, RATE, quality="HQ")
    count = -(-len(samples) * RATE // rate)
    return np.pad(made[:count], (0, count - len(made[:count]))).astype(np.float32)


def sound_features(folder: Path, sounds: list[tuple[np.ndarray, int]]) -> dict[str, Tensor]:
    """input_features (sounds, mels, 3000) and feature_attention_mask (sounds, 3000)."""
    heard = [at_rate(*sound) for sound in sounds]
    options: dict[str, Any] = {"padding": "max_length", "return_attention_mask": True, "return_tensors": "pt"}
    found = _tools(folder)[2](heard, sampling_rate=RATE, **options)
    return {"input_features": found["input_features"], "feature_attention_mask": found["attention_mask"]}


def prepared(folder: Path, prompt: str, sides: list[Given]) -> dict[str, Tensor]:
    """What the network is given. sides: in the order of the prompt."""
    tokenizer, images, _ = _tools(folder)
    tensors: dict[str, Tensor] = {}
    shown = [picture for side in sides for picture in listed(side.get("image"))]
    sounds = [sound for side in sides for sound in listed(side.get("audio"))]
    if shown:
        tensors |= images([picture.convert("RGB") for picture in shown], return_tensors="pt")
        prompt = widened(prompt, "<|IMAGE|>", [int(grid.prod()) // 4 for grid in tensors["image_grid_thw"]])
    if sounds:
        tensors |= sound_features(folder, sounds)
        frames = tensors["feature_attention_mask"].sum(1).tolist()
        prompt = widened(prompt, "<|AUDIO|>", [(((count - 1) // 2 + 1) - 2) // 2 + 1 for count in frames])
    ids = torch.tensor([tokenizer(prompt)["input_ids"]])
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)} | tensors


def states(folder: Path, tensors: Mapping[str, Tensor]) -> Tensor:
    """(length, width) last hidden states."""
    with torch.inference_mode():
        made: Tensor = _load(folder).model(**tensors, use_cache=False).last_hidden_state[0]
    return made


def reference(folder: Path, given: Given, instruction: str | None = None) -> np.ndarray:
    """The vector of one input."""
    return as_vector(unit(states(folder, prepared(folder, embedding_prompt(given, instruction), [given]))[-1]))


def log_odds(folder: Path, query: Given, document: Given, instruction: str | None = None) -> float:
    """Of "yes" against "no"."""
    last = states(folder, prepared(folder, answer_prompt(query, document, instruction), [query, document]))[-1]
    yes, no = (_tools(folder)[0].convert_tokens_to_ids(word) for word in ("yes", "no"))
    with torch.inference_mode():
        logits = _load(folder).lm_head(last)
    return float(logits[yes] - logits[no])
