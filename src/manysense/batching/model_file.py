"""A model on its way to the workers of a pool: when it must be sent, into a file, out of it.

Knows: what in a network can change, how torch saves and maps a file. Does not know: processes, pipes.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import UsageError, WorkerError

if TYPE_CHECKING:
    from ..model import Model


def state_of(model: Model) -> Any:
    """Differs when the network has changed: a weight, a module, a plain value of a module, a tokenizer.

    Attributes of the model itself are settings of each call; other objects may be what a module notes as it runs.
    """
    tensors = [(id(t), *_weight_state(t)) for t in model._tensors()]
    parts = []
    for name, module in itertools.islice(model.named_modules(), 1, None):
        own = vars(module).items()
        facts = [(key, _plain(value)) for key, value in own if _plain(value) is not None and key != "training"]
        facts += [(key, id(value)) for key, value in own if key in ("tokenizer", "processor")]
        parts.append((name, type(module), facts))
    return tensors, parts


def _plain(value: Any) -> Any:
    """The value of a number, a string, or a few of them, such as the adapters that are active; None for any other."""
    if isinstance(value, (list, tuple)) and len(value) <= 16:
        return tuple(value) if all(isinstance(one, (bool, int, float, str)) for one in value) else None
    return value if isinstance(value, (bool, int, float, str)) else None


def _weight_state(tensor: Any) -> tuple[Any, ...]:
    """Changes with what is written into it, and with its dtype and place, which `Module.to` changes beneath it."""
    import torch

    version = 0 if tensor.is_inference() else tensor._version
    return version, tensor.dtype, tensor.data_ptr() if tensor.layout is torch.strided else 0


@contextlib.contextmanager
def file_of(model: Model) -> Iterator[str]:
    """The model in a file of a private folder, as long as the context lasts."""
    import torch

    with contextlib.ExitStack() as stack:
        try:
            folder = tempfile.TemporaryDirectory(prefix="manysense-", ignore_cleanup_errors=True)
            path = os.path.join(stack.enter_context(folder), "model.pt")
            torch.save(model, path, pickle_protocol=5)
        except (OSError, RuntimeError) as error:  # torch says the latter when a disk is full
            raise WorkerError(
                f"the model cannot be written to the folder for temporary files, where workers find it: {error}\n"
                "  The environment variable TMPDIR names another one."
            ) from error
        except Exception as error:
            raise UsageError(
                f"the model cannot be sent to another process: {type(error).__name__}: {error}\n"
                "  Its modules must be of classes that can be imported, and hold nothing like open files or lambdas."
            ) from error
        yield path


def read(path: str, device: str, threads: int) -> Any:
    """The model from the caller's file. On the CPU its weights stay mapped, and all workers share them."""
    try:
        import torch

        torch.set_num_threads(threads)
        place = torch.device(device)
        if place.type == "cuda":
            torch.cuda.set_device(place)
        mapped = os.name == "posix"  # elsewhere a file that is mapped cannot be removed
        return torch.load(path, map_location="cpu", mmap=mapped, weights_only=False).to(place).eval()
    except Exception as error:
        name = multiprocessing.current_process().name
        raise WorkerError(f"{name} ({device}) cannot take the model: {type(error).__name__}: {error}") from error
