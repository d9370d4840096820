"""A Source → the modules of a model.

Knows: the order in which formats are tried. Does not know: any format (formats/), any model class.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import ManysenseError, ModelError, ModelNotFound
from .formats import exported, model2vec, modules_json, transformers_folder
from .memory import check_fits
from .requirements import check_requirements
from .source import Source
from .types import Loaded, Wanted

FORMATS = (exported, modules_json, model2vec, transformers_folder)
"""In the order in which they are tried."""


def load(source: Source, wanted: Wanted) -> Loaded:
    """Raises ModelNotFound, ModelError, UntrustedCode, NotEnoughMemory, before anything is imported or read."""
    from ..modules.transformer.folder import as_dtype

    kwargs = wanted.model_kwargs
    source = replace(source, pickles=kwargs.get("use_safetensors") is False)
    wanted = replace(wanted, source=source)
    folder = source.folder()
    form = next((form for form in FORMATS if form.recognises(folder)), None)
    if form is None:
        names = ", ".join(sorted(p.name for p in folder.iterdir())[:8]) or "nothing"
        raise ModelNotFound(f"{folder} is no model folder: it has neither modules.json nor config.json, but {names}")
    check_requirements(folder)
    dtype = as_dtype(kwargs.get("dtype", kwargs.get("torch_dtype", "auto")))
    if not kwargs.get("quantization_config") and "device_map" not in kwargs:  # else what fits is not known before
        check_fits(folder, wanted.device_type, None if dtype == "auto" else dtype)
    try:
        loaded: Loaded = form.read(folder, wanted)
    except (ManysenseError, MemoryError):
        raise
    except Exception as error:  # whatever a broken folder makes json, safetensors, torch or transformers raise
        raise ModelError(f"{folder} cannot be loaded: {type(error).__name__}: {error}") from error
    if not loaded.modules:
        raise ModelError(f"{folder} names no modules")
    return replace(loaded, folder=folder)
