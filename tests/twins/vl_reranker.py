"""A Qwen3-VL-Reranker twin: is a document of text, pictures and clips what a query of the same kinds asks for?

Knows: the raw checkpoint and its form with the files of Sentence Transformers, and the reference score of one pair as
the authors' script computes it: one prompt, spelled out here, in which each side holds its clips, then its pictures,
then its texts; the last hidden state times lm_head["yes"] - lm_head["no"]; a sigmoid. A prompt that is too long loses
ordinary tokens from its end, but for control tokens and its last ones. Media are fitted as in qwen3_vl.py. Nothing of
the library under test is imported here.

Source: QwenLM/Qwen3-VL-Embedding, src/models/qwen3_vl_reranker.py.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import Qwen3VLForConditionalGeneration

from . import qwen3_vl
from ._parts import phrases, write_json
from .answerers import JUDGE
from .samples import clip, pictures

INSTRUCTION = "Given a search query, retrieve relevant candidates that answer the query."
MAX_LENGTH = 10240
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n"
"""The last five tokens of the authors' vocabulary; a few more of the twin's, where they are kept all the same."""
PICTURE, CLIP = "<|vision_start|><|image_pad|><|vision_end|>", "<|vision_start|><|video_pad|><|vision_end|>"

Side = str | Image.Image | dict[str, Any]
"""A text, a picture, or a dict with "text", "image" and "video" (a list of frames), each one value or for text and
image a list."""


# ------------------------------------------------------------------------------------------------- the checkpoint


def build(
    folder: Path,
    seed: int = 0,
    *,
    form: Literal["raw", "st"] = "raw",
    tied: bool = True,
    prompts: tuple[tuple[str, str], ...] = (),
) -> Path:
    """Write the checkpoint and return its folder.

    form: "raw" is the authors' folder, whose chat template knows no pairs; "st" adds the files of Sentence Transformers
    and a template that does.  tied: as in the 2B model; False, as in the 8B one, with a head of its own.
    """
    qwen3_vl.build(folder, seed, tied=tied, words=("yes",))
    _load.cache_clear()
    model = Qwen3VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    config = (folder / "config.json").read_bytes()
    _apart(folder, model)
    model.save_pretrained(folder)
    (folder / "config.json").write_bytes(config)  # the published spelling
    _load.cache_clear()
    if form == "st":
        _write_modules(folder, prompts)
    return folder


def _apart(folder: Path, model: Any) -> None:
    """Scale what "yes" says against "no", so that log-odds of texts, pictures and clips lie about -2 to 2."""
    items: list[Side] = [*phrases()[2:7], *pictures(), *({"video": clip(2, seed=seed)} for seed in range(3))]
    states = []
    with torch.no_grad():
        for item in items:
            states.append(model.model(**prepared(folder, phrases()[0], item)).last_hidden_state[0, -1])
        rows = torch.stack(states)
        mean = rows.mean(0)
        way = (rows - mean).T @ torch.randn(len(rows), generator=torch.Generator().manual_seed(1))
        way = way - mean * (way @ mean) / (mean @ mean)  # what all prompts have in common counts for nothing
        tokenizer = qwen3_vl._tools(folder)[0]
        yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
        model.lm_head.weight[yes] = model.lm_head.weight[no] + way * 1.5 / (rows @ way).std()


def template() -> str:
    """`layout` in Jinja, as a folder has it: roles "system", "query" and "document", content as a list of parts."""
    head, tail = layout("\0", "\1", "\2").replace("\n", "\\n").split("\2")
    opening, (between, closing) = tail.split("\0")[0], tail.split("\0")[1].split("\1")
    parts = (
        "{%- macro parts(content) %}{%- for part in content %}{%- if part.type == 'image' %}"
        f"{{{{- '{PICTURE}' }}}}{{%- elif part.type == 'video' %}}{{{{- '{CLIP}' }}}}"
        "{%- else %}{{- part.text }}{%- endif %}{%- endfor %}{%- endmacro %}"
    )
    asked = "{%- for message in messages if message.role == 'system' %}{{- parts(message.content) }}{%- else %}"
    asked += f"{{{{- '{INSTRUCTION}' }}}}{{%- endfor %}}"

    def of(role: str) -> str:
        each = f"{{%- for message in messages if message.role == '{role}' %}}"
        return f"{each}{{{{- parts(message.content) }}}}{{%- endfor %}}"

    def written(text: str) -> str:
        return f"{{{{- '{text}' }}}}"

    pieces = [written(head), asked, written(opening), of("query"), written(between), of("document"), written(closing)]
    return "".join([parts, *pieces])


def _write_modules(folder: Path, prompts: tuple[tuple[str, str], ...]) -> None:
    (folder / "chat_template.jinja").write_text(template(), encoding="utf-8")
    call = {"method": "forward", "method_output_name": "logits"}
    kinds = {
        "": "sentence_transformers.base.modules.transformer.Transformer",
        "1_LogitScore": "sentence_transformers.cross_encoder.modules.logit_score.LogitScore",
    }
    listed = [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in enumerate(kinds.items())]
    write_json(folder / "modules.json", listed)
    write_json(
        folder / "sentence_bert_config.json",
        {
            "transformer_task": "any-to-any",
            "modality_config": dict.fromkeys(("text", "image", "video"), call)
            | {"message": {**call, "format": "structured"}},
            "module_output_name": "causal_logits",
        },
    )
    tokenizer = qwen3_vl._tools(folder)[0]
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    answers = {"true_token_id": yes, "false_token_id": no, "module_input_name": "causal_logits"}
    write_json(folder / "1_LogitScore" / "config.json", answers)
    write_json(
        folder / "config_sentence_transformers.json",
        {
            "__version__": {"sentence_transformers": "5.4.0", "transformers": "5.5.0", "pytorch": "2.9.0"},
            "model_type": "CrossEncoder",
            "prompts": dict(prompts),
            "default_prompt_name": None,
            "activation_fn": "torch.nn.modules.activation.Sigmoid",
        },
    )


# -------------------------------------------------------------------------------------------------- the reference


@lru_cache(maxsize=8)
def _load(folder: Path) -> Qwen3VLForConditionalGeneration:
    return Qwen3VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _parts(side: Side) -> tuple[list[list[Image.Image]], list[Image.Image], list[str]]:
    """(clips, pictures, texts)"""
    if isinstance(side, str):
        return [], [], [side]
    if isinstance(side, Image.Image):
        return [], [side], []
    return [side["video"]] if "video" in side else [], _listed(side.get("image")), _listed(side.get("text"))


def spelled(side: Side) -> str:
    clips, images, texts = _parts(side)
    return CLIP * len(clips) + PICTURE * len(images) + "".join(texts)


def layout(query: Side, document: Side, instruction: str = INSTRUCTION) -> str:
    """The authors' prompt, before placeholders are widened."""
    return (
        f"<|im_start|>system\n{JUDGE}<|im_end|>\n<|im_start|>user\n<Instruct>: {instruction}<Query>:{spelled(query)}"
        f"\n<Document>:{spelled(document)}{SUFFIX}"
    )


def prepared(
    folder: Path,
    query: Side,
    document: Side,
    instruction: str = INSTRUCTION,
    *,
    fps: float | None = None,
    max_length: int = MAX_LENGTH,
) -> dict[str, Tensor]:
    """What the network is given for one pair: input_ids, attention_mask, mm_token_type_ids (1, length), and for media
    pixel_values with image_grid_thw, pixel_values_videos with video_grid_thw. fps: as in qwen3_vl.prepared."""
    tokenizer, processor = qwen3_vl._tools(folder)
    sides = _parts(query), _parts(document)
    images, clips = [one for side in sides for one in side[1]], [one for side in sides for one in side[0]]
    tensors: dict[str, Tensor] = {}
    spans: dict[str, list[str]] = {"<|image_pad|>": [], "<|video_pad|>": []}
    if images:
        found = processor([qwen3_vl.fit(one) for one in images], do_resize=False, return_tensors="pt")
        tensors |= {"pixel_values": found["pixel_values"], "image_grid_thw": found["image_grid_thw"]}
        spans["<|image_pad|>"] = ["<|image_pad|>" * (int(grid.prod()) // 4) for grid in found["image_grid_thw"]]
    flats, grids = [], []
    for one in clips:
        frames, seconds = qwen3_vl.fit_frames(one, fps)
        flat, grid = qwen3_vl.patches(frames)
        flats.append(flat)
        grids.append(grid)
        pads = "<|vision_start|>" + "<|video_pad|>" * (int(grid[0, 1:].prod()) // 4) + "<|vision_end|>"
        spans["<|video_pad|>"].append("".join(f"<{at:.1f} seconds>{pads}" for at in seconds))
    if clips:
        tensors |= {"pixel_values_videos": torch.cat(flats), "video_grid_thw": torch.cat(grids)}
    whole = tokenizer(qwen3_vl._widen(layout(query, document, instruction), spans))["input_ids"]
    kept = len(tokenizer(SUFFIX)["input_ids"])
    ids = shortened(whole, set(tokenizer.all_special_ids), max_length, kept)
    kinds = {tokenizer.convert_tokens_to_ids("<|image_pad|>"): 1, tokenizer.convert_tokens_to_ids("<|video_pad|>"): 2}
    return {
        "input_ids": torch.tensor([ids]),
        "attention_mask": torch.ones(1, len(ids), dtype=torch.long),
        "mm_token_type_ids": torch.tensor([[kinds.get(token, 0) for token in ids]]),
    } | tensors


def shortened(ids: list[int], control: set[int], limit: int, suffix: int) -> list[int]:
    """Ordinary tokens go from the end, but for the last `suffix`; control tokens stay."""
    body, kept = ids[:-suffix], ids[-suffix:]
    excess = len(ids) - limit
    out: list[int] = []
    for token in reversed(body):
        if excess > 0 and token not in control:
            excess -= 1
        else:
            out.append(token)
    return [*reversed(out), *kept]


def log_odds(folder: Path, query: Side, document: Side, instruction: str = INSTRUCTION, **more: Any) -> float:
    """Of "yes" against "no" for one pair alone."""
    model, tokenizer = _load(folder), qwen3_vl._tools(folder)[0]
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    with torch.inference_mode():
        state = model.model(**prepared(folder, query, document, instruction, **more)).last_hidden_state[0, -1]
        return float((model.lm_head.weight[yes] - model.lm_head.weight[no]) @ state)


def reference(folder: Path, query: Side, document: Side, instruction: str = INSTRUCTION, **more: Any) -> float:
    """The authors' score of one pair."""
    return float(1 / (1 + np.exp(-log_odds(folder, query, document, instruction, **more))))
