"""`python -m manysense.compat check` says of each use in a script whether it is covered, and runs nothing of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from manysense import CrossEncoder, SentenceTransformer
from manysense.compat.__main__ import app
from manysense.compat.reading import uses
from manysense.compat.table import known
from manysense.compat.verdicts import verdicts


def check(source: str) -> list[tuple[int, str, str]]:
    return [(one.line, one.use, one.status) for use in uses(source) for one in verdicts(use)]


def uncovered(source: str) -> dict[str, str]:
    return {use: status for _, use, status in check(source) if status != "covered"}


# ---- imports


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("import sentence_transformers", "covered"),
        ("import sentence_transformers.models as m", "covered"),
        ("import sentence_transformers.no_such", "unknown"),
        ("from sentence_transformers import SentenceTransformer", "covered"),
        ("from sentence_transformers import __version__", "covered"),
        ("from sentence_transformers import util", "covered"),
        ("from sentence_transformers import CrossEncoder", "covered"),
        ("from sentence_transformers import CrossEncoderTrainer", "not yet"),
        ("from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss", "not yet"),
        ("from sentence_transformers.cross_encoder.modules import LogitScore", "covered"),
        ("from sentence_transformers import mine_hard_negatives", "not yet"),
        ("from sentence_transformers import no_such", "unknown"),
        ("from sentence_transformers.models import Pooling as P", "covered"),
        ("from sentence_transformers.models import CLIPModel", "differs"),
        ("from sentence_transformers.losses.MSELoss import MSELoss", "not yet"),
        ("from sentence_transformers.losses import *", "covered"),
        ("import importlib; importlib.import_module('sentence_transformers.util')", "covered"),
        ("try:\n    import sentence_transformers\nexcept ImportError:\n    pass", "covered"),
    ],
)
def test_an_import_is_judged(line, status):
    assert [found for _, _, found in check(line)] == [status]


@pytest.mark.parametrize(
    "line",
    [
        "import transformers",
        "from .sentence_transformers import SentenceTransformer",
        "from sentence_transformers_extra import SentenceTransformer",
        "sentence_transformers = 3\nsentence_transformers.real",
        "# from sentence_transformers import CrossEncoder",
        "'from sentence_transformers import CrossEncoder'",
    ],
)
def test_what_is_no_use_is_not_listed(line):
    assert check(line) == []


# ---- names under other names


@pytest.mark.parametrize(
    ("source", "use"),
    [
        (
            "import sentence_transformers as st\nst.SentenceTransformer('a').fit([])",
            "st.SentenceTransformer('a').fit()",
        ),
        (
            "import sentence_transformers\nsentence_transformers.losses.MSELoss()",
            "sentence_transformers.losses.MSELoss()",
        ),
        (
            "import sentence_transformers.losses\nsentence_transformers.losses.MSELoss",
            "sentence_transformers.losses.MSELoss",
        ),
        ("from sentence_transformers import losses as L\nL.MSELoss(1)", "L.MSELoss()"),
        ("import sentence_transformers as st\nmodels = st.losses\nmodels.MSELoss()", "models.MSELoss()"),
        ("from sentence_transformers import SentenceTransformer as S\nT = S\nm = T('a')\nm.fit([])", "m.fit()"),
        ("from sentence_transformers import SentenceTransformer as S\nm, n = S('a'), 3\nm.fit([])", "m.fit()"),
        (
            "from sentence_transformers import SentenceTransformer as S\nm = S('a').to('cuda').eval()\nm.fit([])",
            "m.fit()",
        ),
        ("from sentence_transformers import SentenceTransformer as S\nif (m := S('a')):\n    m.fit([])", "m.fit()"),
        ("from sentence_transformers import SentenceTransformer as S\ndef f(m: S): m.fit([])", "m.fit()"),
        ("from sentence_transformers import SentenceTransformer as S\ndef f(m: 'S | None'): m.fit([])", "m.fit()"),
        (
            "from sentence_transformers import SentenceTransformer as S\ndef make(): return S('a')\nmake().fit([])",
            "make().fit()",
        ),
        (
            "from sentence_transformers import SentenceTransformer as S\ndef make() -> S: ...\nm = make()\nm.fit([])",
            "m.fit()",
        ),
        (
            "def f():\n    from sentence_transformers import SentenceTransformer as S\n    S('a').fit([])",
            "S('a').fit()",
        ),
        (
            "from sentence_transformers import SentenceTransformer as S\n"
            "class A:\n    def use(self): self.m.fit([])\n    def __init__(self): self.m = S('a')",
            "self.m.fit()",
        ),
        (
            "from sentence_transformers import SentenceTransformer as S\n"
            "class A:\n    @property\n    def m(self): return S('a')\n    def use(self): self.m.fit([])",
            "self.m.fit()",
        ),
        (
            "from sentence_transformers import SentenceTransformer as S\nm = None\n"
            "def use(): m.fit([])\ndef start():\n    global m\n    m = S('a')",
            "m.fit()",
        ),
    ],
)
def test_a_use_is_found_under_any_name(source, use):
    assert uncovered(source)[use] == "not yet"


@pytest.mark.parametrize(
    "rest",
    [
        "m = other()\nm.fit([])",
        "def f(m): m.fit([])",
        "for m in others: m.fit([])",
        "with other() as m: m.fit([])",
        "class A:\n    def f(self): self.m.fit([])",
        "m, n = pair()\nm.fit([])",
    ],
)
def test_a_name_that_means_something_else_by_then_is_left_alone(rest):
    assert not uncovered(f"from sentence_transformers import SentenceTransformer as S\nm = S('a')\n{rest}")


# ---- members and arguments


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("m.encode(x)", {}),
        ("m.encode(x, normalize_embeddings=True, sentences=x, processing_kwargs={})", {}),
        ("m.encode(x, batch_size=8)", {"m.encode(batch_size=)": "differs"}),
        ("m.encode_query(x, batch_size=8)", {"m.encode_query(batch_size=)": "differs"}),
        ("m.encode(x, adapter='a')", {"m.encode(adapter=)": "unknown"}),
        ("m.max_seq_length = 512", {}),
        ("m.prompts['query'], m.truncate_dim", {}),
        ("m[0].auto_model, m[0].tokenizer, m[1].word_embedding_dimension", {}),
        ("m._first_module().tokenizer.padding_side", {}),
        ("m._target_device, m.get_backend(), m.is_singular_input(x), m.SUPPORTED_SIMILARITY_FN_NAMES", {}),
        ("S.load('a').encode(x)", {}),
        ("m[0].on_model_ready(m)", {"m[0].on_model_ready()": "not yet"}),
        ("m.to('cpu')[0].on_model_ready(m)", {"m.to('cpu')[0].on_model_ready()": "not yet"}),
        ("m.processor.tokenizer", {"m.processor.tokenizer": "differs"}),
        ("m.my_own_mark", {}),
        ("m.old_fit()", {"m.old_fit()": "not yet"}),
        ("S('a', backend='torch')", {}),
        ("S('a', backend='onnx')", {"S(backend=)": "not yet"}),
        ("S('a', cache_dir='b', tokenizer_kwargs={}, use_auth_token=True)", {}),
        ("S('a', no_such=1)", {"S(no_such=)": "not yet"}),
        (
            "models.Transformer('a', max_seq_length=8, unpad_inputs=True)",
            {"models.Transformer(unpad_inputs=)": "not yet"},
        ),
        ("models.Pooling(8, pooling_mode_cls_token=True)", {}),
        ("util.semantic_search(q, c, top_k=3)", {}),
        ("util.semantic_search(q, c, topk=3)", {"util.semantic_search(topk=)": "not yet"}),
        ("util.mine_hard_negatives(d, margin=1)", {"util.mine_hard_negatives(margin=)": "not yet"}),
        ("util.is_training_available()", {"util.is_training_available()": "differs"}),
    ],
)
def test_members_and_arguments_are_judged(line, found):
    assert (
        uncovered(f"from sentence_transformers import SentenceTransformer as S, models, util\nm = S('b')\n{line}")
        == found
    )


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("m.predict(pairs)", {}),
        ("m.predict(sentences=pairs, activation_fct=f, num_workers=0, convert_to_tensor=True)", {}),
        ("m.predict(pairs, processing_kwargs={}, apply_softmax=True)", {}),
        ("m.predict(pairs, batch_size=8)", {"m.predict(batch_size=)": "differs"}),
        ("m.predict(pairs, device='cuda')", {"m.predict(device=)": "differs"}),
        ("m.predict(pairs, adapter='a')", {"m.predict(adapter=)": "unknown"}),
        ("m.rank(q, d, top_k=3, return_documents=True)", {}),
        ("m.rank(q, d, batch_size=8)", {"m.rank(batch_size=)": "differs"}),
        ("m.rank(q, d, apply_softmax=True)", {"m.rank(apply_softmax=)": "differs"}),
        ("m.max_length, m.num_labels, m.activation_fn, m.default_activation_function, m.model", {}),
        ("m.processor", {"m.processor": "differs"}),
        ("m.fit(loader)", {"m.fit()": "not yet"}),
        ("C('a', 1, max_length=512, automodel_args={}, classifier_dropout=0.1)", {}),
        ("C('a', default_activation_function=f, tokenizer_args={})", {}),
        ("C('a', no_such=1)", {"C(no_such=)": "not yet"}),
        ("C('a', backend='onnx')", {"C(backend=)": "not yet"}),
    ],
)
def test_members_and_arguments_of_a_reranker_are_judged(line, found):
    assert uncovered(f"from sentence_transformers import CrossEncoder as C\nm = C('b')\n{line}") == found


@pytest.mark.parametrize(
    ("kind", "covered"),
    [(SentenceTransformer, ("encode", "similarity")), (CrossEncoder, ("predict", "rank"))],
)
def test_every_member_of_the_known_model_is_judged(kind, covered):
    (members,) = (names for (_, name), names in known().members.items() if name == kind.__name__)
    start = f"from sentence_transformers import {kind.__name__} as S\nm = S('a')\n"
    judged = {
        use[2:]: status
        for line, use, status in check(start + "\n".join(f"m.{one}" for one in sorted(members)))
        if line > 2
    }
    assert set(judged) == members
    assert {one for one, status in judged.items() if status == "not yet"}.isdisjoint(dir(kind))
    assert {judged[one] for one in covered} == {"covered"}


def test_a_note_says_what_to_do():
    (one,) = [v for use in uses("from sentence_transformers import SparseEncoder") for v in verdicts(use)]
    assert one.note is not None
    assert one.note.endswith(
        "still to come. Until then, use sentence-transformers beside manysense; both can be imported in one program."
    )


# ---- the command


@pytest.fixture
def script(tmp_path) -> Any:
    """script(text, name) → the file."""

    def write(text: str, name: str = "script.py") -> Path:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def test_a_covered_script_ends_with_zero(script):
    done = run(script("from sentence_transformers import SentenceTransformer\n"))
    assert done.exit_code == 0
    assert "1 use of sentence_transformers in 1 file: 1 covered" in done.output


def test_what_differs_is_no_failure(script):
    done = run(script("from sentence_transformers.models import CLIPModel\n"))
    assert done.exit_code == 0
    assert "it is an ordinary Transformer here" in done.output


def test_a_script_that_is_not_covered_ends_with_one_and_its_lines(script):
    done = run(script("\n\nfrom sentence_transformers import losses\nlosses.MSELoss(model)\n"))
    assert done.exit_code == 1
    assert "     4  losses.MSELoss()" in done.output
    assert "training is still to come" in done.output


def test_json_has_the_same_facts(script):
    file = script("from sentence_transformers import losses, SentenceTransformer\nlosses.MSELoss(model)\n")
    done = run(file, "--json")
    told = json.loads(done.output)
    assert done.exit_code == 1
    assert told["totals"] == {"covered": 2, "differs": 0, "not yet": 1, "unknown": 0}
    assert told["files"][str(file)][2] | {"note": ""} == {
        "line": 2,
        "column": 0,
        "use": "losses.MSELoss()",
        "status": "not yet",
        "note": "",
    }


def test_folders_are_searched(script, tmp_path):
    script("import sentence_transformers\n", "a/b/one.py")
    script("import sentence_transformers\n", "a/.hidden/two.py")
    script("import sentence_transformers\n", "a/no_script.txt")
    assert "1 use of sentence_transformers in 1 file" in run(tmp_path / "a").output


def test_a_script_is_never_run_or_imported(script, tmp_path):
    file = script(f"open({str(tmp_path / 'mark')!r}, 'w')\nimport no_such_package\nimport sentence_transformers\n")
    assert run(file).exit_code == 0
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("text", ["def f(:\n", "\x00", "# coding: no-such\n"])
def test_what_is_no_python_is_wrong_usage(script, text):
    done = run(script(text))
    assert done.exit_code == 2
    assert "is no Python that can be read" in done.output


def test_a_missing_file_is_wrong_usage(tmp_path):
    done = run(tmp_path / "none.py")
    assert done.exit_code == 2
    assert "there is no file" in done.output


@pytest.mark.slow
def test_it_is_a_command_of_the_package(script):
    command = [sys.executable, "-m", "manysense.compat", "check", str(script("import sentence_transformers\n"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 covered" in done.stdout


def test_the_page_shows_what_the_command_says(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "compat.md").read_text(encoding="utf-8")
    code = page.partition("## Check a script\n\n```python\n")[2].partition("```")[0]
    shown = page.partition("$ python -m manysense.compat check train.py\n")[2].partition("```")[0]
    monkeypatch.chdir(tmp_path)
    exec(code, {})  # noqa: S102  our own page
    assert run("train.py").output == shown
