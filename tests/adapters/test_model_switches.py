"""compile, gradient_checkpointing_enable, clear_placement_cache: that they reach the network, and change no vector."""

from __future__ import annotations

import copy

import pytest
import torch

from manysense import SentenceTransformer
from manysense.modules import Pooling
from reference.closeness import assert_close
from twins import bert
from twins.samples import TEXTS, pictures


@pytest.fixture
def encoder(twin):
    return SentenceTransformer(str(twin("bert")), device="cpu")


# ---- compile


@pytest.fixture
def graphs():
    """(a compiler that runs what it is given as it is, the numbers of operations it was given)."""
    torch.compiler.reset()
    seen = []

    def backend(graph, inputs):
        seen.append(len(list(graph.graph.nodes)))
        return graph.forward

    yield backend, seen
    torch.compiler.reset()


@pytest.mark.slow
def test_every_call_runs_through_the_compiled_network(encoder, twin, graphs):
    backend, seen = graphs
    encoder.compile(backend=backend, dynamic=True)
    made = encoder.encode(list(TEXTS))
    assert max(seen) > 50  # the whole network in one graph
    assert_close(made, [bert.reference(twin("bert"), text) for text in TEXTS])


@pytest.mark.slow
def test_pictures_run_through_it_too(twin, model, graphs):
    backend, seen = graphs
    compiled = SentenceTransformer(str(twin("clip")), device="cpu")
    compiled.compile(backend=backend)
    items = [TEXTS[0], pictures()[0]]
    assert_close(compiled.encode(items), model("clip").encode(items))
    assert sum(count > 50 for count in seen) == 2


def test_a_copy_runs_as_it_is(encoder, graphs):
    backend, seen = graphs
    encoder.compile(backend=backend)
    for copied in (copy.deepcopy(encoder), encoder._guard.replica(encoder, encoder.device)):
        copied.encode(["a dog"])
    assert not seen


# ---- gradient checkpointing


def test_layers_are_computed_again_in_the_backward_pass(encoder):
    layer, runs = encoder.transformers_model.encoder.layer[0].attention.self.query, []
    layer.register_forward_hook(lambda *given: runs.append(1))

    def gradient():
        runs.clear()
        encoder.zero_grad()
        encoder.train()
        torch.manual_seed(0)
        encoder(encoder.preprocess(["a dog"]))["sentence_embedding"].square().sum().backward()
        return layer.weight.grad.clone()

    before = gradient()
    assert len(runs) == 1
    encoder.gradient_checkpointing_enable({"use_reentrant": False})
    torch.testing.assert_close(gradient(), before)
    assert len(runs) == 2


def test_a_model_without_a_transformers_network_has_no_layers_to_compute_again(model):
    before = model("static").encode(["a dog"])
    model("static").gradient_checkpointing_enable()
    assert_close(model("static").encode(["a dog"]), before)


# ---- copies on other devices


def test_copies_are_let_go(encoder):
    kept = encoder._guard.replica(encoder, encoder.device)
    assert encoder._guard.replica(encoder, encoder.device) is kept
    encoder.clear_placement_cache()
    assert encoder._guard.replica(encoder, encoder.device) is not kept


def test_a_copy_follows_what_is_set_on_a_module(twin):
    transformer = SentenceTransformer(str(twin("bert")), device="cpu")[0]
    encoder = SentenceTransformer(modules=[transformer, Pooling(bert.WIDTH)], device="cpu")
    kept = encoder._guard.replica(encoder, encoder.device)
    encoder.set_pooling_include_prompt(False)
    copied = encoder._guard.replica(encoder, encoder.device)
    assert copied is not kept
    assert_close([copied.encode("a dog", prompt="the ")], [encoder.encode("a dog", prompt="the ")])
