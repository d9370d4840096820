"""From checkpoints to the folders that ship with the package.

Knows: averaged weights, folding, eight bits. Does not know: training, measuring.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from safetensors.torch import load_file

import manysense
from manysense.modules.base import write_json
from manysense.modules.towers.folder import save_net
from manysense.modules.towers.nets import ConvTower
from manysense.modules.towers.packed import restored, rounded

from .. import manifest
from .run import AUDIO, IMAGE
from .train import folded, with_batchnorm

MODELS = Path(manysense.__file__).parent / "starter" / "models"
_TYPE, _TEXT_TYPE = "manysense.modules.towers.Towers", "manysense.modules.towers.text.TokenSum"


def net(path: Path, shape: dict[str, object]) -> ConvTower:
    """Averaged weights as the package runs them: folded, and rounded to eight bits."""
    trained = with_batchnorm(ConvTower(**shape))  # type: ignore[arg-type]
    trained.load_state_dict(load_file(path))
    made = folded(trained.eval())
    state = made.state_dict()
    made.load_state_dict({name: restored(*rounded(t)) if t.ndim > 1 else t for name, t in state.items()})
    assert isinstance(made, ConvTower)
    return made


def latest(work: Path, kind: str) -> Path:
    """The averaged weights of a tower's last leg."""
    return max(work.glob(f"{kind}-*.safetensors"), key=lambda path: path.stat().st_mtime)


def export_all(work: Path) -> None:
    """Write manysense/starter and manysense/starter-minilm; the second takes pictures and sounds from the first."""
    first, second = MODELS / "starter", MODELS / "starter-minilm"
    (first / "text").mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        shutil.copyfile(work / "text" / name, first / "text" / name)
    write_json(first / "text" / "modules.json", [{"idx": 0, "name": "0", "path": "", "type": _TEXT_TYPE}])
    save_net(net(latest(work, "image"), IMAGE), first / "image")
    save_net(net(latest(work, "audio"), AUDIO), first / "audio")
    _describe(first, {"text": "text", "image": "image", "audio": "audio", "frames": 4})
    shared = {name: f"manysense/starter:{name}" for name in ("image", "audio")}
    _describe(second, {"text": "extra:minilm", **shared, "frames": 4})
    manifest.write(work)


def _describe(folder: Path, towers: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "towers.json", towers)
    write_json(folder / "modules.json", [{"idx": 0, "name": "0", "path": "", "type": _TYPE}])
    config = {"model_type": "SentenceTransformer", "similarity_fn_name": "cosine", "prompts": {}}
    write_json(folder / "config_sentence_transformers.json", config)
