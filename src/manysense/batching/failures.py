"""What went wrong in preparing or in the network, as an error of one item.

Knows: how torch and Python say that memory ran out. Does not know: batches, threads.
"""

from __future__ import annotations

import copy

from ..errors import ForwardError, ItemError, first_line


def copied(error: ItemError) -> ItemError:
    made = copy.copy(error)
    made.__cause__ = error.__cause__
    return made


def not_numbers() -> ItemError:
    return ForwardError(
        "its vector holds values that are NaN or infinite",
        hint="Look at the input's values; in float16 a model may overflow, try bfloat16 or float32.",
    )


def out_of_memory(error: BaseException) -> bool:
    """Whether this is how torch, CUDA, MPS or Python say that memory ran out."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    text = str(error).lower()
    return bool(kinds & {"OutOfMemoryError", "MemoryError"}) or (
        isinstance(error, RuntimeError)
        and any(
            words in text for words in ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")
        )
    )


def forward_error(error: Exception, short: bool) -> ItemError:
    if isinstance(error, ItemError):
        return copied(error)
    if short:
        made: ItemError = ForwardError(
            f"this one item needs more memory than is free: {first_line(error)}",
            hint="Use a smaller max_pixels or max_seq_length, a lower dtype, or another device.",
        )
    else:
        made = ForwardError(f"the network failed on this item: {type(error).__name__}: {error}")
    made.__cause__ = error
    return made


def preparing_error(error: Exception) -> ItemError:
    if isinstance(error, MemoryError):
        return forward_error(error, True)
    made = ItemError(f"it cannot be prepared: {type(error).__name__}: {error}")
    made.__cause__ = error
    return made


def release_memory() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
