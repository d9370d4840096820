"""Modules in a caller's own hands: built with old names, asked for features, derived from, with a network that is
wrapped.

Knows: what the known library's modules can do without a model around them. Does not know: what vectors are right.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

import twins.bert
import twins.words
from manysense import ManysenseWarning, ModelError, SentenceTransformer
from manysense.errors import UnsupportedInput, UnsupportedModality, UsageError
from manysense.modules import BoW, Pooling, Router, Transformer
from manysense.modules.base import InputModule
from reference.closeness import CLOSE, MOVED, distance

TEXTS = ["a dog", "the red house on the hill"]


def ours(folder, **kwargs):
    return SentenceTransformer(str(folder), device="cpu", **kwargs)


@pytest.fixture
def fresh(twin):
    return ours(twin("bert"))


def equal(made, expected):
    assert set(made) == set(expected)
    for name, value in expected.items():
        assert torch.equal(torch.as_tensor(made[name]), torch.as_tensor(value)), name


# ---- networks that are wrapped


def compiled(network):
    return torch.compile(network, backend="eager")


def adapted(network):
    peft = pytest.importorskip("peft")
    return peft.get_peft_model(network, peft.LoraConfig(r=4, target_modules=["query", "value"]))  # changes nothing yet


def both(network):
    return compiled(adapted(network))


SLOW = pytest.mark.slow


@pytest.mark.parametrize("wrap", [pytest.param(compiled, marks=SLOW), adapted, pytest.param(both, marks=SLOW)])
@pytest.mark.parametrize("used", [False, True], ids=["at once", "after a call"])
def test_a_wrapped_network_is_given_what_the_one_inside_takes(wrap, used, fresh, model):
    if used:
        fresh.encode(TEXTS)
    fresh[0].model = wrap(fresh[0].model)
    assert distance(fresh.encode(TEXTS), model("bert").encode(TEXTS)) < CLOSE


@pytest.mark.slow
def test_a_wrapped_network_of_several_methods_is_given_what_each_of_them_takes(twin, model):
    wrapped = ours(twin("clip"))
    wrapped[0].model = compiled(wrapped[0].model)
    assert distance(wrapped.encode(TEXTS), model("clip").encode(TEXTS)) < CLOSE


def test_a_network_that_takes_anything_is_given_everything(fresh, model):
    class Anything(torch.nn.Module):
        def __init__(self, network):
            super().__init__()
            self.inner, self.config, self.dtype, self.device = network, network.config, network.dtype, network.device

        def forward(self, **given):
            return self.inner(**given)

    fresh[0].model = Anything(fresh[0].model)
    assert distance(fresh.encode(TEXTS), model("bert").encode(TEXTS)) < CLOSE


def test_a_network_that_takes_other_arguments_than_the_one_before_is_given_those(fresh, model):
    fresh.encode(TEXTS)

    class Renamed(torch.nn.Module):
        def __init__(self, network):
            super().__init__()
            self.inner, self.config, self.dtype, self.device = network, network.config, network.dtype, network.device

        def forward(self, input_ids, return_dict):
            return self.inner(input_ids, return_dict=return_dict)

    fresh[0].model = Renamed(fresh[0].model)
    assert distance(fresh.encode(TEXTS, batch_size=1), model("bert").encode(TEXTS)) < CLOSE


# ---- features


def test_each_first_module_makes_features_without_a_model(model):
    for name in ("bert", "clip", "qwen3_vl", "static"):
        equal(model(name)[0].tokenize(TEXTS), model(name).tokenize(TEXTS))
        equal(model(name)[0].preprocess(TEXTS, prompt="find: "), model(name).preprocess(TEXTS, prompt="find: "))


def test_modules_of_words_and_routers_make_features_too(twin, tmp_path):
    words = ours(twins.words.build(tmp_path))
    equal(words[0].tokenize(TEXTS), words.tokenize(TEXTS))
    assert BoW(["dog", "cat"]).tokenize(["dog dog"])["sentence_embedding"].tolist() == [[2.0, 0.0]]
    bert = ours(twin("bert"))
    with pytest.warns(ManysenseWarning, match="different widths"):
        router = Router.for_query_document([bert[0]], [ours(twin("static"))[0]])
    equal({k: v for k, v in router.preprocess(TEXTS, task="query").items() if k != "route"}, bert[0].preprocess(TEXTS))
    assert "offsets" in router.preprocess([{"document": "a dog"}])


def test_pictures_are_read_by_a_module_alone(model, samples):
    made = model("clip")[0].preprocess([str(samples / "landscape.jpg")])
    assert made["pixel_values"].shape == (1, 3, 48, 48)


def test_a_module_keeps_to_the_lengths_that_it_is_given(model):
    long = "the dog and the cat " * 9
    assert model("bert")[0].preprocess([long], max_length=7)["input_ids"].shape == (1, 7)
    said = {"text": {"max_length": 6}}
    assert model("bert")[0].preprocess([long], processing_kwargs=said)["input_ids"].shape == (1, 6)


def test_mistakes_are_told_by_a_module_as_by_a_model(model):
    module = model("bert")[0]
    with pytest.raises(UnsupportedInput, match="None") as error:
        module.preprocess(["a dog", None, "a cat"])
    assert (error.value.index, error.value.total) == (1, 3)
    with pytest.raises(UnsupportedModality, match="2 parts of text") as error:
        module.preprocess(["a dog", "a cat", {"text": ["a", "b"]}])
    assert error.value.index == 2
    with pytest.raises(UsageError, match="the list of inputs is empty"):
        module.preprocess([])
    with pytest.raises(UsageError, match="nonsense"):
        module.preprocess(["a"], processing_kwargs={"text": {"nonsense": 1}})
    with pytest.raises(UsageError, match="one kind of input"):
        model("clip")[0].preprocess(["a dog", np.zeros((40, 40, 3), np.uint8)])


def test_a_class_below_transformer_may_prepare_inputs_and_leave_the_rest_to_it(twin, model):
    class Shouted(Transformer):
        def preprocess(self, inputs, prompt=None, **kwargs):
            return super().preprocess([text.replace("!", "") for text in inputs], prompt=prompt, **kwargs)

    made = SentenceTransformer(modules=[Shouted(str(twin("bert"))), Pooling(twins.bert.WIDTH, "mean")], device="cpu")
    plain = ours(twin("bert", normalize=False))
    assert distance(made.encode(["!a dog", "the red !house"]), plain.encode(["a dog", "the red house"])) < CLOSE
    assert distance(made.encode("!a dog", prompt="!find "), plain.encode("a dog", prompt="!find ")) < CLOSE
    assert distance(made.encode("!a dog"), plain.encode("!a dog")) > MOVED


def test_a_class_below_transformer_may_do_so_under_the_old_name(twin):
    class Shouted(Transformer):
        def tokenize(self, texts, **kwargs):
            return super().tokenize([text.replace("!", "") for text in texts], **kwargs)

    made = SentenceTransformer(modules=[Shouted(str(twin("bert"))), Pooling(twins.bert.WIDTH, "mean")], device="cpu")
    assert distance(made.encode("!a dog"), ours(twin("bert", normalize=False)).encode("a dog")) < CLOSE


class Lengths(InputModule):
    """The old name alone, as in a module of version 3."""

    def tokenize(self, texts, **kwargs):
        return {"sentence_embedding": torch.tensor([[float(len(text)), 1.0] for text in texts])}

    def forward(self, features):
        return features


def test_a_first_module_with_the_old_name_alone_is_asked_by_either(twin):
    model = SentenceTransformer(modules=[Lengths()], device="cpu")
    assert model.encode(["ab", "abcd"])[:, 0].tolist() == [2, 4]
    assert Lengths().preprocess(["ab"], prompt="12345")["sentence_embedding"][0, 0] == 7


def test_a_first_module_that_prepares_nothing_is_refused():
    class Nothing(InputModule):
        def forward(self, features):
            return features

    with pytest.raises(ModelError, match=r"Nothing, has no preprocess\(inputs\)"):
        SentenceTransformer(modules=[Nothing()], device="cpu").encode("a")
    with pytest.raises(NotImplementedError, match="Nothing has no preprocess"):
        Nothing().tokenize(["a"])


# ---- the constructor


def test_old_names_of_the_arguments_are_taken(twin, tmp_path):
    made = Transformer(
        str(twin("bert")),
        model_args={"dtype": "bfloat16"},
        tokenizer_args={"model_max_length": 9},
        config_args={"hidden_dropout_prob": 0.5},
        cache_dir=str(tmp_path),
    )
    assert (made.model.dtype, made.max_seq_length, made.config.hidden_dropout_prob) == (torch.bfloat16, 9, 0.5)


def test_the_present_name_wins_over_the_old_one(twin):
    made = Transformer(str(twin("bert")), tokenizer_args={"model_max_length": 9}, processor_kwargs={})
    assert made.max_seq_length == twins.bert.POSITIONS


def test_the_length_for_the_tokenizer_wins_over_max_seq_length(twin):
    assert (
        Transformer(str(twin("bert")), max_seq_length=7, processor_kwargs={"model_max_length": 9}).max_seq_length == 9
    )


def test_a_tokenizer_may_come_from_elsewhere(twin, tmp_path):
    network = Transformer(str(twin("bert"))).model
    network.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="the model folder has no tokenizer"):
        Transformer(str(tmp_path))
    made = Transformer(str(tmp_path), tokenizer_name_or_path=str(twin("bert")))
    equal(made.tokenize(TEXTS), Transformer(str(twin("bert"))).tokenize(TEXTS))


def test_an_argument_that_nobody_knows_is_refused(twin):
    with pytest.raises(ModelError, match=r"options \['nonsense'\] are not supported"):
        Transformer(str(twin("bert")), nonsense=1)


@pytest.mark.parametrize("name", ["model_kwargs", "processor_kwargs", "config_kwargs"])
def test_trust_may_stand_among_the_arguments_for_transformers(name, twin, model):
    trusting = ours(twin("bert"), **{name: {"trust_remote_code": True}})
    assert distance(trusting.encode(TEXTS), model("bert").encode(TEXTS)) < CLOSE


@pytest.mark.slow
def test_the_known_library_gives_its_first_modules_the_same_names():
    pytest.importorskip("sentence_transformers")
    from sentence_transformers.base.modules import InputModule as Theirs

    for name in ("preprocess", "tokenize"):
        known = [p for p in inspect.signature(getattr(Theirs, name)).parameters if p != "kwargs"]
        assert list(inspect.signature(getattr(InputModule, name)).parameters)[: len(known)] == known
