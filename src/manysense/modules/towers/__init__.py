"""Small towers for each modality in one space: the network of the models that ship with the package."""

from .module import Towers

__all__ = ["Towers"]
