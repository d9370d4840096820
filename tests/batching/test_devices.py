"""Which device, and what must not run at the same time."""

from __future__ import annotations

import threading

import pytest
import torch

from manysense.batching.devices import SharedLock, as_device, best_device
from manysense.errors import UsageError


def test_none_is_the_best_device():
    assert as_device(None) == torch.device(best_device())


def test_a_device_is_taken_as_it_is():
    assert as_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("name", ["cpuu", "", "cuda:x", 3.5])
def test_an_unknown_device_is_a_usage_error_that_repeats_it(name):
    with pytest.raises(UsageError, match="device="):
        as_device(name)


def started(target) -> tuple[threading.Thread, threading.Event]:
    """A thread that runs `target`, and the event that it is done."""
    done = threading.Event()

    def work():
        target()
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    return thread, done


def test_many_share_at_once():
    lock, meeting = SharedLock(), threading.Barrier(3, timeout=10)

    def share():
        with lock.shared():
            meeting.wait()

    threads = [started(share) for _ in range(3)]
    assert all(done.wait(10) for _, done in threads)


def test_one_alone_waits_for_the_sharers_and_keeps_new_ones_out():
    lock, order = SharedLock(), []
    inside, leave = threading.Event(), threading.Event()

    def share():
        with lock.shared():
            inside.set()
            leave.wait(10)
            order.append("sharer left")

    def alone():
        with lock.exclusive():
            order.append("alone")

    def late():
        with lock.shared():
            order.append("late sharer")

    first = started(share)
    assert inside.wait(10)
    second = started(alone)
    while not lock._waiting:
        pass
    third = started(late)
    assert not third[1].wait(0.1)
    assert order == []
    leave.set()
    assert all(done.wait(10) for _, done in (first, second, third))
    assert order == ["sharer left", "alone", "late sharer"]


def test_a_sharer_may_take_another_share_while_one_waits_to_be_alone():
    lock = SharedLock()
    with lock.shared():
        _, done = started(lambda: lock.exclusive().__enter__())
        while not lock._waiting:
            pass
        with lock.shared():
            pass
        assert not done.is_set()
    assert done.wait(10)


def test_whoever_is_alone_may_share_and_be_alone_again():
    lock = SharedLock()
    with lock.exclusive(), lock.shared(), lock.exclusive():
        pass
    with lock.shared():
        pass


def test_an_error_inside_gives_the_lock_back():
    lock = SharedLock()
    with pytest.raises(ZeroDivisionError), lock.exclusive():
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), lock.shared():
        raise ZeroDivisionError
    _, done = started(lambda: lock.exclusive().__enter__())
    assert done.wait(10)
