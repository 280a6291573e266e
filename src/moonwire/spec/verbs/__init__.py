"""The verbs an application may send; one file per verb, this file is the table."""

from __future__ import annotations

from moonwire.spec.components import WireModel

Verb = WireModel
