"""What a speech vendor tells about itself: the form's fields and the models or voices it is known to have.

One vendor may listen, speak, or both; REST and portal show both sides of a vendor as one form.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from moonwire.vendors.chat_manifest import FormField

SpeechKind = Literal["stt", "tts"]


@dataclass(frozen=True, slots=True)
class SpeechManifest:
    """One side of one vendor."""

    vendor: str
    display_name: str
    kind: SpeechKind
    fields: Sequence[FormField]
    models: Sequence[tuple[str, str]] = ()
    """(id, name) of models, or of voices where voices are the models."""
    docs_url: str = ""


def forms(manifests: Iterable[SpeechManifest]) -> list[dict[str, object]]:
    """Return one JSON-ready form per vendor, in the shape of `GET /v1/llm-vendors/manifest`; `uses` is ours."""
    sides: dict[str, list[SpeechManifest]] = {}
    for one in manifests:
        sides.setdefault(one.vendor, []).append(one)
    return [_form(own) for own in sides.values()]


def _form(sides: Sequence[SpeechManifest]) -> dict[str, object]:
    first = sides[0]
    fields = {one.name: one.document() for side in reversed(sides) for one in side.fields}
    names = [one.name for side in sides for one in side.fields]
    models = [(model, name, side.kind) for side in sides for model, name in side.models]
    return {
        "vendor": first.vendor,
        "displayName": first.display_name,
        "uses": [side.kind for side in sides],
        "authKinds": [
            {
                "kind": "apiKey",
                "displayName": "API key",
                "fields": [fields[name] for name in dict.fromkeys(names)],
            }
        ],
        "knownModels": [{"id": model, "displayName": name, "use": use} for model, name, use in models],
        "supportsModelListing": False,
        "docsUrl": first.docs_url,
    }
