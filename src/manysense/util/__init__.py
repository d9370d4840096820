"""Public functions under their known names: similarity, search, mining, quantisation, files.

Names that only the known library's `util` has are left to compat/: they resolve, and say what is missing when used.
"""

from typing import Any

from .communities import community_detection
from .devices import batch_to_device, get_device_name
from .files import http_get, is_sentence_transformer_model, load_dir_path, load_file_path
from .indexes import semantic_search_faiss, semantic_search_usearch
from .later import is_training_available, mine_hard_negatives, resolve_ids
from .logs import LoggingHandler, disable_logging
from .maxsim import maxsim, maxsim_pairwise, mean_maxsim, mean_maxsim_pairwise
from .mining import paraphrase_mining, paraphrase_mining_embeddings
from .names import fullname, import_from_string
from .quantization import quantize_embeddings
from .search import information_retrieval, semantic_search
from .similarity import (
    SimilarityFunction,
    cos_sim,
    dot_score,
    euclidean_sim,
    manhattan_sim,
    pairwise_angle_sim,
    pairwise_cos_sim,
    pairwise_dot_score,
    pairwise_euclidean_sim,
    pairwise_manhattan_sim,
    pytorch_cos_sim,
)
from .vectors import normalize_embeddings, select_max_active_dims, truncate_embeddings

__all__ = [
    "LoggingHandler",
    "SimilarityFunction",
    "batch_to_device",
    "community_detection",
    "cos_sim",
    "disable_logging",
    "dot_score",
    "euclidean_sim",
    "fullname",
    "get_device_name",
    "http_get",
    "import_from_string",
    "information_retrieval",
    "is_sentence_transformer_model",
    "is_training_available",
    "load_dir_path",
    "load_file_path",
    "manhattan_sim",
    "maxsim",
    "maxsim_pairwise",
    "mean_maxsim",
    "mean_maxsim_pairwise",
    "mine_hard_negatives",
    "normalize_embeddings",
    "pairwise_angle_sim",
    "pairwise_cos_sim",
    "pairwise_dot_score",
    "pairwise_euclidean_sim",
    "pairwise_manhattan_sim",
    "paraphrase_mining",
    "paraphrase_mining_embeddings",
    "pytorch_cos_sim",
    "quantize_embeddings",
    "resolve_ids",
    "select_max_active_dims",
    "semantic_search",
    "semantic_search_faiss",
    "semantic_search_usearch",
    "truncate_embeddings",
]


def __getattr__(name: str) -> Any:
    from ..compat.doors import attribute

    return attribute(__name__, name)
