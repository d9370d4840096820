"""What importing costs, and what it does not pull in. Each import is seen in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "numpy", "tokenizers", "safetensors", "huggingface_hub", "PIL", "av", "soundfile"}
UNUSED = ["transformers.trainer", "datasets", "sklearn", "scipy", "torchvision", "torchcodec", "librosa", "pandas"]
UNUSED += ["accelerate", "peft", "sentence_transformers"]


def loaded_by(statement: str) -> tuple[set[str], float]:
    """Names of all modules that a fresh interpreter has after `statement`, and the CPU seconds it took."""
    script = (
        "import json, sys, time; start = time.process_time()\n"
        f"{statement}\n"
        "print(json.dumps([time.process_time() - start, sorted(sys.modules)]))"
    )
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=os.environ, timeout=120)
    assert made.returncode == 0, made.stderr
    seconds, names = json.loads(made.stdout.splitlines()[-1])
    return set(names), seconds


@pytest.fixture(scope="module")
def package():
    return loaded_by("import manysense; manysense.__version__, dir(manysense)")


@pytest.fixture(scope="module")
def facade():
    return loaded_by("from manysense import SentenceTransformer")


def test_importing_the_package_loads_nothing_heavy(package):
    assert not package[0] & HEAVY


def test_importing_the_package_takes_under_a_tenth_of_a_second(package):
    assert package[1] < 0.1


def test_looking_at_names_of_the_package_loads_nothing_heavy():
    names, _ = loaded_by("import manysense; manysense.Text('a'); manysense.ItemError; manysense.Policy()")
    assert not names & HEAVY


@pytest.mark.parametrize("name", UNUSED)
def test_the_facade_pulls_in_no_foreign_package(facade, name):
    assert not [module for module in facade[0] if module == name or module.startswith(name + ".")]


BLOCK = """
import sys
class Without:
    def __init__(self, inner): self.inner = inner
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in {names!r} else self.inner.find_spec(name, path, target)
    def __getattr__(self, name): return getattr(self.inner, name)
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""


@pytest.mark.slow
def test_texts_pictures_sounds_and_videos_are_embedded_without_any_of_them(twin, samples):
    names = sorted({name for name in UNUSED if "." not in name})
    lines = [BLOCK.format(names=names), "from manysense import SentenceTransformer as S"]
    for model, inputs in (("clip", ["red_circle.png"]), ("clap", ["chime.wav"]), ("qwen3_vl", ["bouncing_ball.mp4"])):
        files = ["a text", *(str(samples / name) for name in inputs)]
        lines += [f"assert len(S({str(twin(model))!r}, device='cpu').encode({files!r}, on_truncate='ignore')) == 2"]
    assert not {name.partition(".")[0] for name in loaded_by("\n".join(lines))[0]} & set(names)
