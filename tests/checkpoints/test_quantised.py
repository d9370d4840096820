"""`model_kwargs={"quantization_config": …}`: it reaches transformers; what comes back is used, saved and read again.

The quantiser here is registered with transformers as a package would register its own. It rounds weights, and needs no
package. bitsandbytes and torchao are tried where they are installed.
"""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch
from transformers.quantizers import HfQuantizer, auto
from transformers.utils.quantization_config import QuantizationConfigMixin

from manysense import ModelError, SentenceTransformer
from manysense.checkpoints import memory
from manysense.errors import MissingExtra, NotEnoughMemory

TEXTS = ["a red circle", "two dogs in the snow"]


class RoundedConfig(QuantizationConfigMixin):
    def __init__(self, step: float = 0.25, written: bool = True, **kwargs) -> None:
        self.quant_method, self.step, self.written = "rounded", step, written


class Rounded(HfQuantizer):
    """Linear weights → the nearest multiple of `step`. written: whether that has a form on the disk."""

    maps: list = []  # noqa: RUF012  the device_map of each load

    def update_device_map(self, device_map):
        self.maps.append(device_map)
        return device_map

    def _process_model_after_weight_loading(self, model, **kwargs):
        step = self.quantization_config.step
        for module in model.modules():
            if isinstance(module, torch.nn.Linear):
                module.weight.data = (module.weight.data / step).round() * step

    def is_serializable(self):
        return self.quantization_config.written

    @property
    def is_trainable(self):
        return False


@pytest.fixture
def rounded(monkeypatch):
    """The configuration's class; while the test runs, transformers knows it."""
    monkeypatch.setitem(auto.AUTO_QUANTIZATION_CONFIG_MAPPING, "rounded", RoundedConfig)
    monkeypatch.setitem(auto.AUTO_QUANTIZER_MAPPING, "rounded", Rounded)
    monkeypatch.setattr(Rounded, "maps", [])
    return RoundedConfig


def load(folder, config, **kwargs):
    return SentenceTransformer(str(folder), device="cpu", model_kwargs={"quantization_config": config, **kwargs})


def weight(model):
    return model[0].model.encoder.layer[0].attention.self.query.weight


# ---- any quantiser


def test_the_configuration_reaches_transformers(rounded, twin):
    coarse = load(twin("bert"), rounded(step=0.5))
    assert set((weight(coarse) * 2 % 1).unique().tolist()) == {0.0}
    fine, plain = load(twin("bert"), rounded(step=2.0**-12)), SentenceTransformer(str(twin("bert")), device="cpu")
    expected = plain.encode(TEXTS)
    np.testing.assert_allclose(fine.encode(TEXTS), expected, atol=0.02)
    assert np.abs(coarse.encode(TEXTS) - expected).max() > 0.02


def test_a_quantised_model_that_was_saved_loads_again_without_the_argument(rounded, twin, tmp_path):
    model = load(twin("bert"), rounded(step=0.5))
    model.save_pretrained(tmp_path / "saved")
    again = SentenceTransformer(str(tmp_path / "saved"), device="cpu")
    assert again.config.quantization_config.step == 0.5
    np.testing.assert_array_equal(again.encode(TEXTS), model.encode(TEXTS))


def test_a_quantised_model_without_a_form_on_the_disk_is_not_saved_and_leaves_nothing(rounded, twin, tmp_path):
    model = load(twin("bert"), rounded(written=False))
    with pytest.raises(ModelError, match="the network cannot be saved: The model is quantized with rounded"):
        model.save_pretrained(tmp_path / "saved")
    assert list((tmp_path / "saved").iterdir()) == []


def test_the_memory_that_a_quantised_model_takes_is_not_judged_by_its_folder(rounded, twin, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda device_type="cpu": memory.needed_bytes(twin("bert")) // 2)
    with pytest.raises(NotEnoughMemory):
        SentenceTransformer(str(twin("bert")), device="cpu")
    load(twin("bert"), rounded())


def test_a_dtype_is_taken_together_with_a_quantiser(rounded, twin):
    assert load(twin("bert"), rounded(step=0.5), dtype="bfloat16").dtype == torch.bfloat16


def test_the_device_is_named_where_a_quantiser_would_choose_another(rounded, twin, monkeypatch):
    load(twin("bert"), rounded())
    monkeypatch.setattr("manysense.modules.transformer.folder.best_device", lambda: "cuda")
    load(twin("bert"), rounded())
    load(twin("bert"), rounded(), device_map={"": torch.device("cpu")})
    plain, named, own = Rounded.maps
    assert plain is None
    assert named in ({"": "cpu"}, {"": torch.device("cpu")})
    assert own == {"": torch.device("cpu")}


def test_a_quantiser_that_nobody_knows_is_a_model_error_that_names_those_that_are(twin):
    with pytest.raises(ModelError, match=r"Unknown quantization type, got nosuch.*bitsandbytes"):
        load(twin("bert"), {"quant_method": "nosuch"})


# ---- packages


METHODS = {
    "bitsandbytes": {"quant_method": "bitsandbytes", "load_in_8bit": True},
    "optimum.quanto": {"quant_method": "quanto", "weights": "int8"},
    "torchao": {"quant_method": "torchao", "quant_type": {"default": {"_type": "Int8WeightOnlyConfig", "_data": {}}}},
}


def installed(package: str) -> bool:
    return importlib.util.find_spec(package.partition(".")[0]) is not None


@pytest.mark.parametrize("package", METHODS)
def test_without_the_package_the_error_says_which_one_to_install(twin, package):
    if installed(package):
        pytest.skip(f"{package} is installed")
    with pytest.raises(MissingExtra, match=rf"a package is missing: (?s:.*)pip install .*{package.replace('.', '-')}"):
        load(twin("bert"), METHODS[package])


def test_a_folder_that_is_quantised_says_which_package_it_needs(broken, edit):
    if installed("bitsandbytes"):
        pytest.skip("bitsandbytes is installed")
    folder = broken()
    edit(folder / "config.json", quantization_config=METHODS["bitsandbytes"])
    with pytest.raises(MissingExtra, match="pip install -U bitsandbytes"):
        SentenceTransformer(str(folder), device="cpu")


def bitsandbytes(**kwargs):
    pytest.importorskip("bitsandbytes")
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(**kwargs)


def torchao():
    quantization = pytest.importorskip("torchao.quantization")
    from transformers import TorchAoConfig

    return TorchAoConfig(quantization.Int8WeightOnlyConfig())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "tolerance"),
    [
        (lambda: bitsandbytes(load_in_8bit=True), 0.1),
        (lambda: bitsandbytes(load_in_4bit=True), 0.5),
        (torchao, 0.1),
    ],
    ids=["bitsandbytes, 8 bits", "bitsandbytes, 4 bits", "torchao, 8 bits"],
)
def test_a_model_quantised_by_a_package_encodes_is_saved_and_loads_again(twin, tmp_path, config, tolerance):
    model = load(twin("bert"), config())
    assert type(weight(model)) is not torch.nn.Parameter
    vectors = model.encode(TEXTS)
    expected = SentenceTransformer(str(twin("bert")), device="cpu").encode(TEXTS)
    assert 0 < np.abs(vectors - expected).max() < tolerance
    model.save_pretrained(tmp_path / "saved")
    again = SentenceTransformer(str(tmp_path / "saved"), device="cpu")
    assert type(weight(again)) is type(weight(model))
    np.testing.assert_allclose(again.encode(TEXTS), vectors, atol=1e-6)
