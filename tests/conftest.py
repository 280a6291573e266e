"""Settings for all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code; what must be fast has its own benchmark.
# The same examples on every run: a change is to blame for a red test. MOONWIRE_FUZZ=1 looks for new ones.
settings.register_profile("moonwire", deadline=None, derandomize=not os.environ.get("MOONWIRE_FUZZ"))
settings.load_profile("moonwire")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give real clients in real time a second try: on a shared machine they may be starved, and it is reported."""
    for item in items:
        if item.get_closest_marker("e2e"):
            item.add_marker(pytest.mark.flaky(reruns=1))
