"""Which prompt a call uses.

Knows: the model's named prompts and the rules of precedence. Does not know: how a prompt is put before an input.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import UsageError

QUERY_NAMES = ("query",)
DOCUMENT_NAMES = ("document", "passage", "corpus")


def resolve_prompt(
    prompt: str | None, prompt_name: str | None, prompts: Mapping[str, str], default_name: str | None
) -> str | None:
    """The text of the prompt: `prompt` itself, else the one named, else the model's default; "" counts as none.

    Raises UsageError for an unknown name.
    """
    if prompt is not None:
        if not isinstance(prompt, str):
            raise UsageError(f"prompt must be a str, got {type(prompt).__name__}")
        return prompt or None
    name = prompt_name if prompt_name is not None else default_name
    if name is None:
        return None
    if not isinstance(name, str) or name not in prompts:
        raise UsageError(f"prompt_name={name!r} is not one of this model's prompts: {sorted(prompts)}")
    return prompts[name] or None


def first_named(names: tuple[str, ...], prompts: Mapping[str, str]) -> str | None:
    """The first of `names` that the model has a non-empty prompt for, else the first it has at all."""
    known = [name for name in names if name in prompts]
    return next((name for name in known if prompts[name]), known[0] if known else None)
