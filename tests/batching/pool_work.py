"""What workers of the pools under test do: networks that are slow or die, functions that tell or fail.

Knows: nothing of tests, so that a worker imports no more than it needs.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import torch


class Slow(torch.nn.Module):
    """Takes `seconds` for every batch."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        time.sleep(self.seconds)
        return features


class Shy(torch.nn.Module):
    """Cannot be taken by a process other than the one that made it."""

    def __init__(self) -> None:
        super().__init__()
        self.home = os.getpid()

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state["home"] != os.getpid():
            raise ValueError("this module stays at home")
        super().__setstate__(state)

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        return features


def threads(model: Any, parcel: Any) -> tuple[int, bool]:
    return torch.get_num_threads(), model.training


def leave(model: Any, parcel: Any) -> None:
    sys.exit(3)


def sleep(model: Any, parcel: float) -> int:
    time.sleep(parcel)
    return os.getpid()


def fail(model: Any, parcel: Any, kind: type[Exception]) -> None:
    raise kind("what went wrong")


class Local(Exception):
    """Its pickle cannot be read: it calls __init__ with two arguments."""

    def __init__(self, text: str) -> None:
        super().__init__(text, 2)
