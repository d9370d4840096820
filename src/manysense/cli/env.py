"""`manysense env`: what a bug report needs to know of this machine.

Knows: versions, memory, devices, switches. Does not know: models. It shows no secret: of those, only whether they are
set.
"""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from .. import __version__
from .say import Debug, Json, answering, facts, size

PACKAGES = "torch transformers tokenizers safetensors huggingface-hub numpy pillow av soundfile soxr pyarrow".split()
SWITCHES = (
    "MANYSENSE_MODEL MANYSENSE_DEBUG HF_HOME HF_HUB_CACHE HF_HUB_OFFLINE HF_ENDPOINT TRANSFORMERS_OFFLINE "
    "SENTENCE_TRANSFORMERS_HOME CUDA_VISIBLE_DEVICES OMP_NUM_THREADS MKL_NUM_THREADS PYTORCH_ENABLE_MPS_FALLBACK "
    "NO_COLOR"
).split()
SECRETS = "HF_TOKEN HTTP_PROXY HTTPS_PROXY".split()
"""Tokens, and addresses that may hold a password."""


def env(json: Json = False, debug: Debug = False) -> None:
    """Show versions, devices and settings, for bug reports."""
    with answering(debug):
        found = _found()
        if json:
            facts(found)
        else:
            typer.echo(_page(found))


def _found() -> dict[str, Any]:
    from ..checkpoints.memory import free_bytes

    return {
        "manysense": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in PACKAGES},
        "cpu_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": _memory(),
        "free_memory_bytes": free_bytes("cpu"),
        "devices": _devices(),
        "hub_cache": str(_hub_cache()),
        "environment": {
            **{name: _without_password(os.environ[name]) for name in SWITCHES if name in os.environ},
            **{name: "set" if os.environ.get(name) or os.environ.get(name.lower()) else "not set" for name in SECRETS},
        },
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _devices() -> list[str]:
    """In torch's names, the CPU first."""
    try:
        import torch
    except Exception as error:  # a broken torch is what such a report is for
        return [f"torch cannot be imported: {error}"]
    found = [f"cpu ({torch.get_num_threads()} threads, torch {torch.__version__})"]
    if torch.cuda.is_available():
        for i in range(torch.cuda.device_count()):
            facts_of = torch.cuda.get_device_properties(i)
            found.append(f"cuda:{i} ({facts_of.name}, {size(facts_of.total_memory)})")
    return [*found, "mps"] if torch.backends.mps.is_available() else found


def _hub_cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _without_password(value: str) -> str:
    parts = urlsplit(value)
    return value.replace(f"{parts.netloc.rpartition('@')[0]}@", "…@") if "@" in parts.netloc else value


def _page(found: dict[str, Any]) -> str:
    lines = [(name, found[name]) for name in ("manysense", "python", "platform")]
    lines += [(name, version or "not installed") for name, version in found["packages"].items()]
    free, whole = (size(n) if n else "unknown" for n in (found["free_memory_bytes"], found["memory_bytes"]))
    lines += [("CPU cores", found["cpu_cores"]), ("memory", f"{whole}, {free} free")]
    lines += [("devices", ", ".join(found["devices"])), ("Hub cache", found["hub_cache"])]
    lines += list(found["environment"].items())
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:{width}}  {value}" for name, value in lines)
