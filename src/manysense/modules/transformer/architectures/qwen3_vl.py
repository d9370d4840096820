"""Qwen3-VL-Embedding and Qwen3-VL-Reranker: chat models that read text, pictures and video. Li et al. 2026.

Values from the authors' scripts (QwenLM/Qwen3-VL-Embedding, src/models/qwen3_vl_embedding.py, qwen3_vl_reranker.py)
and qwen-vl-utils.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....errors import ModelError
from ....inputs.types import Modality
from ..frames import PatchedFrames
from ..messages import Chat, Placeholder
from ..pixels import Patches, lookup_table
from ..recipe import Call, FolderFacts, Policies, Recipe, Tower
from ..templates import pair_template

FACTOR = 32
INSTRUCTION = "Represent the user's input."


def _image(facts: FolderFacts) -> Patches:
    return Patches.of(facts, least=4 * FACTOR**2, most=1800 * FACTOR**2)


def _video(facts: FolderFacts) -> PatchedFrames:
    return PatchedFrames(
        table=lookup_table(facts.video, fused=True),
        patch=int(facts.video.get("patch_size", 16)),
        merge=int(facts.video.get("merge_size", 2)),
        depth=int(facts.video.get("temporal_patch_size", 2)),
    )


_TOWERS = {
    "image": Tower("get_image_features", "pixel_values", "image_grid_thw"),
    "video": Tower("get_video_features", "pixel_values_videos", "video_grid_thw"),
}
_STAMPED = "<{seconds:.1f} seconds><|vision_start|>{pads}<|vision_end|>"
_PLACEHOLDERS: dict[Modality, Placeholder] = {
    "video": Placeholder("<|video_pad|>", 2, _STAMPED),
    "image": Placeholder("<|image_pad|>", 1),
}


def _chat(facts: FolderFacts) -> Chat:
    if facts.chat_template is None:
        raise ModelError("a Qwen3-VL folder needs its chat template: chat_template.jinja or chat_template.json")
    return Chat(
        template=facts.chat_template,
        default_instruction=INSTRUCTION,
        punctuate=True,
        placeholders=dict(_PLACEHOLDERS),
    )


def _pair_chat(facts: FolderFacts) -> Chat:
    template = pair_template(facts)
    assert template is not None
    return Chat(template=template, placeholders=dict(_PLACEHOLDERS), generation=False)


def recipe(config: Mapping[str, Any], task: str) -> Recipe:
    """task: "feature-extraction" is the embedding model, the others the reranker."""
    if task == "feature-extraction":
        return Recipe(
            routes={"message": Call()},
            policies=Policies(image=_image, video=_video, chat=_chat, text_limit=8192),
            towers=_TOWERS,
            bare_modules=("lasttoken", "normalize"),
            note="A Qwen3-VL folder without modules.json is read as Qwen3-VL-Embedding: last token, normalised.",
        )
    return Recipe(
        routes={"message": Call("forward", ("logits",), "causal_logits", last=True)},
        policies=Policies(image=_image, video=_video, chat=_pair_chat, text_limit=10240),
        auto_class="AutoModelForImageTextToText",
        towers=_TOWERS,
    )
