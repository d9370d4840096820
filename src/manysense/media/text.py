"""Open text: the string itself, or a text file.

Knows: encodings and the cap on length. Does not know: tokenizers.
"""

from __future__ import annotations

import os
import re
from typing import Any

from ..errors import MediaError, MediaTooLarge
from .fetch import fetch
from .policy import Policy

_SURROGATE = re.compile("[\ud800-\udfff]")


def open_text(value: Any, policy: Policy) -> str:
    """The text, with every lone surrogate replaced by U+FFFD (they cannot be encoded, so no tokenizer knows them).

    value: str, or the path of a UTF-8 file, whose content (without a byte order mark) is the text.
    Raises MediaTooLarge over `policy.max_text` characters, MediaError for a file that is not UTF-8.
    """
    text = _read(value, policy) if isinstance(value, os.PathLike) else str(value)
    if len(text) > policy.max_text:
        raise MediaTooLarge(
            f"a text of {len(text):,} characters; the policy allows {policy.max_text:,}",
            source=repr(text[:40] + "…"),
            hint="Split it into passages, or raise Policy(max_text=…).",
        )
    return encodable(text)


def encodable(text: str) -> str:
    """The text with every lone surrogate replaced by U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _read(path: os.PathLike[Any], policy: Policy) -> str:
    blob = fetch(path, policy, modality="text")
    if blob.size > 4 * policy.max_text:
        raise MediaTooLarge(
            f"text file '{blob.source}' of {blob.size:,} bytes is over the policy's cap", source=blob.source
        )
    with blob.open() as file:
        data = file.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MediaError(
            f"text file '{blob.source}' is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}",
            source=blob.source,
            hint="Convert it, or read it yourself: Text(path.read_text(encoding=…)).",
        ) from None
