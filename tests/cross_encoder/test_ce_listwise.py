"""A reranker that reads all documents in one prompt has no score for one pair, and is refused with these words."""

from __future__ import annotations

import pytest

from cross_encoder.pairs import QUERY
from manysense import CrossEncoder
from manysense.errors import ModelError
from twins import answerers

CODE = "raise AssertionError('code of the folder was run')\n"


@pytest.fixture
def listwise(own, edit):
    """A folder as jinaai/jina-reranker-v3: Qwen3 under another class, with code beside it."""
    folder = own("answerer", form="raw")
    code = {"AutoModel": "modeling.JinaForRanking"}
    edit(folder / "config.json", architectures=["JinaForRanking"], auto_map=code)
    (folder / "modeling.py").write_text(CODE)
    return folder


@pytest.mark.parametrize("trust", [False, True])
def test_it_is_refused_before_its_code_runs(listwise, trust):
    with pytest.raises(ModelError, match="all its documents at once") as caught:
        CrossEncoder(listwise, device="cpu", trust_remote_code=trust)
    assert "JinaForRanking" in str(caught.value)


def test_the_same_weights_as_a_pairwise_model_are_read(listwise, edit):
    edit(listwise / "config.json", architectures=["Qwen3ForCausalLM"], auto_map=None)
    made = CrossEncoder(listwise, device="cpu").predict((QUERY, "a dog"))
    assert made == pytest.approx(answerers.probability(listwise, QUERY, "a dog"), abs=1e-5)
