"""install() lets other libraries' `import sentence_transformers` give this library. Each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PEER = "VALUE = 'the real package'\nfrom . import inner\n"


def run(*lines: str, path: Path = HERE) -> Any:
    """The JSON value that these lines print in a fresh interpreter. path: in front of its import path."""
    script = "\n".join(["import json, sys", "from manysense import compat", *lines])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(path), os.environ.get("PYTHONPATH", "")])}
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env, timeout=120)
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)


@pytest.fixture(scope="module")
def peer(tmp_path_factory) -> Path:
    """A folder with a package of the known library's name, as an installed one is."""
    folder = tmp_path_factory.mktemp("peer")
    (folder / "sentence_transformers").mkdir()
    (folder / "sentence_transformers" / "__init__.py").write_text(PEER)
    (folder / "sentence_transformers" / "inner.py").write_text("")
    return folder


@pytest.fixture(scope="module")
def seen(twin) -> dict[str, Any]:
    """What a program sees that installs, then imports a library."""
    return run(
        "compat.install(); compat.install()",
        "import as_libraries_do as library, manysense, pickle, sentence_transformers",
        "from importlib.metadata import distribution, packages_distributions",
        f"model = manysense.SentenceTransformer({str(twin('bert'))!r}, device='cpu')",
        "texts = ['a red circle', 'the history of France']",
        "seen = dict(same=library.SentenceTransformer is manysense.SentenceTransformer, found=library.FOUND)",
        "seen |= dict(versions=library.VERSIONS, chosen=library.backend(model))",
        "seen |= dict(nearest=library.nearest(model, texts[1], texts))",
        "seen['distribution'] = distribution('sentence-transformers').metadata['Name']",
        "seen['providers'] = packages_distributions()['sentence_transformers'][0]",
        "seen['pickle'] = pickle.dumps(type(model)).decode('latin1')",
        "seen['width'] = library.static([[1.0, 2.0]] * 5000, model.tokenizer).encode('a').shape",
        "seen['head'] = library.Head(2, 3).in_features",
        f"judge = manysense.CrossEncoder({str(twin('labeller'))!r}, device='cpu')",
        "seen['best'] = library.best(judge, 'red dog', texts)",
        "seen['ranked'] = [hit['corpus_id'] for hit in judge.rank('red dog', texts)][0]",
        "seen['judge'] = str(type(judge))",
        "try: library.Trainer()",
        "except NotImplementedError as error: seen['trainer'] = str(error)",
        "compat.uninstall(); compat.uninstall()",
        "seen['after'] = str(type(model))",
        "seen['left'] = [name for name in sys.modules if name.startswith('sentence_transformers')]",
        "print(json.dumps(seen))",
    )


def test_libraries_get_the_classes_of_this_library(seen):
    assert seen["same"]
    assert seen["nearest"] == 1
    assert seen["width"] == [2]
    assert seen["head"] == 2


def test_libraries_that_look_for_the_name_of_the_class_find_it(seen):
    assert seen["chosen"] == "the model itself"
    assert "sentence_transformers" not in seen["after"]


def test_a_pickled_model_can_be_read_where_nothing_is_installed(seen, twin):
    assert "manysense.compat.sentence_transformers" in seen["pickle"]
    name = run(
        "from manysense.compat.sentence_transformers import SentenceTransformer as S", "print(json.dumps(str(S)))"
    )
    assert name == "<class 'manysense.sentence_transformer.model.SentenceTransformer'>"


def test_libraries_find_the_reranker_and_its_name(seen):
    assert seen["best"] == seen["ranked"]
    assert "sentence_transformers" in seen["judge"]


def test_libraries_see_a_version(seen):
    assert seen["found"]
    assert set(seen["versions"]) == {"6.2.0"}
    assert seen["distribution"] == seen["providers"] == "sentence-transformers"


def test_a_class_over_a_missing_one_says_so_when_it_is_made(seen):
    assert seen["trainer"].startswith("manysense has no SentenceTransformerTrainer: training is still to come")


def test_nothing_is_left_after_uninstalling(seen):
    assert seen["left"] == []


def test_the_installed_package_is_there_again_after_uninstalling(peer):
    got = run(
        "compat.install(); import sentence_transformers as ours",
        "compat.uninstall(); import sentence_transformers as theirs",
        "print(json.dumps([ours.__version__, theirs.VALUE, 'VALUE' in dir(ours)]))",
        path=peer,
    )
    assert got == ["6.2.0", "the real package", False]


def test_installing_over_an_imported_package_is_refused_with_the_way_out(peer):
    told, value = run(
        "import sentence_transformers",
        "try: compat.install()",
        "except ValueError as error: told = str(error)",
        "import sentence_transformers.inner",
        "print(json.dumps([told, sentence_transformers.VALUE]))",
        path=peer,
    )
    assert told.startswith("sentence_transformers is already imported, from ")
    assert "Call manysense.compat.install() first" in told
    assert value == "the real package"


def test_many_threads_may_install_and_import_at_once():
    got = run(
        "import threading, importlib",
        "names = ['', '.util', '.losses', '.models', '.models.Pooling', '.evaluation', '.base', '.util']",
        "together, made, wrong = threading.Barrier(len(names)), [], []",
        "def one(name):",
        "    together.wait()",
        "    try: compat.install(); made.append(importlib.import_module('sentence_transformers' + name).__name__)",
        "    except BaseException as error: wrong.append(repr(error))",
        "threads = [threading.Thread(target=one, args=(name,)) for name in names]",
        "[t.start() for t in threads]; [t.join() for t in threads]",
        "ours = [finder for finder in sys.meta_path if type(finder).__module__ == 'manysense.compat.installed']",
        "print(json.dumps([wrong, len(made), len(ours)]))",
    )
    assert got == [[], 8, 1]
