"""Qwen2-VL and what was made of it: GME, jina-reranker-m0, rerankers that answer yes or no. Wang et al. 2024.

Values from transformers (models/qwen2_vl), and from the authors' code where it says more than the folder:
gme_inference.py of Alibaba-NLP/gme-Qwen2-VL-2B-Instruct; modeling.py of jinaai/jina-reranker-m0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ....errors import ModelError
from ....inputs.types import Modality
from ..frames import PatchedFrames
from ..messages import Chat, Placeholder
from ..pixels import Patches
from ..recipe import Call, FolderFacts, Policies, Recipe, ScoreHead, Tower
from ..templates import own_template, pair_template

FACTOR = 28
PIXELS = (4 * FACTOR**2, 1280 * FACTOR**2)
FRAME_PIXELS = (128 * FACTOR**2, 768 * FACTOR**2)
"""Least and most, of transformers, where the folder says none."""

TOWERS = {
    "image": Tower("get_image_features", "pixel_values", "image_grid_thw"),
    "video": Tower("get_video_features", "pixel_values_videos", "video_grid_thw"),
}
PLACEHOLDERS: dict[Modality, Placeholder] = {
    "video": Placeholder("<|video_pad|>", 2),
    "image": Placeholder("<|image_pad|>", 1),
}
_GME = {
    "min_pixels": 256 * FACTOR**2,
    "max_pixels": 1280 * FACTOR**2,
    "first_fit": [4 * FACTOR**2, 16384 * FACTOR**2],
}
_JINA = {"min_pixels": 4 * FACTOR**2, "max_pixels": 768 * FACTOR**2}


def image(facts: FolderFacts) -> Patches:
    return Patches.of_folder(facts, least=PIXELS[0], most=PIXELS[1])


def _video(facts: FolderFacts) -> PatchedFrames:
    return PatchedFrames.of_folder(facts, least=FRAME_PIXELS[0], most=FRAME_PIXELS[1])


def _chat(facts: FolderFacts) -> Chat:
    if facts.chat_template is None:
        raise ModelError("a Qwen2-VL folder needs its chat template: chat_template.jinja or chat_template.json")
    return Chat(template=facts.chat_template, placeholders=dict(PLACEHOLDERS))


def _pair_chat(facts: FolderFacts) -> Chat:
    template = pair_template(facts)
    assert template is not None
    return Chat(template=template, placeholders=dict(PLACEHOLDERS), generation=False)


def _gme_chat(facts: FolderFacts) -> Chat:
    return Chat(template=own_template("gme_qwen2_vl"), placeholders=dict(PLACEHOLDERS))


def _jina_chat(facts: FolderFacts) -> Chat:
    template = pair_template(facts, own="jina_reranker_m0")
    assert template is not None
    return Chat(template=template, placeholders=dict(PLACEHOLDERS), generation=False)


_EMBEDDING = Recipe(
    routes={"message": Call()},
    policies=Policies(image=image, video=_video, chat=_chat),
    towers=TOWERS,
    bare_modules=("lasttoken", "normalize"),
    note="A Qwen2-VL folder without modules.json is read as an embedding model: last token, normalised.",
)
_BY_ARCHITECTURE = {
    "GmeQwen2VL": replace(
        _EMBEDDING,
        policies=Policies(image=image, video=_video, chat=_gme_chat, text_limit=1800),
        auto_class="Qwen2VLModel",
        processor=_GME,
    ),
    "JinaVLForRanking": replace(
        _EMBEDDING,
        policies=Policies(image=image, video=_video, chat=_jina_chat, text_limit=10240),
        auto_class="Qwen2VLModel",
        bare_modules=("lasttoken",),
        control=("§",),  # token 100, where the score is read: the name of a byte that no text has alone
        head=ScoreHead(("score.0", "score.2"), shift=-2.65),
        processor=_JINA,
        note="jina-reranker-m0: a score of the last token's vector, behind the document and the query.",
    ),
}
"""Architecture in config.json → what its authors' code does."""


def recipe(config: Mapping[str, Any], task: str) -> Recipe:
    """task: "feature-extraction" is an embedding model or one with a score head, the others answer."""
    if task == "feature-extraction":
        return _BY_ARCHITECTURE.get(next(iter(config.get("architectures") or ()), ""), _EMBEDDING)
    return Recipe(
        routes={"message": Call("forward", ("logits",), "causal_logits", last=True)},
        policies=Policies(image=image, video=_video, chat=_pair_chat),
        auto_class="AutoModelForImageTextToText",
        towers=TOWERS,
    )
