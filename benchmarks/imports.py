"""Whole processes: importing, and the first embedding after a start."""

from .harness import Benchmark
from .material import minilm

IMPORT = "import {}"
CLASS = "from {} import SentenceTransformer"
FIRST = """
import json
from {} import SentenceTransformer
print(json.dumps(SentenceTransformer({!r}).encode(["the first text of the day"]).tolist()))
"""
OURS, PEER = "manysense", "sentence_transformers"

BENCHMARKS = [
    Benchmark("import", "import of the package", IMPORT.format(OURS), IMPORT.format(PEER), targets={"cpu": 30}),
    Benchmark("import_class", "import of SentenceTransformer", CLASS.format(OURS), CLASS.format(PEER)),
    Benchmark(
        "first_embedding",
        "process start to the first MiniLM embedding",
        FIRST.format(OURS, minilm()),
        FIRST.format(PEER, minilm()),
    ),
]
