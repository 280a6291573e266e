"""Names the Smart Turn model and its publisher; the model is published inside a Python package, not on its own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from moonwire.vendors.published_file import PublishedFile

SMART_TURN: Final = PublishedFile(
    use="turn-detection model",
    name="smart-turn-v3.2-cpu.onnx",
    sha_256="2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
    publisher="pipecat-ai",
    release="1.14.0",
    licence_name="smart-turn-LICENSE",
    setting="MOONWIRE_TURN_MODEL",
    without="turns are ended by a silence timer",
)


def find_model(data_dir: Path, own: Path | None) -> Path | None:
    """Return the model to use; errors as `PublishedFile.find`."""
    return SMART_TURN.find(data_dir, own)
