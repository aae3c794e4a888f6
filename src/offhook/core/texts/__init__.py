"""The words of texts: how they are wished, and what may be done to them before they go."""

from offhook.core.texts.options import PLAIN, MediumWish, TextOptions

__all__ = ["PLAIN", "MediumWish", "TextOptions"]
