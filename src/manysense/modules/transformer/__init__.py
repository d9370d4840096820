"""The Transformer module and its parts: recipes, policies, chats."""

from .module import Transformer

__all__ = ["Transformer"]
