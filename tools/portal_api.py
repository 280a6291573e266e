"""Writes the OpenAPI document that the portal's client is generated from; with --check only compares."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast

from moonwire.api.application import create_api
from moonwire.api.health import HealthSources
from moonwire.api.services import ApiServices

DOCUMENT = Path(__file__).resolve().parent.parent / "portal" / "openapi.json"


def document() -> str:
    """Return the document as it is kept: sorted, without the version, which changes with every release."""
    nothing = cast("Any", None)
    app = create_api(HealthSources({}, lambda: (b"", "")), ApiServices(nothing, nothing, nothing, nothing))
    api = app.openapi()
    api["info"]["version"] = "0"
    return json.dumps(api, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write or compare; return 1 when they differ."""
    if "--check" not in sys.argv:
        DOCUMENT.write_text(document(), encoding="utf-8")
        return 0
    if DOCUMENT.read_text(encoding="utf-8") == document():
        return 0
    print("portal/openapi.json is not what the API says; run: make portal-client")
    return 1


if __name__ == "__main__":
    sys.exit(main())
