"""A Qwen3-VL-Embedding twin: text, pictures and clips through one chat model.

Knows: the checkpoint's files, and the reference vector of one input as the authors' script computes it: the system turn
carries the instruction; the user turn carries all clips, then all pictures, then all texts; the vector is the last
hidden state at the last token (the line break after the assistant header), normalised. Nothing is padded.

Pictures follow qwen-vl-utils: alpha over white, both sides rounded to multiples of 32 within the pixel bounds, resized
by Pillow's default (bicubic); the processor then only rescales, normalises and cuts patches.

Clips follow it too, in its two ways:

- A list of frames (`fps` None): at most 64 frames, thinned evenly. Each frame is first resized as a picture whose
  patch is 32, that is to multiples of 64 with at least 4 * 64 * 64 pixels (qwen-vl-utils hands its image factor on as
  a patch size); then the clip is resized with 7,864,320 as `total_pixels`. Time stamps assume 2 frames a second.
- A file (`fps` given: these are all its frames in order): about one frame a second, at least 4 and at most 64, an even
  number, evenly spread from the first to the last; qwen-vl-utils' own total of 0.9 * 128,000 tokens applies.

Assumed of the authors' script, as read in copies of it: clips get neither `min_pixels` nor `max_pixels` (only
pictures do), so a frame has at least 128 * 32 * 32 pixels and at most
max(min(768 * 32 * 32, total / frames * 2), 1.05 * least). Clips are resized as torchvision's v1 `resize` does: bicubic
with antialias in float32, clamped to 0..255 and rounded.

Around a clip's stamped frames, transformers 5 keeps the template's own <|vision_start|> and <|vision_end|>, where 4.57,
the authors' version, dropped them: `wrapped` says which.

Sources: QwenLM/Qwen3-VL-Embedding, src/models/qwen3_vl_embedding.py; qwen-vl-utils 0.0.14, vision_process.py;
transformers, models/qwen3_vl. The chat template beside this file is Qwen3-VL-Instruct's (Apache-2.0, the Qwen team).
"""

from __future__ import annotations

import math
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import jinja2
import numpy as np
import torch
from jinja2.sandbox import ImmutableSandboxedEnvironment
from PIL import Image
from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE
from torch import Tensor
from transformers import Qwen2Tokenizer, Qwen3VLConfig, Qwen3VLForConditionalGeneration, Qwen3VLModel
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from ._parts import WORDS, as_vector, byte_alphabet, merges_for, phrases, spread, unit, write_json
from .samples import clip, pictures

DEFAULT_INSTRUCTION = "Represent the user's input."
MAX_LENGTH = 8192
WIDTH = 64
PATCH, MERGE, TEMPORAL = 16, 2, 2
FACTOR = PATCH * MERGE
IMAGE_PIXELS = (4 * FACTOR**2, 1800 * FACTOR**2)
FRAME_PIXELS = (128 * FACTOR**2, 768 * FACTOR**2)
TOTAL_PIXELS = 10 * FRAME_PIXELS[1]  # the authors', for lists of frames
DEFAULT_TOTAL = 128_000 * FACTOR**2 * 0.9  # that of qwen-vl-utils, for files
FRAMES = (4, 64)

SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
PLAIN = [
    "<tool_call>",
    "</tool_call>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<tool_response>",
    "</tool_response>",
    "<think>",
    "</think>",
]
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEMPLATE = Path(__file__).with_suffix(".jinja")


# ------------------------------------------------------------------------------------------------- the checkpoint


def byte_pairs(words: tuple[str, ...] = ()) -> Tokenizer:
    """Qwen's tokenizer over the small vocabulary. words: further ones."""
    merges = merges_for([*WORDS, *("Ġ" + word for word in WORDS), *words])
    pieces = [*byte_alphabet(), *("".join(pair) for pair in merges)]
    ids = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(BPE(ids, merges, continuing_subword_prefix="", end_of_word_suffix=""))
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in PLAIN])
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def build(
    folder: Path,
    seed: int = 0,
    *,
    form: Literal["raw", "st"] = "raw",
    tied: bool = True,
    words: tuple[str, ...] = (),
) -> Path:
    """Write the checkpoint and return its folder.

    form: "raw" is the transformers folder alone, "st" adds the files of Sentence Transformers. tied: as in the 2B
    checkpoint; False, as in the 8B one, also writes `lm_head.weight`. words: that the vocabulary has beside the usual.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _tools.cache_clear()
    _load.cache_clear()
    tokenizer = byte_pairs(words)
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.model.save(str(folder))  # vocab.json, merges.txt
    added = {tokenizer.token_to_id(token): token for token in (*SPECIAL, *PLAIN)}
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    template = TEMPLATE.read_text(encoding="utf-8")
    write_json(
        folder / "tokenizer_config.json",
        {
            "add_bos_token": False,
            "add_prefix_space": False,
            "added_tokens_decoder": {
                str(index): {"content": token, **flags, "special": token in SPECIAL} for index, token in added.items()
            },
            "additional_special_tokens": SPECIAL[1:],
            "bos_token": None,
            "clean_up_tokenization_spaces": False,
            "eos_token": "<|im_end|>",
            "errors": "replace",
            "model_max_length": 262144,
            "pad_token": "<|endoftext|>",
            "split_special_tokens": False,
            "tokenizer_class": "Qwen2Tokenizer",
            "unk_token": None,
        },
    )
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    pixels = {"patch_size": PATCH, "temporal_patch_size": TEMPORAL, "merge_size": MERGE}
    pixels |= {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "processor_class": "Qwen3VLProcessor"}  # type: ignore[dict-item]
    image = {"size": {"longest_edge": 16777216, "shortest_edge": 65536}}
    write_json(
        folder / "preprocessor_config.json", image | pixels | {"image_processor_type": "Qwen2VLImageProcessorFast"}
    )
    video = {"size": {"longest_edge": 25165824, "shortest_edge": 4096}, "fps": 2, "min_frames": 4, "max_frames": 768}
    write_json(
        folder / "video_preprocessor_config.json", video | pixels | {"video_processor_type": "Qwen3VLVideoProcessor"}
    )
    config = _config(tokenizer, tied)
    model = Qwen3VLForConditionalGeneration(Qwen3VLConfig(**config)).eval()
    spread(model, seed)
    _unlike(folder, model.model)
    model.save_pretrained(folder)
    write_json(folder / "config.json", config)  # the published spelling, not that of the installed transformers
    if form == "st":
        _write_modules(folder)
    return folder


def _unlike(folder: Path, model: Qwen3VLModel) -> None:
    """Weigh the last norm's dimensions by how much they differ between inputs: most of a prompt is the same for all."""
    with torch.no_grad():
        for layer in model.language_model.layers:
            layer.self_attn.o_proj.weight.mul_(3)
        kinds: dict[str, list[Any]] = {"text": phrases(), "image": pictures()}
        kinds["video_frames"] = [clip(2, seed=seed) for seed in range(4)]
        weights = []
        for kind, items in kinds.items():
            states = [model(**prepared(folder, **{kind: item})).last_hidden_state[0, -1] for item in items]
            vectors = unit(torch.stack(states))
            weights.append((vectors.std(0) / (vectors.mean(0).abs() + 0.1 * vectors.std(0))) ** 1.5)
        weight = torch.stack(weights).amin(0)
        model.language_model.norm.weight.mul_((weight / weight.mean() * 100).round() / 100)


def _config(tokenizer: Tokenizer, tied: bool) -> dict[str, Any]:
    ids = {name: tokenizer.token_to_id(f"<|{name}|>") for name in ("endoftext", "im_end", "image_pad", "video_pad")}
    return {
        "architectures": ["Qwen3VLForConditionalGeneration"],
        "dtype": "float32",
        "image_token_id": ids["image_pad"],
        "model_type": "qwen3_vl",
        "text_config": {
            "attention_bias": False,
            "attention_dropout": 0.0,
            "bos_token_id": ids["endoftext"],
            "dtype": "float32",
            "eos_token_id": ids["im_end"],
            "head_dim": 16,
            "hidden_act": "silu",
            "hidden_size": WIDTH,
            "initializer_range": 0.02,
            "intermediate_size": 96,
            "max_position_embeddings": 262144,
            "model_type": "qwen3_vl_text",
            "num_attention_heads": 4,
            "num_hidden_layers": 2,
            "num_key_value_heads": 2,
            "rms_norm_eps": 1e-06,
            "rope_scaling": {"mrope_interleaved": True, "mrope_section": [4, 2, 2], "rope_type": "default"},
            "rope_theta": 5000000,
            "tie_word_embeddings": tied,
            "use_cache": True,
            "vocab_size": tokenizer.get_vocab_size(),
        },
        "tie_word_embeddings": tied,
        "transformers_version": "4.57.0.dev0",
        "video_token_id": ids["video_pad"],
        "vision_config": {
            "deepstack_visual_indexes": [0, 1],
            "depth": 3,
            "hidden_act": "gelu_pytorch_tanh",
            "hidden_size": 32,
            "in_channels": 3,
            "initializer_range": 0.02,
            "intermediate_size": 64,
            "model_type": "qwen3_vl",
            "num_heads": 2,
            "num_position_embeddings": 64,
            "out_hidden_size": WIDTH,
            "patch_size": PATCH,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": TEMPORAL,
        },
        "vision_end_token_id": tokenizer.token_to_id("<|vision_end|>"),
        "vision_start_token_id": tokenizer.token_to_id("<|vision_start|>"),
    }


def _write_modules(folder: Path) -> None:
    forward = {"method": "forward", "method_output_name": "last_hidden_state"}
    kinds = {
        "": "sentence_transformers.base.modules.transformer.Transformer",
        "1_Pooling": "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
        "2_Normalize": "sentence_transformers.base.modules.normalize.Normalize",
    }
    write_json(
        folder / "modules.json",
        [
            {"idx": index, "name": str(index), "path": path, "type": kind}
            for index, (path, kind) in enumerate(kinds.items())
        ],
    )
    write_json(
        folder / "sentence_bert_config.json",
        {
            "transformer_task": "feature-extraction",
            "modality_config": {"text": forward, "image": forward, "video": forward}
            | {"message": {**forward, "format": "structured"}},
            "module_output_name": "token_embeddings",
            "processing_kwargs": {"chat_template": {"add_generation_prompt": True}},
        },
    )
    pooling = {"embedding_dimension": WIDTH, "pooling_mode": "lasttoken", "include_prompt": True}
    write_json(folder / "1_Pooling" / "config.json", pooling)
    keys = {"module_input_name": "sentence_embedding", "module_output_name": "sentence_embedding"}
    write_json(folder / "2_Normalize" / "config.json", keys)
    write_json(
        folder / "config_sentence_transformers.json",
        {
            "__version__": {"sentence_transformers": "5.4.0", "transformers": "4.57.0", "pytorch": "2.9.0"},
            "default_prompt_name": "document",
            "model_type": "SentenceTransformer",
            "prompts": {
                "document": DEFAULT_INSTRUCTION,
                "query": "Retrieve images or text relevant to the user's query.",
            },
            "similarity_fn_name": "cosine",
        },
    )


# -------------------------------------------------------------------------------------------------- the reference


@lru_cache(maxsize=8)
def _tools(folder: Path) -> tuple[Qwen2Tokenizer, Qwen2VLImageProcessorPil]:
    return Qwen2Tokenizer.from_pretrained(folder), Qwen2VLImageProcessorPil.from_pretrained(folder)


@lru_cache(maxsize=8)
def _load(folder: Path) -> Qwen3VLModel:
    return Qwen3VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval().model


def smart_size(height: int, width: int, factor: int, least: int, most: float) -> tuple[int, int]:
    """Height and width as multiples of `factor`, their product between `least` and `most` pixels where that can be."""
    assert max(height, width) / min(height, width) <= 200, "aspect ratio above 200"
    tall, wide = (max(factor, round(side / factor) * factor) for side in (height, width))
    if tall * wide > most:
        scale = math.sqrt(height * width / most)
        tall, wide = (math.floor(side / scale / factor) * factor for side in (height, width))
    elif tall * wide < least:
        scale = math.sqrt(least / (height * width))
        tall, wide = (math.ceil(side * scale / factor) * factor for side in (height, width))
    return tall, wide


def fit(image: Image.Image, factor: int = FACTOR, bounds: tuple[int, int] = IMAGE_PIXELS) -> Image.Image:
    """A picture over white, in RGB, resized to multiples of `factor`."""
    if image.mode == "RGBA":
        white = Image.new("RGB", image.size, (255, 255, 255))
        white.paste(image, mask=image.getchannel("A"))
        image = white
    image = image.convert("RGB")
    tall, wide = smart_size(image.height, image.width, factor, *bounds)
    return image.resize((wide, tall))


def sample(total: int, fps: float) -> list[int]:
    """Which of a file's `total` frames are used: about one a second, an even number of 4 to 64."""
    count = min(min(max(total / fps, FRAMES[0]), FRAMES[1]), total)
    count = math.floor(count / TEMPORAL) * TEMPORAL
    assert count >= TEMPORAL, "a clip needs two frames"
    return torch.linspace(0, total - 1, count).round().long().tolist()


def fit_frames(video_frames: list[Image.Image], fps: float | None) -> tuple[Tensor, list[float]]:
    """(frames, 3, height, width) float32 of 0..255 after resizing, and the seconds of each pair of frames."""
    if fps is None:
        if len(video_frames) > FRAMES[1]:
            picks = np.linspace(0, len(video_frames) - 1, FRAMES[1], dtype=int)
            video_frames = [video_frames[index] for index in picks]
        side = FACTOR * MERGE
        images = [fit(frame, side, (4 * side**2, 16384 * side**2)) for frame in video_frames]
        images += [images[-1]] * (len(images) % TEMPORAL)
        indices, rate, total = list(range(len(images))), 2.0, float(TOTAL_PIXELS)
    else:
        indices, rate, total = sample(len(video_frames), fps), fps, DEFAULT_TOTAL
        images = [video_frames[index].convert("RGB") for index in indices]
    stack = torch.stack([torch.from_numpy(np.array(image)).permute(2, 0, 1) for image in images])
    most = max(min(FRAME_PIXELS[1], total / len(stack) * TEMPORAL), int(FRAME_PIXELS[0] * 1.05))
    size = smart_size(stack.shape[2], stack.shape[3], FACTOR, FRAME_PIXELS[0], most)
    seconds = [(indices[at] / rate + indices[at + 1] / rate) / 2 for at in range(0, len(indices), TEMPORAL)]
    if size == tuple(stack.shape[2:]):
        return stack.float(), seconds
    resized = torch.nn.functional.interpolate(stack.float(), size, mode="bicubic", antialias=True, align_corners=False)
    return resized.clamp(0, 255).round(), seconds


def patches(frames: Tensor) -> tuple[Tensor, Tensor]:
    """(frames, 3, height, width) of 0..255 -> (patches, 3 * 2 * 16 * 16) float32 and the grid (1, 3).

    The grid is time, rows, columns. Patches run by time, then by 2 x 2 block, then inside the block.
    """
    frames = (frames / 255 - 0.5) / 0.5
    time, rows, columns = frames.shape[0] // TEMPORAL, frames.shape[2] // PATCH, frames.shape[3] // PATCH
    blocks = frames.reshape(time, TEMPORAL, 3, rows // MERGE, MERGE, PATCH, columns // MERGE, MERGE, PATCH)
    flat = blocks.permute(0, 3, 6, 4, 7, 2, 1, 5, 8).reshape(time * rows * columns, 3 * TEMPORAL * PATCH * PATCH)
    return flat, torch.tensor([[time, rows, columns]])


def full_instruction(instruction: str | None) -> str:
    """The system turn: stripped, with a final full stop unless it ends in punctuation; the default for nothing."""
    instruction = (instruction or "").strip()
    if instruction and not unicodedata.category(instruction[-1]).startswith("P"):
        instruction += "."
    return instruction or DEFAULT_INSTRUCTION


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _clips(video_frames: Any) -> list[list[Image.Image]]:
    """None, one clip (a list of frames) or several clips."""
    if not video_frames:
        return []
    return video_frames if isinstance(video_frames[0], list) else [video_frames]


def prompt(folder: Path, content: list[dict[str, Any]], instruction: str | None = None) -> str:
    """The rendered chat, before placeholders are widened."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, undefined=jinja2.Undefined)
    template = environment.from_string((folder / "chat_template.jinja").read_text(encoding="utf-8"))
    system = {"role": "system", "content": [{"type": "text", "text": full_instruction(instruction)}]}
    messages = [system, {"role": "user", "content": content}]
    return template.render(messages=messages, add_generation_prompt=True)


def prepared(
    folder: Path,
    text: str | list[str] | None = None,
    image: Image.Image | list[Image.Image] | None = None,
    video_frames: list[Image.Image] | list[list[Image.Image]] | None = None,
    instruction: str | None = None,
    *,
    fps: float | None = None,
    wrapped: bool = True,
    order: tuple[str, ...] = ("video", "image", "text"),
    max_length: int = MAX_LENGTH,
) -> dict[str, Tensor]:
    """What the model is given for one input: input_ids, attention_mask, mm_token_type_ids (1, length), and for media
    pixel_values with image_grid_thw, pixel_values_videos with video_grid_thw.

    fps: the rate of `video_frames` when they are all frames of a file; None when they are a list of frames.
    wrapped: whether the template's own <|vision_start|> and <|vision_end|> stay around a clip's stamped frames.
    order: another order than the authors', to show that it matters.
    """
    tokenizer, images = _tools(folder)
    parts = {"video": _clips(video_frames), "image": _listed(image), "text": _listed(text)}
    content = [{"type": kind, kind: value} for kind in order for value in parts[kind]]
    rendered = prompt(folder, content or [{"type": "text", "text": "NULL"}], instruction)
    tensors: dict[str, Tensor] = {}
    spans: dict[str, list[str]] = {"<|image_pad|>": [], "<|video_pad|>": []}
    if parts["image"]:
        found = images([fit(one) for one in parts["image"]], do_resize=False, return_tensors="pt")
        tensors |= {"pixel_values": found["pixel_values"], "image_grid_thw": found["image_grid_thw"]}
        grids = found["image_grid_thw"]
        spans["<|image_pad|>"] = ["<|image_pad|>" * (grid.prod().item() // MERGE**2) for grid in grids]
    if parts["video"]:
        flats, clip_grids = [], []
        for one in parts["video"]:
            fitted, seconds = fit_frames(one, fps)
            flat, grid = patches(fitted)
            flats.append(flat)
            clip_grids.append(grid)
            pads = "<|video_pad|>" * (grid[0, 1:].prod().item() // MERGE**2)
            span = "".join(f"<{at:.1f} seconds><|vision_start|>{pads}<|vision_end|>" for at in seconds)
            spans["<|video_pad|>"].append(span)
        tensors |= {"pixel_values_videos": torch.cat(flats), "video_grid_thw": torch.cat(clip_grids)}
    if not wrapped:
        rendered = rendered.replace("<|vision_start|><|video_pad|><|vision_end|>", "<|video_pad|>")
    ids = tokenizer(_widen(rendered, spans))["input_ids"][:max_length]
    kinds = {tokenizer.convert_tokens_to_ids("<|image_pad|>"): 1, tokenizer.convert_tokens_to_ids("<|video_pad|>"): 2}
    return {
        "input_ids": torch.tensor([ids]),
        "attention_mask": torch.ones(1, len(ids), dtype=torch.long),
        "mm_token_type_ids": torch.tensor([[kinds.get(token, 0) for token in ids]]),
    } | tensors


def _widen(rendered: str, spans: dict[str, list[str]]) -> str:
    for placeholder, wide in spans.items():
        pieces = rendered.split(placeholder)
        assert not wide or len(pieces) == len(wide) + 1, "as many placeholders as media"
        rendered = "".join(piece + span for piece, span in zip(pieces, [*wide, ""])) if wide else rendered
    return rendered


def pooled(folder: Path, tensors: dict[str, Tensor]) -> np.ndarray:
    """The normalised hidden state at the last attended position of one prepared input."""
    with torch.inference_mode():
        states = _load(folder)(**tensors, use_cache=False).last_hidden_state[0]
    last = int(tensors["attention_mask"][0].nonzero().max()) if "attention_mask" in tensors else -1
    return as_vector(unit(states[last]))


def reference(
    folder: Path,
    text: str | list[str] | None = None,
    image: Image.Image | list[Image.Image] | None = None,
    video_frames: list[Image.Image] | list[list[Image.Image]] | None = None,
    instruction: str | None = None,
    *,
    fps: float | None = None,
    wrapped: bool = True,
) -> np.ndarray:
    """The vector of one input; see `prepared` for what may be given. Nothing given is the text "NULL"."""
    return pooled(folder, prepared(folder, text, image, video_frames, instruction, fps=fps, wrapped=wrapped))
