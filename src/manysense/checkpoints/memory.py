"""Whether the weights fit, asked before they are read.

Knows: sizes in safetensors headers, free memory of the machine. Does not know: models.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import NotEnoughMemory
from .save import SAVING

_FLOATS = ("F64", "F32", "F16", "BF16")
SHARE = 0.95
"""Of the free memory that weights may take."""


def needed_bytes(folder: Path, float_bytes: int | None = None) -> int:
    """Memory of all weights below `folder`; float_bytes: per float value once loaded, None for as stored."""
    total = sum(_safetensors_bytes(path, float_bytes) for path in _weights(folder))
    return total or sum(path.stat().st_size for path in folder.glob("pytorch_model*.bin"))


def _weights(folder: Path) -> Iterator[Path]:
    """Files of weights below `folder`, but for those of a save that is under way, which may be gone at any moment."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(SAVING)]
        yield from (Path(place) / name for name in names if name.endswith(".safetensors"))


def _safetensors_bytes(path: Path, float_bytes: int | None) -> int:
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header: dict[str, Any] = json.loads(file.read(min(length, 100_000_000)))
        tensors = [facts for name, facts in header.items() if name != "__metadata__"]
        return sum(_tensor_bytes(facts, float_bytes) for facts in tensors)
    except (struct.error, ValueError, LookupError, TypeError, AttributeError):
        # broken: whoever reads it says so
        return path.stat().st_size


def _tensor_bytes(facts: dict[str, Any], float_bytes: int | None) -> int:
    if float_bytes and facts["dtype"] in _FLOATS:
        return int(math.prod(facts["shape"])) * float_bytes
    begin, end = facts["data_offsets"]
    return int(end - begin)


def free_bytes(device_type: str = "cpu") -> int | None:
    """Free memory of the device, None where it cannot be told. On a CPU also what the control group still allows."""
    if device_type == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    if device_type != "cpu":
        return None
    found = [n for n in (_available(), _control_group()) if n is not None]
    return min(found) if found else None


def _available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        facts = dict(line.split(":", 1) for line in lines)
        return int(facts["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def _control_group() -> int | None:
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        return None if limit == "max" else max(0, int(limit) - used)
    except (OSError, ValueError):
        return None


def check_fits(folder: Path, device_type: str, dtype: Any) -> None:
    """Raise NotEnoughMemory, before anything is read, when the weights are larger than what is free.

    dtype: of the loaded weights, None for as stored.
    """
    size = getattr(dtype, "itemsize", None)
    needed, free = needed_bytes(folder, size), free_bytes(device_type)
    if free is None or needed <= SHARE * free:
        return
    half = "" if size == 2 else ' model_kwargs={"dtype": "bfloat16"} halves float32 weights;'
    raise NotEnoughMemory(
        f"the weights in {folder} need {needed / 2**30:.1f} GiB and {free / 2**30:.1f} GiB are free on {device_type}\n"
        f'  Try:{half} model_kwargs={{"device_map": "auto"}} spreads them over devices; or take a smaller model.'
    )
