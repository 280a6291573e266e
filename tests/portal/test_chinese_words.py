"""The portal knows every sentence of the error tables and forms in Chinese, so that a new row is not forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from moonwire.vendors.chat_errors import GENERIC_ROWS
from moonwire.vendors.llm import manifests
from moonwire.vendors.speech_manifest import forms
from moonwire.vendors.stt import stt_manifests
from moonwire.vendors.tts import tts_manifests

CATALOGUE = Path(__file__).parents[2] / "portal/src/text/zh-server.ts"
_ENTRY = re.compile(r"\[\s*/(\^.+\$)/(i?),")
_SENTENCE = re.compile(r"[^.!?]+(?:[.!?](?=\S)[^.!?]*)*[.!?]?\s*")


@pytest.fixture(scope="module")
def known() -> list[re.Pattern[str]]:
    found = _ENTRY.findall(CATALOGUE.read_text(encoding="utf-8"))
    assert len(found) > 100
    return [re.compile(pattern, re.IGNORECASE if flag else 0) for pattern, flag in found]


def sentences(text: str) -> list[str]:
    """Cut a text as the portal does (portal/src/text/index.tsx)."""
    return [one.strip() for one in _SENTENCE.findall(text) if one.strip()]


def forms_of_all_vendors() -> Iterator[dict[str, Any]]:
    yield from manifests({})
    yield from forms((*stt_manifests(), *tts_manifests()))


def test_every_failure_and_its_remedy(known: list[re.Pattern[str]]) -> None:
    texts = [text for row in GENERIC_ROWS for text in (f"{row.says[:1].upper()}{row.says[1:]}.", row.remedy)]
    missing = [
        one for text in texts for one in sentences(text) if not any(known_one.search(one) for known_one in known)
    ]
    assert not missing


def test_the_help_of_every_field(known: list[re.Pattern[str]]) -> None:
    kinds = [kind for form in forms_of_all_vendors() for kind in cast("list[dict[str, Any]]", form["authKinds"])]
    helps = {str(field.get("help", "")) for kind in kinds for field in kind["fields"]}
    missing = [
        one for text in helps for one in sentences(text) if not any(known_one.search(one) for known_one in known)
    ]
    assert not missing
