"""What evaluators measured stands in the card of a saved model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from manysense import SentenceTransformer


class InformationRetrievalEvaluator(SimpleNamespace):
    """As an evaluator of the known library, or of a caller, shows itself."""


@pytest.fixture
def measured(twin):
    model = SentenceTransformer(str(twin("bert")), device="cpu")
    data = model.model_card_data
    data.set_evaluation_metrics(InformationRetrievalEvaluator(name="dev"), {"ndcg@10": 0.1}, epoch=1, step=10)
    data.set_evaluation_metrics(InformationRetrievalEvaluator(name="dev"), {"ndcg@10": np.float32(0.75), "path": "x"})
    data.set_evaluation_metrics(InformationRetrievalEvaluator(name=""), {"map": 1 / 3})
    return model


def test_the_latest_of_each_evaluator_stands_in_the_card(measured, tmp_path):
    measured.save_pretrained(tmp_path)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    _, _, section = card.partition("## Measured\n\n")
    assert section.startswith(
        "| Information Retrieval, dev | |\n| --- | --- |\n| ndcg@10 | 0.75 |\n\n"
        "| Information Retrieval | |\n| --- | --- |\n| map | 0.3333 |\n"
    )


def test_a_copy_that_is_saved_again_keeps_it(measured, tmp_path):
    measured.save_pretrained(tmp_path / "one")
    SentenceTransformer(str(tmp_path / "one"), device="cpu").save_pretrained(tmp_path / "two")
    assert "| ndcg@10 | 0.75 |" in (tmp_path / "two" / "README.md").read_text(encoding="utf-8")


def test_a_model_that_nobody_measured_has_no_such_section(twin, tmp_path):
    SentenceTransformer(str(twin("bert")), device="cpu").save_pretrained(tmp_path)
    assert "## Measured" not in (tmp_path / "README.md").read_text(encoding="utf-8")
