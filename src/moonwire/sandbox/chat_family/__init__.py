"""Simulated OpenAI-compatible vendors: `from moonwire.sandbox.chat_family import ChatFamilySimulator`."""

from moonwire.sandbox.chat_family.quirks import QUIRKS, Quirks
from moonwire.sandbox.chat_family.server import ChatFamilySimulator

__all__ = ["QUIRKS", "ChatFamilySimulator", "Quirks"]
