"""The `answer` verb: answer the call and do nothing else.

Source: @jambonz/schema 0.4.15, verbs/answer.
"""

from __future__ import annotations

from typing import Literal

from moonwire.spec.components import VerbModel


class Answer(VerbModel):
    """Answer the call."""

    verb: Literal["answer"] = "answer"
