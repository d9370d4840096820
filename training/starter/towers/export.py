"""From checkpoints to the folders that ship with the package.

Knows: averaged weights, folding, eight bits, the order of things: clips are joined when both towers are done. Does not
know: losses, measuring.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

import manysense
from manysense.modules.base import write_json
from manysense.modules.towers.folder import load_net, save_net
from manysense.modules.towers.nets import ConvTower
from manysense.modules.towers.packed import restored, rounded
from manysense.modules.towers.recall import Recall

from .. import manifest
from . import fusion
from .media import Pool
from .phonemes import PHONEMES, PLACES, spellings_of
from .run import AUDIO, IMAGE, MEDIA, RECALL, SOUP, Opener, averaged, banks, mixed
from .targets import Targets
from .train import SPELLING, folded, with_batchnorm

Net = TypeVar("Net", bound=nn.Module)
MODELS = Path(manysense.__file__).parent / "starter" / "models"
_TYPE, _TEXT_TYPE = "manysense.modules.towers.Towers", "manysense.modules.towers.text.TokenSum"


def weights(work: Path, kind: str) -> dict[str, Tensor]:
    """Those that the package is to hold; where a leg of them is not there, the newest leg alone."""
    legs = SOUP[kind]
    if not all(averaged(work, kind, leg).exists() for leg in legs):
        newest = max(work.glob(f"{kind}-*.safetensors"), key=lambda path: path.stat().st_mtime)
        print(f"not all of {', '.join(legs)} are there: {newest} is taken alone", flush=True)
        legs = {newest.stem.partition("-")[2]: 1.0}
    return mixed(work, kind, legs)


def net(tensors: dict[str, Tensor], shape: dict[str, object], recall: Recall) -> ConvTower:
    """Averaged weights as the package runs them: folded, with what they recall, and rounded to eight bits."""
    trained = with_batchnorm(ConvTower(**shape))  # type: ignore[arg-type]
    trained.load_state_dict({name: t for name, t in tensors.items() if not name.startswith(SPELLING)})
    if recall.lexicon is not None:
        recall.lexicon.read.load_state_dict({part: tensors[f"{SPELLING}read.{part}"] for part in ("weight", "bias")})
    made = folded(trained.eval())
    assert isinstance(made, ConvTower)
    made.remember(recall)
    return in_eight_bits(made)


def tower(work: Path, kind: str, shape: dict[str, object]) -> tuple[Pool, nn.Module]:
    """As the package is to hold it, or as it holds it already where none of its legs is there; and its media."""
    if any(work.glob(f"{kind}-*.safetensors")):
        opened = Opener(work, kind, {})()
        assert opened is not None, f"no {kind} media below {work}"
        return opened[0], net(weights(work, kind), shape, recall(kind, *opened))
    print(f"no {kind} leg is there: the tower in the package is kept", flush=True)
    return Pool.open(work / MEDIA[kind], None, {}), load_net(MODELS / "starter", kind)


def in_eight_bits(net: Net) -> Net:
    state = net.state_dict()
    rows = {name: t for name, t in state.items() if t.ndim > 1 and t.is_floating_point()}
    net.load_state_dict(state | {name: restored(*rounded(t)) for name, t in rows.items()})
    return net


def recall(kind: str, pool: Pool, banks: Sequence[Tensor]) -> Recall:
    """The common meanings that a tower was trained on, each the mean of its captions for both text towers."""
    sharpness, shares = RECALL[kind]
    means, of_key = zip(*(pool.classes(bank) for bank in banks))
    families = [name.partition(":")[0] for name in pool.names]
    own = [key for key, family in enumerate(families) if family in shares and of_key[0][key] >= 0]
    vectors = functional.normalize(sum(means), dim=1)[of_key[0][own]]
    if kind == "audio":
        spelled = spellings_of([pool.names[key] for key in own])
        lexicon = {"phonemes": 1 + len(PHONEMES), "places": PLACES, "longest": spelled.shape[1]}
        made = Recall(len(own), vectors.shape[1], sharpness, lexicon, AUDIO["temporal"]["width"])
        made.lexicon.spellings.copy_(spelled)
    else:
        made = Recall(len(own), vectors.shape[1], sharpness)
    made.meanings.data.copy_(vectors)
    made.shares.data.copy_(torch.tensor([shares[families[key]] for key in own]))
    return made


def export_all(work: Path, keep_fusion: bool = False) -> None:
    """Write manysense/starter and manysense/starter-minilm; the second takes pictures and sounds from the first.

    keep_fusion: what joins a clip's pictures with its sound stays as the package holds it.
    """
    first, second = MODELS / "starter", MODELS / "starter-minilm"
    (first / "text").mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        shutil.copyfile(work / "text" / name, first / "text" / name)
    write_json(first / "text" / "modules.json", [{"idx": 0, "name": "0", "path": "", "type": _TEXT_TYPE}])
    towers = {kind: tower(work, kind, shape) for kind, shape in (("image", IMAGE), ("audio", AUDIO))}
    for kind, (_, made) in towers.items():
        save_net(made, first / kind)
    if not keep_fusion:
        things = (fusion.Things(kind, work / MEDIA[kind], pool, made) for kind, (pool, made) in towers.items())
        targets = Targets(work / "captions" / "clip")
        save_net(in_eight_bits(fusion.fit(*things, targets, lambda: banks(targets, work))), first / "fusion")
    _describe(first, {"text": "text", "image": "image", "audio": "audio", "fusion": "fusion", "frames": 4})
    shared = {name: f"manysense/starter:{name}" for name in ("image", "audio", "fusion")}
    _describe(second, {"text": "extra:minilm", **shared, "frames": 4})
    manifest.write(work)


def _describe(folder: Path, towers: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "towers.json", towers)
    write_json(folder / "modules.json", [{"idx": 0, "name": "0", "path": "", "type": _TYPE}])
    config = {"model_type": "SentenceTransformer", "similarity_fn_name": "cosine", "prompts": {}}
    write_json(folder / "config_sentence_transformers.json", config)
