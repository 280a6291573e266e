"""Verbs of jambonz's vocabulary that Moonwire understands by name but does not run.

They do not spoil a payload; the call reports them by `jambonz:error` when it reaches them.
"""

from __future__ import annotations

from moonwire.spec.components import VerbModel

KNOWN_VERBS = frozenset(
    [
        "alert",
        "conference",
        "dequeue",
        "dialogflow",
        "dtmf",
        "dub",
        "enqueue",
        "gather",
        "leave",
        "lex",
        "listen",
        "llm",
        "message",
        "rasa",
        "rest:dial",
        "sip:request",
        "transcribe",
    ]
)
"""Names after normalisation. Source: @jambonz/schema 0.4.15, verbs/; `lex` and `rasa`: jambonz feature-server 0.9.8."""


class UnsupportedVerb(VerbModel):
    """A verb that is passed over."""

    verb: str
