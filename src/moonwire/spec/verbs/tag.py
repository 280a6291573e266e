"""The `tag` verb: attach the application's own data to the call.

Source: @jambonz/schema 0.4.15, verbs/tag.
"""

from __future__ import annotations

from typing import Any, Literal

from moonwire.spec.components import VerbModel


class Tag(VerbModel):
    """Merge `data` into the call's customerData."""

    verb: Literal["tag"] = "tag"
    data: dict[str, Any]
