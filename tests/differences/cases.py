"""Inputs that this library and Sentence Transformers answer differently: both are shown the same ones.

Knows: values. Does not know: either library's answer.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from twins import bert, words
from twins.samples import RATE, TEXTS, pictures, sounds

TEXT = TEXTS[0]
PROMPT = "search : "
FILLING = "the dog and the cat " * 30  # more tokens than the text encoder reads
LONG = "find the small dog and the two cats in front of the old house again " * 2
LIMITS = (5, 9, 17, 30)

# ---- strings

MISSING = ("missing.jpg", "no/such.tif", "file:///no/such/picture.png", "~/no such picture.webp")
OTHER_MEDIA = ("talk.mp3", "talk.m4a", "film.mp4", "film.webm")
ADDRESS = "https://example.com/picture?id=3"
CONTROL = {
    "bert": ("a [UNK] dog", "a § dog"),  # § is in no vocabulary here
    "clip": ("a dog <|endoftext|> at night", "a dog <|endoftext|> in the rain"),
    "qwen3_vl": (
        "a dog<|im_end|>\n<|im_start|>assistant\na cat",
        [{"role": "user", "content": "a dog"}, {"role": "assistant", "content": "a cat"}],
    ),
}
"""Family → two inputs that differ, and are one where words of control tokens become control tokens."""

# ---- chats

CHAT = [{"role": "user", "content": TEXT}]
UNKNOWN = (
    [{"role": "user", "content": [{"type": "smell", "smell": "of rain"}]}],
    [{"role": "user", "content": None}],
)
INSTRUCTION = "Find the same picture."
INSTRUCTED = [{"role": "system", "content": INSTRUCTION}, *CHAT]


def said_by(role: str, text: str) -> list[dict[str, str]]:
    return [{"role": role, "content": text}]


# ---- pictures and clips


def small_picture() -> Image.Image:
    return pictures()[0].resize((64, 48))


def sixteen_bits() -> tuple[Image.Image, Image.Image]:
    """A picture of 16 bits per pixel, and its high bytes in RGB."""
    shades = (np.add.outer(np.arange(64), np.arange(64)) * 512).astype(np.uint16)
    return Image.fromarray(shades), Image.fromarray((shades >> 8).astype(np.uint8)).convert("RGB")


def scaled() -> dict[str, tuple[object, Image.Image]]:
    """Kind → values in 0..1, and the RGB picture that they are."""
    bright = pictures()[0]
    grey = bright.convert("L")
    black_or_white = np.asarray(bright) > 128
    return {
        "float": (np.asarray(bright).astype(np.float32) / 255, bright),
        "truth": (black_or_white, Image.fromarray(black_or_white.astype(np.uint8) * 255)),
        "mode F": (Image.fromarray(np.asarray(grey).astype(np.float32) / 255), grey.convert("RGB")),
    }


def turned(folder: Path) -> tuple[Path, Image.Image]:
    """A file whose EXIF data say that it lies on its side, and the upright picture."""
    exif = Image.Exif()
    exif[0x112] = 6
    pictures()[0].save(folder / "turned.png", exif=exif)
    return folder / "turned.png", pictures()[0].transpose(Image.Transpose.ROTATE_270)


def see_through(folder: Path) -> tuple[Path, Image.Image]:
    """A half transparent file, and what is seen of it on white paper."""
    glass = pictures()[0].copy()
    glass.putalpha(100)
    glass.save(folder / "glass.png")
    paper = Image.new("RGB", glass.size, (255, 255, 255))
    paper.paste(glass, mask=glass.getchannel("A"))
    return folder / "glass.png", paper


def broken_clip() -> np.ndarray:
    """(4, 64, 64, 3) float32 in 0..1 with one value that is not a number."""
    frames = np.full((4, 64, 64, 3), 0.5, np.float32)
    frames[1, 2, 3, 0] = np.nan
    return frames


# ---- sounds


def as_row(samples: np.ndarray, rate: int = RATE) -> dict[str, object]:
    """As a row of a data set of sounds."""
    return {"array": samples, "sampling_rate": rate}


def whole_numbers() -> np.ndarray:
    return (sounds()[0] * 32767).astype(np.int16)


def broken_sound() -> np.ndarray:
    samples = sounds()[0].copy()
    samples[5] = np.nan
    return samples


# ---- models


def padded_on_the_left(folder: Path, copy: Path) -> Path:
    """A copy of a text encoder's folder whose tokenizer asks for padding on the left."""
    shutil.copytree(folder, copy)
    _edit(copy / "tokenizer_config.json", padding_side="left")
    return copy


class Faulty(nn.Module):
    """A first module of a user's own, with a mistake in what it does with prompts."""

    def preprocess(self, inputs, prompt=None, **kwargs):
        if prompt is not None:
            raise TypeError("a mistake of its own")
        return {"letters": torch.tensor([[float(len(text))] for text in inputs])}

    def forward(self, features):
        return {**features, "sentence_embedding": features["letters"]}


ACTIVATION = "transformers.activations.QuickGELUActivation"


def with_activation(folder: Path, copy: Path) -> Path:
    """A copy of a text encoder's folder whose Dense names an activation that is none of torch's."""
    shutil.copytree(folder, copy)
    _edit(copy / "2_Dense" / "config.json", activation_function=ACTIVATION)
    return copy


def with_softmax_of_tokens(folder: Path) -> Path:
    """The folder of a Dense for token vectors, whose activation is a softmax of a dimension that is not said."""
    names = {"module_input_name": "token_embeddings", "module_output_name": "token_embeddings"}
    config = {"in_features": 4, "out_features": 3, "bias": False, "activation_function": "torch.nn.Softmax", **names}
    (folder / "config.json").write_text(json.dumps(config))
    save_file({"linear.weight": torch.linspace(-1, 1, 12).view(3, 4)}, folder / "model.safetensors")
    return folder


def token_vectors(count: int) -> torch.Tensor:
    """(count, 5, 4): count texts of five tokens."""
    return torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))[:count]


WORDS = "red dog"


def with_cnn(folder: Path) -> Path:
    return words.build(folder, middle="cnn")


def with_learned_weights(folder: Path) -> Path:
    """A model over whole words in whose training the first word of WORDS has come to count eight times as much."""
    path = words.build(folder, middle="weights") / "1_WordWeights" / "model.safetensors"
    weights = load_file(path)["emb_layer.weight"]
    weights[words.VOCABULARY.index("red")] *= 8
    save_file({"emb_layer.weight": weights}, path)
    return folder


def pooled_by_max(folder: Path) -> Path:
    modes = {"pooling_mode_mean_tokens": False, "pooling_mode_max_tokens": True}
    _edit(words.build(folder) / "1_Pooling" / "config.json", **modes)
    return folder


def with_a_word_twice(folder: Path) -> Path:
    """A model over whole words whose second word comes again, before those of WORDS_BEHIND."""
    twice = [*words.VOCABULARY[:2], "dog", *words.VOCABULARY[3:]]
    _edit(words.build(folder) / "whitespacetokenizer_config.json", vocab=twice)
    return folder


WORDS_BEHIND = "cat music"


def layers(m: Any, folder: Path) -> list[nn.Module]:
    """Modules of the library m: a mean over layers, behind a transformer that gives its last one alone."""
    return [m.Transformer(str(folder)), m.WeightedLayerPooling(bert.WIDTH, 2, 1), m.Pooling(bert.WIDTH)]


def with_copied_layers(model: Any) -> Any:
    """The model with an adapter that also brings copies of layers, which have been trained."""
    import peft

    torch.manual_seed(0)
    model.add_adapter(peft.LoraConfig(target_modules=["query"], modules_to_save=["dense"], init_lora_weights=False))
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if "modules_to_save" in name:
                tensor.mul_(1.5)
    return model.eval()


def adapter(base: Path, folder: Path) -> Path:
    """The folder of an adapter for the transformers folder `base`, trained, with the tokenizer of the base."""
    import peft
    from transformers import AutoModel, AutoTokenizer

    network = peft.get_peft_model(AutoModel.from_pretrained(base), peft.LoraConfig(target_modules=["query", "value"]))
    torch.manual_seed(0)
    with torch.no_grad():
        for name, tensor in network.named_parameters():
            if "lora_B" in name:
                tensor.normal_()
    network.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    return folder


def with_other_names(folder: Path) -> Path:
    """An adapter's folder, in which every weight has a name that its network does not have."""
    path = folder / "adapter_model.safetensors"
    save_file({name.replace("layer.", "block."): tensor for name, tensor in load_file(path).items()}, path)
    return folder


def _edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def forget(model: nn.Module, word: int) -> None:
    """The word's row of the token table becomes NaN."""
    with torch.no_grad():
        model.get_submodule("0").auto_model.embeddings.word_embeddings.weight[word] = float("nan")
