"""Hatch build hook: a wheel or source distribution holds the built portal, or it is not made."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PortalHook(BuildHookInterface):
    """Builds the portal when it has not been built; an editable install works without it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before files are collected."""
        del build_data
        root = Path(self.root)
        page = root / "src/moonwire/api/portal_assets/index.html"
        if version == "editable" or page.is_file():
            return
        subprocess.run(["bash", str(root / "tools/portal.sh")], check=True)
        if not page.is_file():
            raise RuntimeError("the portal was not built; run: make portal")
