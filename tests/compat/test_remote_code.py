"""Code that comes with a model runs when it is trusted, gets this library, and meets no other code."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from manysense import ModelError, SentenceTransformer, modules
from manysense.checkpoints.foreign import PACKAGE, code_of
from manysense.errors import UntrustedCode
from reference.closeness import assert_close
from twins.samples import TEXTS

THREE = list(TEXTS[:3])

SCALED = """
from sentence_transformers.models import Module
from .scaling import FACTOR

class Scaled(Module):
    config_keys = ["extra"]

    def __init__(self, extra=1.0):
        super().__init__()
        self.extra = extra

    def forward(self, features, **kwargs):
        features["sentence_embedding"] = features["sentence_embedding"] * FACTOR * self.extra
        return features

    def save(self, output_path, *args, safe_serialization=True, **kwargs):
        self.save_config(output_path)
"""

OLD_TRANSFORMER = """
import json, os
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer

class Transformer(nn.Module):
    save_in_root = True

    def __init__(self, model_name_or_path, max_seq_length=None, model_args=None, tokenizer_args=None,
                 config_args=None, do_lower_case=False):
        super().__init__()
        self.config_keys, self.max_seq_length = ["max_seq_length", "do_lower_case"], max_seq_length
        assert model_args["trust_remote_code"] and config_args["trust_remote_code"]
        config = AutoConfig.from_pretrained(model_name_or_path, **config_args)
        self.auto_model = AutoModel.from_pretrained(model_name_or_path, config=config, **model_args)
        self.tokenizer = AutoTokenizer.from_pretrained(model_name_or_path, **tokenizer_args)

    def tokenize(self, texts, padding=True):
        return self.tokenizer(texts, padding=padding, truncation=True, max_length=self.max_seq_length,
                              return_tensors="pt")

    def forward(self, features, adapter=None):
        given = {k: features[k] for k in ("input_ids", "attention_mask")}
        features["token_embeddings"] = self.auto_model(**given).last_hidden_state * (2 if adapter == "twice" else 1)
        return features

    def get_word_embedding_dimension(self):
        return self.auto_model.config.hidden_size

    def save(self, output_path, safe_serialization=True):
        self.auto_model.save_pretrained(output_path, safe_serialization=safe_serialization)
        self.tokenizer.save_pretrained(output_path)
        with open(os.path.join(output_path, "sentence_bert_config.json"), "w") as file:
            json.dump({"max_seq_length": self.max_seq_length}, file)

    @classmethod
    def load(cls, input_path):
        raise AssertionError("modules that take model_args are built from them")
"""


@pytest.fixture
def folder(twin, tmp_path) -> Callable[..., Path]:
    """folder(name, files, **changes) → a model folder with these code files; changes: position in modules.json → the
    entry there, or what to change of it."""

    def make(name: str, files: dict[str, str], entries: dict[int, dict[str, Any]]) -> Path:
        made = Path(shutil.copytree(twin("bert", normalize=False), tmp_path / name))
        for file, text in files.items():
            (made / file).parent.mkdir(exist_ok=True, parents=True)
            (made / file).write_text(text)
        listed = json.loads((made / "modules.json").read_text())
        for i, entry in entries.items():
            if i < len(listed):
                listed[i] |= entry
            else:
                listed.append({"idx": i, "name": str(i), "path": f"{i}_Own", **entry})
        (made / "modules.json").write_text(json.dumps(listed))
        return made

    return make


def load(folder: Path, **kwargs: Any) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu", trust_remote_code=True, **kwargs)


@pytest.fixture
def scaled(folder) -> Callable[..., Path]:
    """scaled(name, factor) → a model whose code multiplies its vectors; its second file says by what."""

    def make(name: str, factor: float) -> Path:
        made = folder(name, {"own.py": SCALED, "scaling.py": f"FACTOR = {factor}\n"}, {2: {"type": "own.Scaled"}})
        (made / "2_Own").mkdir()
        (made / "2_Own" / "config.json").write_text('{"extra": 0.5}')
        return made

    return make


@pytest.fixture
def plain(model) -> np.ndarray:
    return model("bert", normalize=False).encode(THREE)


# ---- modules


def test_a_module_over_a_known_class_is_built_from_its_configuration(scaled, plain):
    made = load(scaled("model", 4.0))
    assert isinstance(made[2], modules.Module)
    assert_close(made.encode(THREE), 2 * plain)


def test_nothing_runs_without_trust(scaled):
    with pytest.raises(UntrustedCode, match=r"own\.Scaled"):
        SentenceTransformer(str(scaled("model", 4.0)), device="cpu")


def test_a_first_module_of_before_the_arguments_of_load_is_built_as_it_expects(folder, plain):
    made = load(folder("model", {"custom_st.py": OLD_TRANSFORMER}, {0: {"type": "custom_st.Transformer"}}))
    assert type(made[0]).__module__.startswith(PACKAGE)
    assert_close(made.encode(THREE), plain)
    assert_close(made.encode("a dog", prompt="query: "), made.encode("query: a dog"))


def test_the_arguments_of_the_caller_reach_such_a_module(folder):
    place = folder("model", {"custom_st.py": OLD_TRANSFORMER}, {0: {"type": "custom_st.Transformer"}})
    made = load(place, model_kwargs={"dtype": "bfloat16"}, processor_kwargs={"model_max_length": 7})
    assert (str(made.dtype), made.tokenizer.model_max_length) == ("torch.bfloat16", 7)


def test_an_old_load_gets_the_folder_of_its_module(folder):
    code = (
        "from torch import nn\n"
        "class Own(nn.Module):\n"
        "    def forward(self, features): return features\n"
        "    @classmethod\n"
        "    def load(cls, input_path): made = cls(); made.got = input_path; return made\n"
    )
    made = folder("model", {"own.py": code, "2_Own/config.json": "{}"}, {2: {"type": "own.Own"}})
    assert Path(load(made)[2].got).samefile(made / "2_Own")


def test_arguments_that_modules_json_lists_reach_the_module(folder, plain):
    entry = {"type": "custom_st.Transformer", "kwargs": ["adapter"]}
    made = load(folder("model", {"custom_st.py": OLD_TRANSFORMER}, {0: entry}))
    assert made.get_model_kwargs() == ["adapter"]
    assert_close(made.encode(THREE, adapter="twice"), 2 * plain)


def test_a_first_module_may_be_a_known_one_with_a_forward_of_its_own(folder, plain):
    code = (
        "from sentence_transformers.models import Transformer\n"
        "class Twice(Transformer):\n"
        "    def forward(self, features, **kwargs):\n"
        "        features = super().forward(features, **kwargs)\n"
        "        features['token_embeddings'] = features['token_embeddings'] * 2\n"
        "        return features\n"
    )
    assert_close(load(folder("model", {"own.py": code}, {0: {"type": "own.Twice"}})).encode(THREE), 2 * plain)


def test_a_first_module_may_prepare_its_inputs_itself(folder, plain):
    code = (
        "from sentence_transformers.models import Transformer\n"
        "class Shouted(Transformer):\n"
        "    def tokenize(self, texts, **kwargs):\n"
        "        return self.tokenizer([text.replace('!', '') for text in texts], return_tensors='pt')\n"
    )
    made = load(folder("model", {"own.py": code}, {0: {"type": "own.Shouted"}}))
    assert_close(made.encode([f"!{text}!" for text in THREE]), plain)


def test_load_gets_what_the_known_library_gives_it(folder):
    code = (
        "from sentence_transformers.models import Module\n"
        "class Own(Module):\n"
        "    def forward(self, features): return features\n"
        "    @classmethod\n"
        "    def load(cls, model_name_or_path, subfolder='', token=None, trust_remote_code=False, model_kwargs=None):\n"
        "        made = cls()\n"
        "        config = cls.load_config(model_name_or_path, subfolder)\n"
        "        made.got = (subfolder, trust_remote_code, model_kwargs, config)\n"
        "        return made\n"
    )
    made = folder("model", {"own.py": code, "2_Own/config.json": '{"a": 1}'}, {2: {"type": "own.Own"}})
    assert load(made, model_kwargs={"dtype": "float32"})[2].got == ("2_Own", True, {"dtype": "float32"}, {"a": 1})


def test_weights_of_an_own_module_are_saved_and_read(folder, tmp_path):
    code = (
        "import torch\n"
        "from sentence_transformers.models import Module\n"
        "class Own(Module):\n"
        "    def __init__(self):\n"
        "        super().__init__(); self.shift = torch.nn.Parameter(torch.rand(32))\n"
        "    def forward(self, features):\n"
        "        features['sentence_embedding'] = features['sentence_embedding'] + self.shift; return features\n"
        "    def save(self, output_path, safe_serialization=True): self.save_torch_weights(output_path)\n"
        "    @classmethod\n"
        "    def load(cls, name, subfolder='', **kwargs):\n"
        "        found = cls.load_file_path(name, 'model.safetensors', subfolder)\n"
        "        return cls.load_torch_weights(name, subfolder, model=cls()) if found else cls()\n"
    )
    made = load(folder("model", {"own.py": code}, {2: {"type": "own.Own"}}))
    made.save(str(tmp_path / "saved"))
    np.testing.assert_array_equal(load(tmp_path / "saved").encode(THREE), made.encode(THREE))


# ---- whose names these are


def test_the_code_of_two_folders_with_equal_file_names_never_meets(scaled, plain):
    one, two = load(scaled("one", 4.0)), load(scaled("two", 6.0))
    assert type(one[2]) is not type(two[2])
    assert_close(one.encode(THREE), 2 * plain)
    assert_close(two.encode(THREE), 3 * plain)


def test_code_that_changes_on_the_disk_changes_nothing_that_is_loaded(scaled, plain):
    place = scaled("model", 4.0)
    before = load(place)
    (place / "scaling.py").write_text("FACTOR = 6.0\n")
    assert_close(load(place).encode(THREE), 3 * plain)
    assert_close(before.encode(THREE), 2 * plain)


def test_the_code_gets_this_library_and_the_rest_of_the_program_what_it_has(folder, monkeypatch):
    theirs = ModuleType("sentence_transformers")
    monkeypatch.setitem(sys.modules, "sentence_transformers", theirs)
    code = (
        "import sentence_transformers, sentence_transformers.util as short\n"
        "from sentence_transformers import models, util\n"
        "from sentence_transformers.losses import CoSENTLoss\n"
        "from torch import nn\n"
        "class Own(nn.Module):\n"
        "    def forward(self, features):\n"
        "        from sentence_transformers import SentenceTransformer\n"
        "        self.late = SentenceTransformer\n"
        "        return features\n"
        "SEEN = (sentence_transformers.SentenceTransformer, short.cos_sim, models.Pooling, util.cos_sim,\n"
        "        sentence_transformers.__version__)\n"
    )
    made = load(folder("model", {"own.py": code}, {2: {"type": "own.Own"}}))
    made.encode(THREE)
    from manysense.util import cos_sim

    seen = sys.modules[type(made[2]).__module__].SEEN
    assert seen == (SentenceTransformer, cos_sim, modules.Pooling, cos_sim, "6.2.0")
    assert made[2].late is SentenceTransformer
    assert sys.modules["sentence_transformers"] is theirs
    assert not vars(theirs).get("util")


def test_files_in_packages_of_the_folder_find_each_other(folder, plain):
    files = {
        "parts/__init__.py": "from .inner import Inner\n",
        "parts/inner.py": "from torch import nn\nfrom ..top import CONSTANT\n"
        "class Inner(nn.Module):\n"
        "    def forward(self, f): f['sentence_embedding'] = f['sentence_embedding'] * CONSTANT; return f\n",
        "top.py": "CONSTANT = 5.0\n",
    }
    assert_close(load(folder("model", files, {2: {"type": "parts.Inner"}})).encode(THREE), 5 * plain)


def test_code_may_lie_in_another_folder(folder, tmp_path, plain):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "own.py").write_text(SCALED)
    (tmp_path / "elsewhere" / "scaling.py").write_text("FACTOR = 7.0\n")
    made = load(folder("model", {}, {2: {"type": f"{tmp_path / 'elsewhere'}--own.Scaled"}}))
    assert_close(made.encode(THREE), 7 * plain)


def test_code_in_the_folder_of_its_module_is_found(folder, plain):
    files = {"2_Own/own.py": SCALED, "2_Own/scaling.py": "FACTOR = 8.0\n"}
    assert_close(load(folder("model", files, {2: {"type": "own.Scaled"}})).encode(THREE), 8 * plain)


# ---- saving


def test_a_saved_model_brings_its_code(scaled, tmp_path, plain):
    place = scaled("model", 4.0)
    made = load(place)
    shutil.rmtree(place)
    made.save(str(tmp_path / "saved"))
    assert (tmp_path / "saved" / "own.py").read_text() == SCALED
    listed = json.loads((tmp_path / "saved" / "modules.json").read_text())
    assert listed[2]["type"] == "own.Scaled"
    assert_close(load(tmp_path / "saved").encode(THREE), 2 * plain)


def test_a_first_module_of_the_model_is_saved_with_its_code(folder, tmp_path, plain):
    entry = {"type": "custom_st.Transformer", "kwargs": ["adapter"]}
    load(folder("model", {"custom_st.py": OLD_TRANSFORMER}, {0: entry})).save(str(tmp_path / "saved"))
    made = load(tmp_path / "saved")
    assert_close(made.encode(THREE), plain)
    assert made.get_model_kwargs() == ["adapter"]


def test_a_class_of_an_installed_package_brings_no_files():
    assert code_of(modules.Pooling) is None
    assert code_of(dict) is None


# ---- other processes


UNPICKLE = """
import pickle, sys
import numpy as np
try:
    model = pickle.load(open(sys.argv[1], "rb"))
except ImportError as error:
    sys.exit(str(error))
np.save(sys.argv[2], model.encode(["a dog"]))
"""


def unpickled(file: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", UNPICKLE, str(file), str(out)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_a_pickled_model_finds_its_code_in_another_process_unless_it_has_changed(scaled, tmp_path):
    place = scaled("model", 4.0)
    made = load(place)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(made))
    done = unpickled(tmp_path / "model.pickle", tmp_path / "rows.npy")
    assert done.returncode == 0, done.stderr
    assert_close(np.load(tmp_path / "rows.npy"), made.encode(["a dog"]))
    (place / "scaling.py").write_text("FACTOR = 6.0\n")
    done = unpickled(tmp_path / "model.pickle", tmp_path / "rows.npy")
    assert "has changed since the model was loaded" in done.stderr


# ---- what goes wrong


@pytest.mark.parametrize(
    ("name", "files", "told"),
    [
        ("own.Missing", {"own.py": ""}, "has no attribute 'Missing'"),
        ("own.Function", {"own.py": "def Function(): pass\n"}, "is no class of torch.nn.Module"),
        ("own.Own", {"own.py": "class Own:\n    def forward(self, f): return f\n"}, "is no class of torch.nn.Module"),
        ("own.Own", {"own.py": "class Own(:\n"}, "cannot be imported"),
        ("own.Own", {"own.py": "from .lost import x\n"}, "lost"),
        ("own.Own", {"own.py": "raise RuntimeError('broken on purpose')\n"}, "broken on purpose"),
        ("own.Own", {"own.py": "from sentence_transformers.models import NoSuch\n"}, "NoSuch"),
        ("nowhere/at/all--own.Own", {}, "could not be fetched"),
        ("nofile.Own", {}, "nofile"),
    ],
)
def test_code_that_does_not_work_is_a_model_error_that_says_why(folder, name, files, told):
    with pytest.raises(ModelError, match=told):
        load(folder("model", files, {2: {"type": name}}))


def test_a_file_that_another_folder_lacks_is_named(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(ModelError, match=r"has no file own\.py"):
        load(folder("model", {}, {2: {"type": f"{tmp_path / 'elsewhere'}--own.Scaled"}}))
