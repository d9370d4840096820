"""From checkpoints to the folders that ship with the package.

Knows: averaged weights, folding, eight bits. Does not know: training, measuring.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from safetensors.torch import load_file
from torch.nn import functional

import manysense
from manysense.modules.base import write_json
from manysense.modules.towers.folder import save_net
from manysense.modules.towers.nets import ConvTower, Recall
from manysense.modules.towers.packed import restored, rounded

from .. import manifest
from .run import AUDIO, IMAGE, RECALL, Opener
from .train import folded, with_batchnorm

MODELS = Path(manysense.__file__).parent / "starter" / "models"
_TYPE, _TEXT_TYPE = "manysense.modules.towers.Towers", "manysense.modules.towers.text.TokenSum"


def net(path: Path, shape: dict[str, object], recall: Recall) -> ConvTower:
    """Averaged weights as the package runs them: folded, with what they recall, and rounded to eight bits."""
    trained = with_batchnorm(ConvTower(**shape))  # type: ignore[arg-type]
    trained.load_state_dict(load_file(path))
    made = folded(trained.eval())
    assert isinstance(made, ConvTower)
    made.remember(recall)
    state = made.state_dict()
    made.load_state_dict({name: restored(*rounded(t)) if t.ndim > 1 else t for name, t in state.items()})
    return made


def recall(work: Path, kind: str) -> Recall:
    """The common meanings that a tower was trained on, each the mean of its captions for both text towers."""
    families, how = RECALL[kind]
    opened = Opener(work, kind, {})()
    assert opened is not None, f"no {kind} media below {work}"
    pool, banks = opened
    means, of_key = zip(*(pool.classes(bank) for bank in banks))
    own = [key for key, name in enumerate(pool.names) if name.partition(":")[0] in families and of_key[0][key] >= 0]
    vectors = functional.normalize(sum(means), dim=1)[of_key[0][own]]
    made = Recall(len(own), vectors.shape[1], **how)
    made.meanings.data.copy_(vectors)
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
    for kind, shape in (("image", IMAGE), ("audio", AUDIO)):
        save_net(net(latest(work, kind), shape, recall(work, kind)), first / kind)
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
