"""The life of one worker of a pool: take what comes, do it, answer, end with the caller.

Knows: one pipe in, one pipe out, the model it was given. Does not know: other workers, what the work is.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import queue
import signal
import sys
import threading
import traceback
from typing import Any, NoReturn

from .model_file import read
from .parcels import dumps, loads

Waiting = queue.SimpleQueue[tuple[Any, ...]]


def serve(tasks: Any, answers: Any, device: str, threads: int) -> NoReturn:
    """Answer every message, in order, until the caller ends this process or is gone.

    tasks: ("model", call, path) to read, ("work", call, head, parcel) to do, ("drop", call) to forget the rest of.
    answers: (call, "made" | "failed" | "dropped", result as bytes), one for each but the last kind.
    threads: of torch, and of the tokenizers.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller alone decides
    if sys.stderr is not None:
        faulthandler.enable()
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    waiting: Waiting = queue.SimpleQueue()
    dropped = [0]  # calls up to this one are not wanted any more
    threading.Thread(target=_listen, args=(tasks, waiting, dropped), daemon=True).start()
    model: Any = None
    alive = True
    while alive:
        kind, call, *payload = waiting.get()
        try:
            if call <= dropped[0]:
                answer = "dropped", b""
            elif kind == "model":
                model = None  # the old one goes before the new one comes
                model = read(payload[0], device, threads)
                answer = "made", dumps(None)
            else:
                answer = "made", _worked(model, *payload)
        except BaseException as error:
            alive = isinstance(error, Exception)
            answer = "failed", _failure(error)
        try:
            answers.send((call, *answer))
        except OSError:  # the caller is gone
            alive = False
    os._exit(1)


def _listen(tasks: Any, waiting: Waiting, dropped: list[int]) -> None:
    """Take messages as they come, so that the caller never waits to send one; end the process with the caller."""
    code = 1
    try:
        while True:
            message = tasks.recv()
            if message[0] == "drop":
                dropped[0] = message[1]
            else:
                waiting.put(message)
    except (EOFError, OSError):
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _worked(model: Any, head: bytes, parcel: bytes) -> bytes:
    work, arguments, folder = loads(head)
    if folder is not None:
        os.chdir(folder)
    return dumps(work(model, loads(parcel), *arguments))


def _failure(error: BaseException) -> bytes:
    """(the error, or None for one that cannot be sent; its traceback)."""
    text = "".join(traceback.format_exception(error))
    if isinstance(error, Exception):
        with contextlib.suppress(Exception):
            data = dumps((error, text))
            loads(data)
            return data
    return dumps((None, text))
