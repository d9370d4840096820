"""Benchmarks: this library and its peer, sentence-transformers, in turn. Run with `python -m benchmarks`."""
