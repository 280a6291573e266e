"""Names the build of RNNoise and its publisher; the library is published inside a Python package, not on its own.

That package wants 24 others for the sake of its command line; Moonwire calls the library itself (docs/adr/0009).
"""

from __future__ import annotations

from typing import Final

from moonwire.vendors.published_file import PublishedFile

RNNOISE: Final = PublishedFile(
    use="noise-suppression library",
    name="librnnoise.so",
    sha_256="de5120abce147a72ba343296744ae7cc0a97298e19307c7d3f01cce8c34b18ff",
    publisher="pyrnnoise",
    release="0.4.5",
    licence_name="pyrnnoise-LICENSE",
    setting="MOONWIRE_RNNOISE_LIBRARY",
    without="WebRTC's suppressor stands in for RNNoise",
)
