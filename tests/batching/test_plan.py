"""How a window of measured items is cut into batches."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from manysense.batching.plan import Cost, padded_cost, plan

costs = st.lists(
    st.builds(
        Cost,
        length=st.integers(0, 600),
        extra=st.integers(0, 300),
        nbytes=st.integers(0, 500),
        group=st.sampled_from(["text", "image", ("image", "text"), None]),
    ),
    max_size=40,
)
budgets = st.integers(1, 5000)
caps = st.none() | st.integers(1, 10)
sizes = st.none() | st.integers(0, 2000)


@given(costs, budgets, caps, sizes, st.integers(1, 8))
@example([], 100, None, None, 4)
def test_every_item_is_in_exactly_one_batch(costs, budget, batch_size, most_bytes, streams):
    batches = plan(costs, budget=budget, batch_size=batch_size, most_bytes=most_bytes, streams=streams)
    assert sorted(i for batch in batches for i in batch) == list(range(len(costs)))
    assert all(batches)


@given(costs, budgets, caps, sizes, st.integers(1, 8))
def test_a_batch_of_several_keeps_every_bound(costs, budget, batch_size, most_bytes, streams):
    for batch in plan(costs, budget=budget, batch_size=batch_size, most_bytes=most_bytes, streams=streams):
        if len(batch) > 1:
            assert padded_cost(batch, costs) <= budget
            assert most_bytes is None or sum(costs[i].nbytes for i in batch) <= most_bytes
        assert batch_size is None or len(batch) <= batch_size


@given(costs, budgets, caps, st.integers(1, 8))
def test_items_of_different_groups_never_share_a_batch(costs, budget, batch_size, streams):
    for batch in plan(costs, budget=budget, batch_size=batch_size, streams=streams):
        assert len({costs[i].group for i in batch}) == 1


@given(costs, budgets, caps, sizes, st.integers(1, 8))
def test_the_most_expensive_batch_comes_first(costs, budget, batch_size, most_bytes, streams):
    batches = plan(costs, budget=budget, batch_size=batch_size, most_bytes=most_bytes, streams=streams)
    padded = [padded_cost(batch, costs) for batch in batches]
    assert padded == sorted(padded, reverse=True)


@given(costs, budgets, caps, sizes, st.integers(1, 8))
def test_the_same_costs_are_cut_the_same_way(costs, budget, batch_size, most_bytes, streams):
    def cut():
        return plan(costs, budget=budget, batch_size=batch_size, most_bytes=most_bytes, streams=streams)

    assert cut() == cut()


@given(costs, budgets, caps)
def test_within_a_batch_lengths_are_neighbours(costs, budget, batch_size):
    batches = plan(costs, budget=budget, batch_size=batch_size)
    for group in {cost.group for cost in costs}:
        spans = sorted(
            (min(costs[i].length for i in batch), max(costs[i].length for i in batch))
            for batch in batches
            if costs[batch[0]].group == group
        )
        assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_one_item_over_the_budget_runs_alone():
    assert plan([Cost(10), Cost(5000), Cost(10)], budget=100) == [[1], [0, 2]]


def test_a_budget_is_filled():
    assert plan([Cost(10)] * 20, budget=100) == [list(range(10)), list(range(10, 20))]


def test_extras_count_once_each_and_not_per_padded_row():
    assert plan([Cost(10, extra=30)] * 4, budget=80) == [[0, 1], [2, 3]]


def test_a_cap_of_one_gives_every_item_its_own_batch():
    assert [len(batch) for batch in plan([Cost(10)] * 5, budget=10_000, batch_size=1)] == [1] * 5


def test_several_streams_all_get_work():
    alone = plan([Cost(100)] * 40, budget=4096)
    shared = plan([Cost(100)] * 40, budget=4096, streams=4)
    assert len(alone) == 1
    assert len(shared) >= 4


def test_streams_do_not_cut_a_window_into_crumbs():
    batches = plan([Cost(4)] * 100, budget=4096, streams=64)
    assert len(batches) == 1
