"""`manysense info MODEL`: what a model reads, gives and needs, without reading its weights.

The modules are built as the library builds them, with networks whose tensors have shapes and no values, so that what
is said here is what a load would give. Sizes come from the headers of the weight files.

Knows: what is worth saying of a model. Does not know: how folders are read (checkpoints/).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .say import Debug, Json, answering, facts, paint, size

if TYPE_CHECKING:
    from ..sentence_transformer.model import SentenceTransformer


def info(
    model: Annotated[str, typer.Argument(help="A folder, or a Hub name, which is fetched if need be.")],
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what a model reads, how large it is, and what is missing to use it."""
    with answering(debug):
        from ..checkpoints.source import Source
        from .models import chosen

        named = chosen(model)
        found = _facts(named.label, Source(named.name).folder())
        if json:
            facts(found)
        else:
            typer.echo(_page(found))


def _facts(label: str, folder: Path) -> dict[str, Any]:
    from ..checkpoints.memory import free_bytes, needed_bytes
    from ..extras import missing

    network = _shape_of(folder)
    absent = [extra for extra in missing() if extra in network.modalities]
    return {
        "model": label,
        "folder": str(folder),
        "modalities": network.modalities,
        "limits": _limits(network),
        "dims": network.get_embedding_dimension(),
        "similarity": network.similarity_fn_name,
        "prompts": network.prompts,
        "default_prompt_name": network.default_prompt_name,
        "modules": [_module(module) for module in network],
        "parameters": sum(p.numel() for p in network.parameters()),
        "disk_bytes": sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()),
        "memory_bytes": {"float32": needed_bytes(folder, 4), "bfloat16": needed_bytes(folder, 2)},
        "free_memory_bytes": free_bytes("cpu"),
        "missing": absent,
        "install": f'pip install "manysense[{",".join(absent)}]"' if absent else None,
    }


def _shape_of(folder: Path) -> SentenceTransformer:
    """The model without its weights. Raises ModelError as a load would."""
    from ..checkpoints.load import load
    from ..checkpoints.source import Source
    from ..checkpoints.types import Wanted
    from ..sentence_transformer.model import SentenceTransformer
    from .models import build

    loaded = build(lambda: load(Source(str(folder)), Wanted(device_type="meta", weights=False)), folder)
    stored = loaded.config
    return SentenceTransformer(
        modules=loaded.modules,
        model_kwargs={"device_map": "meta"},  # tensors without values are not moved to a device
        prompts=stored.get("prompts"),
        default_prompt_name=stored.get("default_prompt_name"),
        similarity_fn_name=stored.get("similarity_fn_name"),
        truncate_dim=stored.get("truncate_dim"),
    )


def _limits(network: SentenceTransformer) -> dict[str, dict[str, Any]]:
    """Modality → the most that is read of one input, in the units of its policy."""
    first = network[0]
    image, sound, clip = (getattr(first, f"{name}_policy", None) for name in ("image", "audio", "video"))
    limits: dict[str, dict[str, Any]] = {"text": {"tokens": network.max_seq_length}}
    if image is not None:
        crop = getattr(image, "crop", None) or getattr(image, "exact", None)
        limits["image"] = {"size": list(crop)} if crop else {"pixels": getattr(image, "most", None)}
    if sound is not None:
        limits["audio"] = {"rate": sound.rate, "seconds": sound.window}
    if clip is not None:
        limits["video"] = {"frames": getattr(clip, "most_frames", None), "fps": getattr(clip, "fps", None)}
    return {name: limit for name, limit in limits.items() if name in network.modalities}


def _module(module: Any) -> str:
    """Transformer (BertModel), Pooling (mean), Normalize."""
    inner = getattr(module, "model", None)
    mode = getattr(module, "pooling_mode", None)
    if inner is not None:
        detail = type(inner).__name__
    else:
        detail = mode if isinstance(mode, str) else "+".join(mode or ())
    return f"{type(module).__name__} ({detail})" if detail else type(module).__name__


def _page(found: dict[str, Any]) -> str:
    import sys

    memory = found["memory_bytes"]
    free = f"; {size(found['free_memory_bytes'])} free here" if found["free_memory_bytes"] else ""
    weights = f"{size(memory['float32'])} as float32, {size(memory['bfloat16'])} as bfloat16 (weights alone{free})"
    rows = [("reads", _spoken(found["limits"].get(m, {}), m)) for m in found["modalities"]]
    rows += [
        ("vectors", f"{found['dims']} numbers, compared by {found['similarity']}"),
        *(("prompt", f"{name}: {text!r}") for name, text in found["prompts"].items() if text),
        ("modules", " → ".join(found["modules"])),
        ("parameters", _spoken_number(found["parameters"])),
        ("on disk", size(found["disk_bytes"])),
        ("memory", weights if memory["float32"] else "no weights found in this folder"),
        (
            "missing",
            f"to read {' and '.join(found['missing'])}:  {found['install']}" if found["missing"] else "nothing",
        ),
    ]
    if found["default_prompt_name"]:
        rows.append(("default", f"the prompt {found['default_prompt_name']!r} where none is named"))
    lines = [paint(found["model"], "bold", sys.stdout)]
    before = ""
    for name, value in rows:
        lines.append(f"  {'' if name == before else name:10}  {value}")
        before = name
    return "\n".join(lines)


def _spoken(limit: dict[str, Any], modality: str) -> str:
    match limit:
        case {"tokens": int(tokens)}:
            return f"text, up to {tokens:,} tokens"
        case {"size": [height, width]}:
            return f"pictures, as {width} × {height} pixels"
        case {"pixels": int(pixels)}:
            return f"pictures, up to {pixels:,} pixels"
        case {"rate": rate, "seconds": None}:
            return f"sound of any length, at {rate:,} Hz"
        case {"rate": rate, "seconds": seconds}:
            return f"sound, its first {seconds:g} seconds at {rate:,} Hz"
        case {"frames": int(frames), "fps": fps}:
            return f"video, up to {frames} frames, {fps:g} a second"
    names = {"text": "text of any length", "image": "pictures", "audio": "sound", "video": "video"}
    return names.get(modality, "chat messages of these")


def _spoken_number(number: int) -> str:
    for unit, name in ((1e9, "billion"), (1e6, "million")):
        if number >= unit:
            return f"{number / unit:.1f} {name}"
    return f"{number:,}"
