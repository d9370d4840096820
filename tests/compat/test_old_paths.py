"""Every name of the known library can be imported from every path that it has or had; what is missing says so at use.

Knows: the table of compat/. Does not know: what the names do.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import subprocess
import sys
from abc import ABC
from pathlib import Path
from typing import Any

import known_tree
import pytest

import manysense
from manysense import SentenceTransformer, compat, modules, util
from manysense.checkpoints.card import CrossEncoderModelCardData
from manysense.checkpoints.requirements import STANDS_FOR
from manysense.compat.doors import Door
from manysense.compat.later import Later
from manysense.compat.table import VERSION, known
from manysense.errors import NotSupported
from manysense.modules import words

STUB = "manysense.compat.sentence_transformers"
PATHS = sorted({*known().defined, *known().old})


def below(root: str, path: str) -> Any:
    return importlib.import_module(f"{root}.{path}" if path else root)


# ---- the table


def test_the_table_is_what_the_known_library_offers():
    try:
        installed = importlib.metadata.version("sentence-transformers")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("sentence-transformers is not installed")
    assert installed == VERSION
    assert (Path(compat.__file__).parent / "known.txt").read_text(encoding="utf-8") == known_tree.page()


def test_one_version_is_stood_for():
    assert {"sentence-transformers": VERSION} == STANDS_FOR


@pytest.mark.parametrize(
    ("path", "today"),
    [
        ("models", "sentence_transformer.modules"),
        ("models.pooling", "sentence_transformer.modules.pooling"),
        ("models.Transformer", "base.modules.transformer"),
        ("losses.MSELoss", "sentence_transformer.losses.mse"),
        ("util", "util"),
        ("utils", None),
        ("losses.MSELoss.more", None),
    ],
)
def test_an_old_module_is_one_of_today(path, today):
    assert known().today(path) == today


@pytest.mark.parametrize(
    ("path", "name", "definer"),
    [
        ("", "SentenceTransformer", "sentence_transformer.model"),
        ("losses", "MarginMSELoss", "sentence_transformer.losses.margin_mse"),
        ("cross_encoder.losses", "MarginMSELoss", "cross_encoder.losses.margin_mse"),
        ("training_args", "BatchSamplers", "base.sampler"),
        ("evaluation.MSEEvaluator", "SentenceEvaluator", "base.evaluation.evaluator"),  # as that module imports it
        ("util", "semantic_search_faiss", None),
        ("evaluation.MSEEvaluator", "NoSuchName", None),
    ],
)
def test_a_name_is_defined_in_one_place(path, name, definer):
    assert known().definer(path, name) == definer


# ---- every path


def test_every_name_resolves_below_the_stub():
    for path in PATHS:
        module = below(STUB, path)
        lost = [name for name in known().names(path) if not hasattr(module, name)]
        assert not lost, f"{module.__name__} lacks {lost}"


def test_every_name_resolves_below_the_package():
    for path in PATHS:
        module = below("manysense", path)
        if isinstance(module, Door) or hasattr(module, "__path__"):  # else one file of ours with more, or less, in it
            lost = [name for name in known().names(path) if not hasattr(module, name)]
            assert not lost, f"{module.__name__} lacks {lost}"


def test_every_name_can_be_imported_as_a_program_writes_it():
    for path in ("", "losses", "losses.MSELoss", "cross_encoder.losses", "models", "util", "training_args"):
        for name in known().names(path):
            exec(f"from {STUB}{'.' if path else ''}{path} import {name}")  # noqa: S102


def test_every_name_at_the_top_is_the_one_from_its_module():
    for name in known().names(""):
        home = below("manysense", known().definer("", name))
        assert getattr(manysense, name) is getattr(home, name)


def test_names_that_are_here_are_the_real_ones():
    from manysense.base.modules.dense import Dense
    from manysense.models import Asym, CLIPModel, Module, Pooling, Transformer
    from manysense.models.tokenizer import WordTokenizer
    from manysense.quantization import quantize_embeddings
    from manysense.similarity_functions import SimilarityFunction
    from manysense.util.retrieval import semantic_search

    assert (Asym, Dense, Module, Pooling) == (modules.Asym, modules.Dense, modules.Module, modules.Pooling)
    assert Transformer is CLIPModel is modules.Transformer
    assert WordTokenizer is words.WordTokenizer
    assert quantize_embeddings is util.quantize_embeddings
    assert SimilarityFunction is manysense.SimilarityFunction
    assert semantic_search is util.semantic_search


def test_a_missing_name_is_one_thing_from_every_path():
    from manysense.losses import MSELoss
    from manysense.losses.MSELoss import MSELoss as Once
    from manysense.sentence_transformer.losses.mse import MSELoss as Now

    assert MSELoss is Once is Now


def test_a_star_brings_the_public_names():
    names: dict[str, Any] = {}
    exec("from manysense.losses import *", names)  # noqa: S102
    assert known().names("losses") <= set(names)


def test_a_submodule_is_an_attribute_without_being_imported():
    script = "import manysense; manysense.evaluation.TripletEvaluator; manysense.models.tokenizer.WordTokenizer"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_a_class_stays_where_an_old_module_has_its_name():
    from manysense.cross_encoder.CrossEncoder import CrossEncoder
    from manysense.SentenceTransformer import SentenceTransformer as FromOldModule

    assert FromOldModule is SentenceTransformer is manysense.SentenceTransformer
    assert manysense.cross_encoder.CrossEncoder is CrossEncoder is manysense.CrossEncoder


@pytest.mark.parametrize("name", ["manysense.nothing", "manysense.losses.nothing", "manysense.losses.MSELoss.nothing"])
def test_an_unknown_module_is_not_found(name):
    with pytest.raises(ModuleNotFoundError, match=name):
        importlib.import_module(name)


def test_an_unknown_name_is_not_found():
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        from manysense.losses import Nothing  # noqa: F401


def test_a_reranker_is_found_under_every_path_that_it_has_or_had():
    from manysense.modules.logit_score import LogitScore

    for root in ("manysense", STUB):
        for path in ("", "cross_encoder", "cross_encoder.model", "cross_encoder.CrossEncoder"):
            assert below(root, path).CrossEncoder is manysense.CrossEncoder
        assert below(root, "cross_encoder.modules").LogitScore is LogitScore
        assert below(root, "cross_encoder.modules.logit_score").LogitScore is LogitScore
        assert below(root, "cross_encoder").CrossEncoderModelCardData is CrossEncoderModelCardData


@pytest.mark.parametrize(
    "name", ["losses.LambdaLoss", "CrossEncoderTrainer", "evaluation.CrossEncoderRerankingEvaluator"]
)
def test_training_and_evaluation_of_rerankers_say_that_they_are_to_come(name):
    module, _, last = f"cross_encoder.{name}".rpartition(".")
    with pytest.raises(NotSupported, match=f"manysense has no {last}: (training|evaluation) is still to come"):
        getattr(below("manysense", module), last)()


def test_missing_names_are_not_shown_as_public():
    assert not (known().names("") - {"CrossEncoder", "SentenceTransformer", "SimilarityFunction"}) & set(dir(manysense))
    assert manysense.SentenceTransformerTrainer
    assert "SentenceTransformerTrainer" not in vars(manysense)


def test_importing_the_package_reads_no_table():
    script = "import sys, manysense; sys.exit(any(name.startswith('manysense.') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0


def test_missing_names_load_nothing_heavy():
    script = (
        "import sys; from manysense.losses import MSELoss; from manysense import SparseEncoder, compat;"
        "sys.exit(bool({'torch', 'numpy', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0


def test_compat_shows_two_functions():
    assert compat.__all__ == ["install", "uninstall"]


# ---- at use


@pytest.fixture
def missing() -> Any:
    from manysense.losses import MSELoss

    return MSELoss


@pytest.mark.parametrize(
    "use",
    [
        lambda name: name(),
        lambda name: name.something,
        lambda name: type("Own", (name,), {}),
        lambda name: list(name),
        lambda name: "one" in name,
        lambda name: name[0],
    ],
    ids=["call", "attribute", "subclass", "iterate", "contains", "index"],
)
def test_using_a_missing_name_says_what_is_missing_and_what_to_do(missing, use):
    with pytest.raises(NotSupported, match=r"manysense has no MSELoss: training is still to come\n.*a folder that it"):
        use(missing)


def test_the_error_is_what_a_caller_would_catch(missing):
    assert not hasattr(missing, "something")
    with pytest.raises(NotImplementedError):
        missing()


def test_nothing_is_an_instance_of_a_missing_name(missing):
    assert not isinstance(SentenceTransformer, missing)
    assert not isinstance(3, (missing, str))
    assert not issubclass(int, missing)


def test_a_missing_name_may_stand_in_annotations(missing):
    assert (missing | None).__args__ == (missing, type(None))
    assert list[missing].__args__ == (missing,)


def test_every_missing_name_has_a_way_out():
    for value in [getattr(below(STUB, path), name) for path in PATHS for name in known().names(path)]:
        if isinstance(value, Later):
            first, second = value.says.split("\n")
            assert first.startswith(f"manysense has no {value.__name__}: ")
            assert second.strip().endswith(".")


# ---- in the code of others


@pytest.fixture
def patient() -> Any:
    return below(STUB, "losses").MSELoss


def test_code_of_others_may_subclass_a_missing_name(patient):
    class Own(patient, ABC):
        answer = 42

    assert Own.answer == 42
    with pytest.raises(NotSupported, match="no MSELoss"):
        Own()


def test_code_of_others_may_name_a_member_of_a_missing_name(patient):
    inner = patient.Distance.COSINE
    assert inner is patient.Distance.COSINE
    with pytest.raises(NotSupported, match="no MSELoss"):
        inner(1, 2)
