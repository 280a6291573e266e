"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says more about the machine than about the code; what must be fast has its own benchmark.
settings.register_profile("moonwire", deadline=None)
settings.load_profile("moonwire")
