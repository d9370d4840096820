"""What an editor knows of the public names; checked by mypy, never run."""

from typing import Any, assert_type

import numpy as np
import numpy.typing as npt
import torch

from manysense import Audio, CrossEncoder, Image, Kept, SentenceTransformer, Text, util
from manysense.batching.pool import Pool

model = SentenceTransformer("path", device="cpu", prompts={"query": "q: "}, truncate_dim=8)
items = ["text", Text("a.png"), Image(b"..."), Audio(np.zeros(16), 16_000), {"text": "a", "image": "b.png"}]

assert_type(model.encode(items), npt.NDArray[Any])
assert_type(model.encode("one", normalize_embeddings=True), npt.NDArray[Any])
assert_type(model.encode(items, convert_to_tensor=True), torch.Tensor)
assert_type(model.encode(items, convert_to_numpy=False), list[torch.Tensor])
assert_type(model.encode(items, output_value="token_embeddings"), list[torch.Tensor])
assert_type(model.encode(items, output_value=None), list[dict[str, Any]])
assert_type(model.encode(items, on_error="skip"), Kept)
assert_type(model.similarity(model.encode("a"), model.encode(items)), torch.Tensor)
assert_type(util.cos_sim([1.0], [2.0]), torch.Tensor)
assert_type(model.max_seq_length, int | None)

with model.start_multi_process_pool(["cpu", "cpu"]) as pool:
    assert_type(pool, Pool)
    assert_type(model.encode(items, pool=pool, chunk_size=8), npt.NDArray[Any])
    assert_type(model.encode(items, pool=pool, convert_to_tensor=True), torch.Tensor)
    assert_type(model.encode_multi_process(["a"], pool), npt.NDArray[Any])

reranker = CrossEncoder("path", 1, device="cpu", activation_fn=torch.nn.Identity(), model_card_data={"license": "mit"})
pairs = [("text", "text"), ("text", Image(b"...")), ({"text": "a", "image": "b.png"}, Text("a.png"))]

assert_type(reranker.predict(pairs), npt.NDArray[Any])
assert_type(reranker.predict(("a", "b"), apply_softmax=True, max_length=8), npt.NDArray[Any])
assert_type(reranker.predict(pairs, convert_to_tensor=True), torch.Tensor)
assert_type(reranker.predict(pairs, convert_to_numpy=False), list[torch.Tensor])
assert_type(reranker.num_labels, int)
assert_type(reranker.max_length, int | None)
for place, ranking in reranker.rank_stream(["a"], items, top_k=1, min_score=0.5):
    assert_type(place, int)
    assert_type([hit["score"] for hit in ranking], list[Any])
