"""A folder whose weights are there only as an export for another runtime. It is recognised to be refused.

Knows: the exports and the way out. Does not know: how to run them.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from ...errors import ModelError
from ..types import Wanted

_EXPORTS = {
    "ONNX": ("*.onnx", "onnx/*.onnx"),
    "OpenVINO": ("openvino_model*.xml", "openvino/*.xml"),
    "TensorFlow": ("tf_model.h5", "*.tflite"),
    "Flax": ("flax_model.msgpack",),
    "GGUF": ("*.gguf",),
}


def recognises(folder: Path) -> bool:
    return bool(_exports(folder)) and not any(folder.rglob("*.safetensors")) and not any(folder.rglob("*.bin"))


def read(folder: Path, wanted: Wanted) -> NoReturn:
    raise ModelError(
        f"{folder} holds weights as {' and '.join(_exports(folder))} only, which do not run here\n"
        "  Take the folder or repository that the export was made from: it has model.safetensors or pytorch_model.bin."
    )


def _exports(folder: Path) -> list[str]:
    return [name for name, marks in _EXPORTS.items() if any(any(folder.glob(mark)) for mark in marks)]
