"""Chat templates that put a query and a document to a model whose own template cannot.

Knows: which family's authors ask in which words, and whether a template carries both sides of a pair. Does not know:
how a template is filled (messages.py).

Each template is a file beside this one and renders the roles "system" (the instruction), "query" and "document".
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..recipe import FolderFacts

_OWN = {"qwen3": "qwen3_reranker", "qwen3_vl": "qwen3_vl_reranker"}
"""model_type → the template of its authors' reranker."""


def pair_template(facts: FolderFacts) -> str | None:
    """The folder's own template where it carries pairs; else that of the family's reranker; else the folder's own, or
    None."""
    given = facts.chat_template
    if given is not None and carries_pairs(given):
        return given
    own = _OWN.get(str(facts.config.get("model_type")))
    return given if own is None else Path(__file__).with_name(f"{own}.jinja").read_text(encoding="utf-8")


def compiled(template: str) -> Any:
    from transformers.utils.chat_template_utils import _compile_jinja_template

    return _compile_jinja_template(template)


def format_of(template: str) -> str:
    """ "structured" where a template reads content as a list of typed parts, "flat" where it reads a string.

    Source: Sentence Transformers, which tells them by the same words.
    """
    words = ("content[0]", ".type", "'type'", '"type"', "item.type", "message.content[")
    return "structured" if any(word in template for word in words) else "flat"


@lru_cache(maxsize=64)
def carries_pairs(template: str) -> bool:
    """Whether both sides of a pair reach what the template renders: tried, since reading it would not tell."""
    structured = format_of(template) == "structured"

    def rendered(query: str, document: str) -> str | None:
        turns = [("query", query), ("document", document)]
        messages = [
            {"role": role, "content": [{"type": "text", "text": text}] if structured else text} for role, text in turns
        ]
        try:
            return str(compiled(template).render(messages=messages, add_generation_prompt=True))
        except Exception:  # whatever a template raises for a role that it does not know
            return None

    base = rendered("zebra", "walrus")
    return base is not None and base not in (rendered("okapi", "walrus"), rendered("zebra", "otter"))
