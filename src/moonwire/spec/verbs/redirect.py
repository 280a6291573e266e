"""The `redirect` verb: continue at another hook.

Source: @jambonz/schema 0.4.15, verbs/redirect.
"""

from __future__ import annotations

from typing import Literal

from moonwire.spec.components import VerbModel
from moonwire.spec.hooks import HookField


class Redirect(VerbModel):
    """Ask `actionHook` for the verbs that follow."""

    verb: Literal["redirect"] = "redirect"
    action_hook: HookField
    status_hook: HookField | None = None
