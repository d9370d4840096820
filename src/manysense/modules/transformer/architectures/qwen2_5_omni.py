"""The thinker of Qwen2.5-Omni, which reads text, pictures and sounds: as an embedding model, and as a reranker that
answers. Xu et al. 2025.

Its `forward` takes no outputs of the audio tower, so outputs of towers enter as embeddings. Videos are left out: their
sound would have to stand between their frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....errors import ModelError
from ....inputs.types import Modality
from ..messages import Chat, Placeholder
from ..recipe import Call, FolderFacts, Policies, Recipe, Tower
from ..templates import pair_template
from ..waves import WhisperMel
from .qwen2_vl import image

_TOWERS = {
    "image": Tower("get_image_features", "pixel_values", "image_grid_thw"),
    "audio": Tower("get_audio_features", "input_features", mask="feature_attention_mask", lengths="audio_seqlens"),
}
_PLACEHOLDERS: dict[Modality, Placeholder] = {
    "image": Placeholder("<|IMAGE|>", 1),
    "audio": Placeholder("<|AUDIO|>", 3),
}


def _chat(facts: FolderFacts) -> Chat:
    if facts.chat_template is None:
        raise ModelError("a Qwen2.5-Omni folder needs its chat template: chat_template.jinja or chat_template.json")
    return Chat(template=facts.chat_template, placeholders=dict(_PLACEHOLDERS))


def _pair_chat(facts: FolderFacts) -> Chat:
    template = pair_template(facts)
    assert template is not None
    return Chat(template=template, placeholders=dict(_PLACEHOLDERS), generation=False)


def recipe(config: Mapping[str, Any], task: str) -> Recipe:
    """task: "feature-extraction" is an embedding model, the others answer.

    Raises ModelError for a whole Qwen2.5-Omni.
    """
    if config.get("model_type") == "qwen2_5_omni":
        raise ModelError(
            "this folder holds a whole Qwen2.5-Omni, which also speaks; its thinker alone can be read\n"
            "  Load Qwen2_5OmniThinkerForConditionalGeneration from it, save_pretrained to another folder, and copy "
            "the files of the tokenizer and the processor there."
        )
    if task == "feature-extraction":
        return Recipe(
            routes={"message": Call()},
            policies=Policies(image=image, audio=WhisperMel.of, chat=_chat),
            towers=_TOWERS,
            embeds=True,
            bare_modules=("lasttoken", "normalize"),
            note="A Qwen2.5-Omni thinker without modules.json is read as an embedding model: last token, normalised.",
        )
    return Recipe(
        routes={"message": Call("forward", ("logits",), "causal_logits", last=True)},
        policies=Policies(image=image, audio=WhisperMel.of, chat=_pair_chat),
        auto_class="AutoModelForImageTextToText",
        towers=_TOWERS,
        embeds=True,
    )
