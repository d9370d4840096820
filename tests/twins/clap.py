"""A CLAP dual encoder: text and sound in one space, with and without feature fusion.

Knows: the checkpoint's files (as laion/clap-htsat-unfused and -fused), and the reference vector of one text or one
sound. The extractor of transformers draws crops at random and marks a random sound of a batch as longer; this reference
is what a deterministic reading gives:

- a sound longer than the window, "rand_trunc": its first window;
- the same, "fusion": the whole sound shrunk, and the chunk that starts at `third[len(third) // 2]` of each of the three
  thirds of possible starts;
- `is_longer` is what the extractor finds for the sound itself. A sound that is longer by less than one hop of the
  spectrogram has as many frames as the window, so it counts as not longer, as in the extractor.

Source: Wu et al. 2023, section 3.3 (feature fusion).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal
from unittest.mock import patch

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE
from torch import Tensor
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, RobertaTokenizer

from ._parts import WORDS, as_vector, byte_alphabet, centre, merges_for, phrases, spread, write_json
from .samples import sounds

MAX_LENGTH = 512
RATE = 48_000
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "<unk>"} | {
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}


def byte_pairs() -> Tokenizer:
    """RoBERTa's tokenizer over the small vocabulary."""
    merges = merges_for([*WORDS, *("Ġ" + word for word in WORDS)])
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *byte_alphabet(), *("".join(pair) for pair in merges), "<mask>"]
    ids = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(BPE(ids, merges, continuing_subword_prefix="", end_of_word_suffix=""))
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", ids["</s>"]), ("<s>", ids["<s>"]), trim_offsets=True, add_prefix_space=False
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def build(folder: Path, seed: int = 0, *, truncation: Literal["rand_trunc", "fusion"] = "rand_trunc") -> Path:
    """Write a transformers folder and return it. truncation: "fusion" also builds the model with fusion layers."""
    folder.mkdir(parents=True, exist_ok=True)
    _load.cache_clear()
    tokenizer = byte_pairs()
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.model.save(str(folder))  # vocab.json, merges.txt
    write_json(folder / "special_tokens_map.json", SPECIAL)
    write_json(
        folder / "tokenizer_config.json",
        {**SPECIAL, "add_prefix_space": False, "errors": "replace", "trim_offsets": True}
        | {"model_max_length": MAX_LENGTH, "processor_class": "ClapProcessor", "tokenizer_class": "RobertaTokenizer"},
    )
    write_json(
        folder / "preprocessor_config.json",
        {
            "chunk_length_s": 10,
            "feature_extractor_type": "ClapFeatureExtractor",
            "feature_size": 64,
            "fft_window_size": 1024,
            "frequency_max": 14000,
            "frequency_min": 50,
            "hop_length": 480,
            "max_length_s": 10,
            "n_fft": 1024,
            "nb_frequency_bins": 513,
            "nb_max_frames": 1000,
            "nb_max_samples": 480000,
            "padding": "repeatpad",
            "padding_side": "right",
            "padding_value": 0.0,
            "processor_class": "ClapProcessor",
            "return_attention_mask": False,
            "sampling_rate": RATE,
            "top_db": None,
            "truncation": truncation,
        },
    )
    config = ClapConfig(
        text_config={
            "vocab_size": tokenizer.get_vocab_size(),
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 64,
            "max_position_embeddings": MAX_LENGTH + 2,
        },
        audio_config={
            "patch_embeds_hidden_size": 8,
            "hidden_size": 64,  # of the last stage: the first one's, doubled three times
            "depths": [1, 2, 1, 1],
            "num_attention_heads": [1, 2, 2, 4],
            "mlp_ratio": 2.0,
            "spec_size": 256,
            "window_size": 8,
            "num_classes": 3,
            "enable_fusion": truncation == "fusion",
        },
        projection_dim=32,
    )
    model = ClapModel(config).eval()
    spread(model, seed)
    _unlike(folder, model, tokenizer)
    model.save_pretrained(folder)
    return folder


def _unlike(folder: Path, model: ClapModel, tokenizer: Tokenizer) -> None:
    """Take away what all vectors would share: the loudness of silence, the start token, the mean."""
    norm = model.audio_model.audio_encoder.batch_norm  # over the decibels of the 64 mel bins
    norm.running_mean.sub_(60)
    norm.running_var.mul_(400)
    with torch.no_grad():
        for layer in model.text_model.encoder.layer:
            layer.attention.self.value.weight.mul_(3)
            layer.attention.output.dense.weight.mul_(2)
        texts = [torch.tensor([tokenizer.encode(text).ids]) for text in phrases()]
        read = [model.text_model(ids).pooler_output[0] for ids in texts]
        heard = [model.audio_model(**features(folder, sound)).pooler_output[0] for sound in sounds()]
        for projection, states in ((model.text_projection, read), (model.audio_projection, heard)):
            projection.linear1.bias.zero_()
            centre(projection.linear1.bias, [projection.linear1(state) for state in states])
            centre(projection.linear2.bias, [projection(state) for state in states])


@lru_cache(maxsize=16)
def _load(folder: Path) -> tuple[RobertaTokenizer, ClapModel]:
    return RobertaTokenizer.from_pretrained(folder), ClapModel.from_pretrained(folder, dtype=torch.float32).eval()


def token_ids(folder: Path, text: str) -> list[int]:
    """The ids of one text with <s> and </s>, cut to 512."""
    tokenizer, _ = _load(folder)
    return tokenizer(text, truncation=True, max_length=MAX_LENGTH)["input_ids"]


def features(folder: Path, sound: np.ndarray) -> dict[str, Tensor]:
    """input_features (1, 1 or 4, frames, 64) float32 and is_longer (1, 1) bool of one mono sound at 48 kHz."""
    extractor = ClapFeatureExtractor.from_pretrained(folder)
    window = extractor.nb_max_samples
    with (
        patch("numpy.random.randint", lambda low, high=None: low),
        patch("numpy.random.choice", lambda starts: starts[len(starts) // 2]),
    ):
        mel, longer = extractor._get_input_mel(
            np.asarray(sound, dtype=np.float64), window, extractor.truncation, extractor.padding
        )
    return {"input_features": torch.tensor(mel, dtype=torch.float32)[None], "is_longer": torch.tensor([[longer]])}


def reference_text(folder: Path, text: str) -> np.ndarray:
    """The projected, normalised text vector."""
    _, model = _load(folder)
    ids = torch.tensor([token_ids(folder, text)])
    with torch.inference_mode():
        return as_vector(model.get_text_features(ids, attention_mask=torch.ones_like(ids)).pooler_output)


def reference_audio(folder: Path, sound: np.ndarray) -> np.ndarray:
    """The projected, normalised vector of one mono sound at 48 kHz, (samples,) float."""
    _, model = _load(folder)
    with torch.inference_mode():
        return as_vector(model.get_audio_features(**features(folder, sound)).pooler_output)


def reference(folder: Path, *, text: str | None = None, audio: np.ndarray | None = None) -> np.ndarray:
    """The vector of one text or one sound."""
    assert (text is None) != (audio is None), "one of text, audio"
    return reference_text(folder, text) if text is not None else reference_audio(folder, audio)  # type: ignore[arg-type]
