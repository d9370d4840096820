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

_OWN = {
    "qwen3": "qwen3_reranker",
    "qwen3_vl": "qwen3_vl_reranker",
    "qwen2_vl": "qwen2_vl_reranker",
    "qwen2_5_vl": "qwen2_vl_reranker",
    "qwen2_5_omni_thinker": "qwen2_5_omni_reranker",
}
"""model_type → the template of its authors' reranker."""


def pair_template(facts: FolderFacts, own: str | None = None) -> str | None:
    """The folder's own template where it is one for pairs; else that of the family's reranker; else the folder's own,
    or None.

    own: name of a template here, for a model that is told by more than its type.  A chat template that writes whatever
    role it is given is not for pairs, where the family has one that is.
    """
    given = facts.chat_template
    own = own or _OWN.get(str(facts.config.get("model_type")))
    if given is not None and carries_pairs(given) and (own is None or _names_sides(given)):
        return given
    return given if own is None else own_template(own)


def own_template(name: str) -> str:
    """The text of the template `name`.jinja beside this file."""
    return Path(__file__).with_name(f"{name}.jinja").read_text(encoding="utf-8")


def _names_sides(template: str) -> bool:
    return "query" in template and "document" in template


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
    """Whether both sides of a pair reach what the template renders, with content in one of the two formats: tried,
    since reading it would not tell."""

    def carries(structured: bool) -> bool:
        base = _probed(template, "zebra", "walrus", structured)
        others = (_probed(template, *sides, structured) for sides in (("okapi", "walrus"), ("zebra", "otter")))
        return base is not None and base not in others

    return carries(False) or carries(True)


@lru_cache(maxsize=64)
def document_first(template: str) -> bool:
    """Whether a template that carries pairs writes the document before the query."""
    made = _probed(template, "zebra", "walrus", format_of(template) == "structured") or ""
    return 0 <= made.find("walrus") < made.find("zebra")


def _probed(template: str, query: str, document: str, structured: bool) -> str | None:
    """What a template makes of a pair, None where it takes none."""
    turns = [("query", query), ("document", document)]
    messages = [
        {"role": role, "content": [{"type": "text", "text": text}] if structured else text} for role, text in turns
    ]
    try:
        return str(compiled(template).render(messages=messages, add_generation_prompt=True))
    except Exception:  # whatever a template raises for a role or a content that it does not know
        return None
