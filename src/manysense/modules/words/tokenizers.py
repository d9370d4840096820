"""Texts → ids of whole words.

Knows: how each tokenizer cuts a text and looks words up, and the file that holds it. Does not know: vectors, batches.
All of them are read by many threads at once: no call changes them.
"""

from __future__ import annotations

import json
import string
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from ...errors import ModelError
from ...extras import need
from ..base import read_json
from ..tokens import tokens_of
from .stop_words import ENGLISH_STOP_WORDS


class WordTokenizer(ABC):
    """What WordEmbeddings needs of a tokenizer; a class of your own derives from this one."""

    @abstractmethod
    def set_vocab(self, vocab: Iterable[str]) -> None:
        """The words, in the order of their ids."""

    @abstractmethod
    def get_vocab(self) -> Any: ...

    @abstractmethod
    def tokenize(self, text: str, **kwargs: Any) -> list[int]:
        """Ids of the words of a text that are known."""

    @abstractmethod
    def save(self, output_path: str) -> None:
        """Write it into a folder."""

    @classmethod
    @abstractmethod
    def load(cls, input_path: str) -> Self:
        """Read it from a folder."""


class VocabularyTokenizer(WordTokenizer):
    """A tokenizer that is a list of words and a few settings, all of them in one JSON file."""

    config_file_name: ClassVar[str]

    def __init__(self, vocab: Iterable[str], stop_words: Iterable[str], do_lower_case: bool) -> None:
        self.stop_words = set(stop_words)
        self.do_lower_case = do_lower_case
        self.set_vocab(vocab)

    def get_vocab(self) -> list[str]:
        return self.vocab

    def set_vocab(self, vocab: Iterable[str]) -> None:
        self.vocab = list(vocab)
        self.word2idx = {word: i for i, word in enumerate(self.vocab)}  # of a word that comes twice, the last counts

    def _ids(self, words: Sequence[str], forms: Sequence[Callable[[str], str]]) -> list[int]:
        """Ids of the words that are known in one of their forms, each made from the one before it.

        A form that is a stop word ends the search.
        """
        found = []
        for word in words:
            for form in forms:
                word = form(word)
                if word in self.stop_words:
                    break
                if word in self.word2idx:
                    found.append(self.word2idx[word])
                    break
        return found

    def get_config_dict(self) -> dict[str, Any]:
        return {"vocab": self.vocab, "stop_words": sorted(self.stop_words), "do_lower_case": self.do_lower_case}

    def to_str(self) -> str:
        """All that it is, as JSON; equal for equal tokenizers."""
        return json.dumps(self.get_config_dict())

    def save(self, output_path: str) -> None:
        (Path(output_path) / self.config_file_name).write_text(self.to_str(), encoding="utf-8")

    @classmethod
    def load(cls, input_path: str) -> Self:
        return cls(**read_json(Path(input_path) / cls.config_file_name))


class WhitespaceTokenizer(VocabularyTokenizer):
    """Splits at white space; a word that is unknown is looked up without punctuation around it, then in lower case."""

    config_file_name: ClassVar[str] = "whitespacetokenizer_config.json"

    def __init__(
        self, vocab: Iterable[str] = (), stop_words: Iterable[str] = ENGLISH_STOP_WORDS, do_lower_case: bool = False
    ) -> None:
        super().__init__(vocab, stop_words, do_lower_case)

    def tokenize(self, text: str, **kwargs: Any) -> list[int]:
        words = (text.lower() if self.do_lower_case else text).split()
        return self._ids(words, (str, _without_punctuation, str.lower))


class PhraseTokenizer(VocabularyTokenizer):
    """Splits as the Penn Treebank does, and joins words that stand in the vocabulary as one phrase: New_York.

    ngram_separator: between the words of a phrase; "" for no phrases.  max_ngram_length: words of the longest phrase
    that is looked for.  Needs the package nltk, without its data.
    """

    config_file_name: ClassVar[str] = "phrasetokenizer_config.json"

    def __init__(
        self,
        vocab: Iterable[str] = (),
        stop_words: Iterable[str] = ENGLISH_STOP_WORDS,
        do_lower_case: bool = False,
        ngram_separator: str = "_",
        max_ngram_length: int = 5,
    ) -> None:
        need("nltk", to="split texts as PhraseTokenizer does")
        self.ngram_separator, self.max_ngram_length = ngram_separator, max_ngram_length
        super().__init__(vocab, stop_words, do_lower_case)

    def set_vocab(self, vocab: Iterable[str]) -> None:
        super().set_vocab(vocab)
        self.ngram_lookup: set[str] = set()
        self.ngram_lengths: set[int] = set()
        for word in self.vocab if self.ngram_separator else ():
            length = word.count(self.ngram_separator) + 1
            if 1 < length <= self.max_ngram_length and 2 * self.ngram_separator not in word:
                self.ngram_lookup.add(word)
                self.ngram_lengths.add(length)

    def tokenize(self, text: str, **kwargs: Any) -> list[int]:
        words = need("nltk", to="split texts as PhraseTokenizer does").word_tokenize(text, preserve_line=True)
        for length in sorted(self.ngram_lengths, reverse=True):
            words = self._joined(words, length)
        return self._ids(words, (str, str.lower, _without_punctuation))

    def _joined(self, words: list[str], length: int) -> list[str]:
        """The words with each phrase of `length` words as one."""
        made, i = [], 0
        while i < len(words):
            phrase = self.ngram_separator.join(words[i : i + length])
            if i + length <= len(words) and (phrase in self.ngram_lookup or phrase.lower() in self.ngram_lookup):
                made.append(phrase if phrase in self.ngram_lookup else phrase.lower())
                i += length
            else:
                made.append(words[i])
                i += 1
        return made

    def get_config_dict(self) -> dict[str, Any]:
        own = {"ngram_separator": self.ngram_separator, "max_ngram_length": self.max_ngram_length}
        return {**super().get_config_dict(), **own}


class TransformersTokenizerWrapper(WordTokenizer):
    """A tokenizer of transformers, with the special tokens that it puts around a text."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self._tokens = tokens_of(tokenizer)

    def set_vocab(self, vocab: Iterable[str]) -> None:
        raise ModelError("the vocabulary of a transformers tokenizer is its own and cannot be set")

    def get_vocab(self) -> dict[str, int]:
        vocabulary: dict[str, int] = self.tokenizer.get_vocab()
        return vocabulary

    def tokenize(self, text: str, **kwargs: Any) -> list[int]:
        ids: list[int] = self._tokens.encode([text], None)[0].ids.tolist()
        return ids

    def to_str(self) -> str:
        """All that it is, as JSON; equal for equal tokenizers."""
        backend = getattr(self.tokenizer, "_tokenizer", None)
        return json.dumps(self.get_vocab(), sort_keys=True) if backend is None else str(backend.to_str())

    def save(self, output_path: str) -> None:
        self.tokenizer.save_pretrained(output_path)

    @classmethod
    def load(cls, input_path: str) -> Self:
        from transformers import AutoTokenizer

        return cls(AutoTokenizer.from_pretrained(input_path))


def _without_punctuation(word: str) -> str:
    return word.strip(string.punctuation)
