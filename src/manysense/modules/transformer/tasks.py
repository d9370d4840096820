"""What a Transformer is to do, and within which limits: read off a folder, before anything is built.

Knows: tasks of the known library, heads, token limits, what a folder says of its chats and of the processing of each
call; which arguments a network takes and what is taken of its output. Does not know: weights, items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...errors import ModelError
from .messages import Chat
from .recipe import FolderFacts, Policies, Recipe
from .templates import format_of

TASKS = ("feature-extraction", "sequence-classification", "text-generation", "any-to-any", "image-text-to-text")
_NO_LIMIT = 1_000_000


def refuse(task: str, unsupported: Mapping[str, Any]) -> None:
    """Raise ModelError for a task or an option that is not supported."""
    if task not in TASKS:
        raise ModelError(f"transformer_task {task!r} is not supported yet")
    asked = {name: value for name, value in unsupported.items() if value not in (None, False, "torch")}
    if asked:
        raise ModelError(f"Transformer options {sorted(asked)} are not supported yet")


def give_head(config: Any, given: Mapping[str, Any]) -> bool:
    """Whether the checkpoint is of another kind, so that its head for labels is new; it then has one label, unless the
    caller says how many."""
    if any(str(name).endswith("ForSequenceClassification") for name in config.architectures or ()):
        return False
    if "num_labels" not in given:
        config.num_labels = 1
    return True


def position_limit(facts: FolderFacts, offset: int) -> int | None:
    """Tokens that the position table holds, None where there is none. offset: positions it spends before the first."""
    text = facts.config.get("text_config") or facts.config
    positions = text.get("max_position_embeddings")
    return positions - offset if isinstance(positions, int) and positions > 0 else None


def own_limit(tokenizer: Any, policies: Policies, positions: int | None) -> int | None:
    """The folder's token limit: the tokenizer's, at most what the position table holds."""
    limits = [policies.text_limit, positions]
    if tokenizer is not None and tokenizer.model_max_length < _NO_LIMIT:
        limits.append(int(tokenizer.model_max_length))
    return min((limit for limit in limits if limit), default=None)


def chat_of(
    recipe: Recipe, facts: FolderFacts, processing: Mapping[str, Any], modality_config: Mapping[str, Any] | None
) -> Chat:
    """The family's way to put items into a chat, with what the folder says of it. Raises ModelError.

    processing: the folder's own arguments for the template, by section.
    """
    maker = recipe.policies.chat
    assert maker is not None
    chat = maker(facts)
    options = dict(processing.get("chat_template", {}))
    said = (modality_config or {}).get("message", {}).get("format")
    return replace(
        chat,
        generation=bool(options.pop("add_generation_prompt", chat.generation)),
        structured=(said or format_of(chat.template)) == "structured",
        options=options,
    )
