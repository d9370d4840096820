"""Qwen3-VL-Embedding: a chat model that reads text, pictures and video. Li et al. 2026.

Values from the authors' script (QwenLM/Qwen3-VL-Embedding, src/models/qwen3_vl_embedding.py) and qwen-vl-utils.
"""

from __future__ import annotations

from ....errors import ModelError
from ..messages import Chat, Placeholder
from ..pixels import PatchedFrames, Patches, lookup_table
from ..recipe import Call, FolderFacts, Policies, Recipe

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


def _chat(facts: FolderFacts) -> Chat:
    if facts.chat_template is None:
        raise ModelError("a Qwen3-VL folder needs its chat template: chat_template.jinja or chat_template.json")
    return Chat(
        template=facts.chat_template,
        default_instruction=INSTRUCTION,
        punctuate=True,
        placeholders={
            "video": Placeholder("<|video_pad|>", 2),
            "image": Placeholder("<|image_pad|>", 1),
        },
    )


RECIPE = Recipe(
    routes={"message": Call()},
    policies=Policies(image=_image, video=_video, chat=_chat, text_limit=8192),
    bare_modules=("lasttoken", "normalize"),
    note="A Qwen3-VL folder without modules.json is read as Qwen3-VL-Embedding: last-token pooling, normalised.",
)
