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


@pytest.mark.parametrize("name", UNUSED)
def test_embedding_text_pulls_in_no_foreign_package(embedding, name):
    assert not [module for module in embedding if module == name or module.startswith(name + ".")]


@pytest.fixture(scope="module")
def embedding(twin, samples):
    """What is loaded after texts, a picture and a sound were embedded."""
    lines = [f"from manysense import SentenceTransformer as S; m = S({str(twin('clip'))!r}, device='cpu')"]
    lines += [f"m.encode(['a', {str(samples / 'red_circle.png')!r}])"]
    lines += [f"S({str(twin('clap'))!r}, device='cpu').encode([{str(samples / 'chime.wav')!r}])"]
    return loaded_by("; ".join(lines))[0]
