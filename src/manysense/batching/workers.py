"""Threads that run whole batches with one intra-op thread each, without touching the caller's settings.

Knows: how torch's OpenMP pool is limited for one thread alone. Does not know: batches, models.

`torch.set_num_threads(1)` in a worker would also become the default of every thread that starts later. Calling
`omp_set_num_threads(1)` of the very libgomp that torch bundles, from inside the worker, limits that thread alone.
Where it cannot be found (other platforms, other OpenMP libraries), one stream with the caller's threads is used.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from pathlib import Path
from typing import Any


@functools.cache
def _openmp() -> Any:
    """torch's own OpenMP library, or None."""
    import torch

    if not sys.platform.startswith("linux"):
        return None
    for path in sorted((Path(torch.__file__).parent / "lib").glob("libgomp*.so*")):
        try:
            library = ctypes.CDLL(str(path))
            library.omp_set_num_threads.argtypes = [ctypes.c_int]
            library.omp_get_max_threads.restype = ctypes.c_int
        except (OSError, AttributeError):
            continue
        return library if library.omp_get_max_threads() == torch.get_num_threads() else None
    return None


def streams(device_type: str) -> int:
    """How many batches run at the same time: on a CPU as many as torch has threads, elsewhere one."""
    import torch

    if device_type != "cpu" or _openmp() is None:
        return 1
    return max(1, torch.get_num_threads())


@functools.cache
def _trim() -> Any:
    """glibc's malloc_trim, or None elsewhere."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None


def give_back_memory() -> None:
    """Return freed memory to the system. glibc keeps what worker threads freed, in pieces, so that a stream would grow
    by hundreds of MB; this takes about a millisecond."""
    trim = _trim()
    if trim is not None:
        trim(0)


def single_threaded() -> None:
    """Limit the calling thread to one intra-op thread. To be called inside a worker of several."""
    import torch

    library = _openmp()
    if library is not None:
        torch.ones(1).add_(1)  # torch sets its own default in a thread's first operation
        library.omp_set_num_threads(1)
