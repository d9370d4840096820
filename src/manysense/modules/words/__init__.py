"""Old models that read texts word by word: their tokenizers, and what modules over them share."""

from .stop_words import ENGLISH_STOP_WORDS
from .tokenizers import PhraseTokenizer, TransformersTokenizerWrapper, WhitespaceTokenizer, WordTokenizer

__all__ = [
    "ENGLISH_STOP_WORDS",
    "PhraseTokenizer",
    "TransformersTokenizerWrapper",
    "WhitespaceTokenizer",
    "WordTokenizer",
]
