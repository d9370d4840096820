"""What a Transformer is to do, and within which limits: read off a folder, before anything is built.

Knows: tasks of the known library, heads, token limits, what a folder says of its chats and of the processing of each
call; which arguments a network takes and what is taken of its output. Does not know: weights, items.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from torch import nn

from ...errors import ModelError, UsageError
from ...settings import PROCESSING_SECTIONS, positive
from ...warn import warn
from .messages import Chat
from .pixels import unknown_overrides
from .recipe import FolderFacts, Policies, Recipe
from .templates import format_of

if TYPE_CHECKING:
    from ...settings import Settings

TASKS = ("feature-extraction", "sequence-classification", "text-generation", "any-to-any", "image-text-to-text")
_NO_LIMIT = 1_000_000
_OLD_NAMES = {"model_args": "model_kwargs", "tokenizer_args": "processor_kwargs", "config_args": "config_kwargs"}
TEXT_OPTIONS = (
    *("max_length", "truncation", "padding", "padding_side", "pad_to_multiple_of", "return_tensors"),
    *("return_attention_mask", "return_token_type_ids", "return_length", "verbose", "logits_to_keep"),
)
"""What a folder may say of the tokenizer's calls. Only the first two change a vector."""
_SOUND_OPTIONS = ("truncation", "padding")


def renamed(old: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Arguments under their present names; what has an old name is taken out of `old`."""
    for before, now in _OLD_NAMES.items():
        value = old.pop(before, None)
        given[now] = value if given[now] is None else given[now]
    return given


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
    own = chat.template == facts.chat_template  # what a folder says of its template is not true of another
    said = (modality_config or {}).get("message", {}).get("format") if own else None
    return replace(
        chat,
        generation=bool(options.pop("add_generation_prompt", chat.generation)),
        structured=(said or format_of(chat.template)) == "structured",
        options=options,
    )


def with_header(stored: Mapping[str, Any], chat: Chat | None) -> dict[str, Any]:
    """A folder's processing_kwargs that ask for the header of an answer where the family's chats have one: the known
    library renders none unasked."""
    if chat is None or not chat.generation:
        return dict(stored)
    return {**stored, "chat_template": {"add_generation_prompt": True, **stored.get("chat_template", {})}}


# ---- the processing of each call


def options(stored: Mapping[str, Any], settings: Settings, section: str) -> dict[str, Any]:
    """What one section says: the folder, then the call. "common" is for every section, as far as it can be meant."""

    def said(sections: Mapping[str, Any]) -> dict[str, Any]:
        common = sections.get("common", {})
        if section != "text":
            common = {name: value for name, value in common.items() if name not in TEXT_OPTIONS}
        return {**common, **sections.get(section, {})}

    return {**said(stored), **said(settings.processing)}


def with_overrides(stored: Mapping[str, Any], given: Mapping[str, Any], policies: Policies) -> dict[str, Any]:
    """A folder's processing_kwargs with the caller's values for pictures and sounds, so that a saved copy has them."""
    made = {name: dict(section) if isinstance(section, Mapping) else section for name, section in stored.items()}
    for name, value in given.items():
        section = "audio" if name in _SOUND_OPTIONS else "image"
        if value is not None and (policies.audio if section == "audio" else policies.image):
            made.setdefault(section, {})[name] = value
    return made


def check_processing(stored: Mapping[str, Any], policies: Mapping[str, Any]) -> None:
    """Raise ModelError where a folder's processing_kwargs hold what is not known, or would be read in another way.

    policies: by modality, None for one that the model does not read.
    """
    unknown = sorted(set(stored) - set(PROCESSING_SECTIONS))
    if unknown:
        warn(f"processing_kwargs of the folder has sections that are not known and were left out: {', '.join(unknown)}")
    wrong = next((name for name, section in stored.items() if not isinstance(section, Mapping)), None)
    if wrong is not None:
        raise ModelError(f"processing_kwargs of the folder: {wrong} is a dict of options, not {stored[wrong]!r}")
    try:
        for name in ("common", "text"):
            section = stored.get(name, {})
            unknown_overrides(name, section, TEXT_OPTIONS)
            if section.get("max_length") is not None:
                positive(f"{name}.max_length", section["max_length"])
            if section.get("truncation") in ("only_first", "only_second"):
                raise UsageError(f"{name}.truncation={section['truncation']!r}: the longer text of a pair gives way")
        for name, policy in policies.items():
            if policy is not None:
                policy.changed(stored.get(name, {}))
    except UsageError as error:
        raise ModelError(f"processing_kwargs of the folder: {error}") from error


def check_call(settings: Settings, policies: Mapping[str, Any]) -> None:
    """Raise UsageError for options of a call that the model does not know."""
    text = settings.section("text")
    unknown_overrides("text", text, ("max_length", "truncation", "padding", "return_tensors"))
    if "max_length" in text:
        positive('processing_kwargs["text"]["max_length"]', text["max_length"])
    if text.get("truncation", True) in (False, "do_not_truncate"):
        raise UsageError('truncation cannot be switched off; on_truncate="error" refuses long inputs')
    for name, policy in policies.items():
        own = settings.processing.get(name, {})
        if policy is None:
            unknown_overrides(name, own, ())
        else:
            policy.changed(own)
    unknown_overrides("chat_template", settings.processing.get("chat_template", {}), ())


# ---- the network's own signature and output


def accepted(network: Any, method: str, names: Collection[str]) -> frozenset[str]:
    """Which of `names` a method takes. What wraps a network (torch.compile, PEFT) takes what that takes."""
    function = network.forward if method == "forward" else getattr(network, method)
    parameters = inspect.signature(function).parameters.values()
    found = {parameter.name for parameter in parameters} & set(names)
    if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        return frozenset(found)
    inner = _wrapped(network)
    if inner is not None:
        return accepted(inner, method, names) | found
    return frozenset(found or names)


def _wrapped(network: Any) -> Any:
    """The network inside; None where it wraps nothing."""
    if isinstance(inner := getattr(network, "_orig_mod", None), nn.Module):
        return inner
    base = getattr(network, "get_base_model", None)
    return base() if callable(base) else None


def check_methods(network: Any, recipe: Recipe) -> None:
    """Raise ModelError where a route calls a method that the network does not have."""
    for call in recipe.routes.values():
        if not callable(getattr(network, call.method, None)):
            raise ModelError(f"modality_config asks for {call.method}, which a {type(network).__name__} does not have")


def picked(output: Any, path: Sequence[str | int], network: Any) -> Any:
    """What stands at `path` in what a network returned. Raises ModelError where nothing does."""
    found = output
    for step in path:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            found = getattr(found, step, None) if isinstance(step, str) else None
        if found is None:
            made = f"; it makes {', '.join(map(str, output))}" if isinstance(output, Mapping) else ""
            raise ModelError(f"{type(network).__name__} makes no {'.'.join(map(str, path))}{made}")
    return found
