"""Ctrl-C in a real process, in the middle of a call."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import json, os, threading, time
import torch
from manysense import SentenceTransformer

class Slow(torch.nn.Module):
    def forward(self, features):
        os.write(1, b"forward\\n")  # whole lines, also from two threads
        time.sleep(0.3)
        return features

model = SentenceTransformer({folder!r}, device="cpu")
model = SentenceTransformer(modules=[*model, Slow()], device="cpu")
texts = [f"the text {{i}} of many" for i in range(20_000)]
try:
    {call}
except KeyboardInterrupt:
    ended = time.monotonic()
    left = [t.name for t in threading.enumerate() if t.name.startswith("manysense")]
    print(json.dumps({{"ended": ended, "left": left}}), flush=True)
else:
    print("the call ended by itself", flush=True)
"""
CALLS = {
    "encode": "model.encode(texts, batch_size=8)",
    "encode_stream": "sum(1 for _ in model.encode_stream(iter(texts), batch_size=8))",
    "in_the_calling_thread": "[model.encode(text) for text in texts]",
}


@pytest.mark.parametrize("call", CALLS)
def test_an_interrupt_ends_a_call_at_once_and_leaves_no_thread(call, twin):
    script = SCRIPT.format(folder=str(twin("static")), call=CALLS[call])
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    try:
        assert process.stdout.readline().strip() == "forward"
        time.sleep(0.1)
        sent = time.monotonic()  # one clock for all processes of a machine
        process.send_signal(signal.SIGINT)
        lines = process.communicate(timeout=60)[0].splitlines()
    finally:
        process.kill()
    facts = json.loads(lines[-1])
    assert facts["left"] == []
    assert facts["ended"] - sent < 2
