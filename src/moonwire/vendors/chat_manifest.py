"""What a language-model vendor tells about itself: the form's fields and the models it is known to have or have had.

REST and portal show it in jambonz's shape with members of ours beside; the adapter, the Test and the model list read
the same data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Thinking = Literal["no", "switchable", "always"]
FieldType = Literal["text", "password", "url", "select"]

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One model id that the vendor has or had."""

    id: str
    context_tokens: int
    thinking: Thinking = "no"
    retired_on: str | None = None
    """ISO date, or a month; None while it is available."""
    successor: str | None = None
    vision: bool = True
    tools: bool = True
    note: str = ""

    @property
    def status(self) -> Literal["available", "retired"]:
        """Whether the vendor's own platform serves it."""
        return "retired" if self.retired_on else "available"

    def document(self) -> dict[str, object]:
        """Return it in jambonz's shape."""
        entry: dict[str, object] = {
            "id": self.id,
            "displayName": self.id,
            "capabilities": {
                "streaming": True,
                "tools": self.tools,
                "vision": self.vision,
                "systemPrompt": True,
                "maxContextTokens": self.context_tokens,
            },
            "status": self.status,
            "thinking": self.thinking,
        }
        if self.note:
            entry["note"] = self.note
        if self.retired_on:
            entry |= {"deprecated": True, "retiredOn": self.retired_on, "successor": self.successor}
        return entry


@dataclass(frozen=True, slots=True)
class FormField:
    """One member of the form; `name` is jambonz's camelCase name."""

    name: str
    label: str
    type: FieldType = "text"
    required: bool = False
    default: str = ""
    help: str = ""
    choices: Sequence[tuple[str, str]] = ()
    """(label, value) of a select's options, or of addresses to choose from."""

    @property
    def member(self) -> str:
        """REST's name of it: `apiKey` -> `api_key`, `baseURL` -> `base_url`."""
        return _WORD_START.sub("_", self.name).lower()

    def document(self) -> dict[str, object]:
        """Return it in jambonz's shape."""
        entry: dict[str, object] = {
            "name": self.name, "label": self.label, "type": self.type, "required": self.required,
        }  # fmt: skip
        if self.default:
            entry["default"] = self.default
        if self.choices:
            name = "options" if self.type == "select" else "suggestions"
            entry[name] = [{"label": label, "value": value} for label, value in self.choices]
        if self.help:
            entry["help"] = self.help
        return entry


def key_field(help_text: str = "", *, required: bool = True) -> FormField:
    """Return the form's API key."""
    return FormField("apiKey", "API Key", "password", required, help=help_text)


def base_url_field(default: str, help_text: str = "", choices: Sequence[tuple[str, str]] = ()) -> FormField:
    """Return the form's address; without a default it must be given."""
    return FormField("baseURL", "Base URL", "url", not default, default, help_text, choices)


RETIRED_MODELS = FormField(
    "retiredModels",
    "Retired models",
    "select",
    default="substitute",
    help="What a call does when the vendor no longer serves the model it asks for.",
    choices=(("Go on with the successor and alert", "substitute"), ("Refuse", "refuse")),
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One vendor."""

    vendor: str
    display_name: str
    fields: Sequence[FormField]
    models: Sequence[KnownModel] = ()
    lists_models: bool = True
    docs_url: str = ""
    auth_kind: str = "apiKey"
    by_id: Mapping[str, KnownModel] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {model.id: model for model in self.models})

    @property
    def regions(self) -> Sequence[tuple[str, str]]:
        """(label, Base URL) of the vendor's platforms whose keys are not interchangeable; empty when it has one."""
        return next((one.choices for one in self.fields if one.type == "url"), ())

    @property
    def available(self) -> list[str]:
        """Ids of the models that the vendor's own platform serves, best for live calls first."""
        return [model.id for model in self.models if not model.retired_on]

    def document(self, more_regions: Sequence[tuple[str, str]] = ()) -> dict[str, object]:
        """Return it in jambonz's shape (`GET /v1/llm-vendors/manifest`).

        Args:
            more_regions: further addresses to choose from (the sandbox's).
        """
        fields = [one.document() for one in self.fields]
        if more_regions:
            for one, entry in zip(self.fields, fields, strict=True):
                if one.type == "url":
                    choices = (*one.choices, *more_regions)
                    entry["suggestions"] = [{"label": label, "value": value} for label, value in choices]
        return {
            "vendor": self.vendor,
            "displayName": self.display_name,
            "authKinds": [{"kind": self.auth_kind, "displayName": "API key", "fields": fields}],
            "knownModels": [model.document() for model in self.models],
            "supportsModelListing": self.lists_models,
            "docsUrl": self.docs_url,
        }
