"""Translates a jambonz recognizer into the address and query of Deepgram's listen v2 socket; opens nothing.

Source: developers.deepgram.com, API reference "Listen v2 (Flux)"; jambonz feature server, deepgramOptions; both read
2026-11-22.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

from moonwire.spec.components import Recognizer
from moonwire.vendors.deepgram_access import socket_url
from moonwire.vendors.stt.deepgramflux.manifest import DEFAULT_MODEL, MULTILINGUAL_MODEL

LANGUAGES: Final = frozenset({"en", "es", "fr", "de", "hi", "ru", "pt", "ja", "it", "nl"})
"""What the multilingual model knows."""
ANY_LANGUAGE: Final = "multi"
"""How applications that know Deepgram's other models ask for all of them."""
_SWITCHES: Final = {"numerals": "numerals", "mipOptOut": "mip_opt_out"}
_REDACTIONS: Final = frozenset({"numbers", "aggressive_numbers"})
_MAX_KEYTERMS: Final = 100
_LOWEST_EOT: Final = 0.5
_EAGER: Final = (0.3, 0.9)
_TIMEOUT_MS: Final = (500, 60_000)


def listen_url(base_url: str | None) -> str:
    """Return the listen v2 address of an endpoint, without a query.

    Raises:
        ValueError: the text is no usable address.
    """
    return socket_url(base_url, "/v2/listen")


def listen_query(recognizer: Recognizer, default_model: str | None = None) -> str:
    """Return the percent-encoded query for mu-law 8 kHz audio; list parameters are repeated.

    Thresholds outside the vendor's range are moved to its edge. A language other than English takes the multilingual
    model, unless the application chose a model.
    """
    options = recognizer.deepgram_options
    hints = language_codes([*_texts(options.get("languageHints")), *_own_languages(recognizer)])
    several = recognizer.language is not None and recognizer.language.lower() == ANY_LANGUAGE
    model = _model(recognizer, default_model, multilingual=several or any(hint != "en" for hint in hints))
    pairs = [("model", model), ("encoding", "mulaw"), ("sample_rate", "8000"), *_thresholds(options)]
    if model.endswith("-multi"):
        pairs += [("language_hint", hint) for hint in hints]
    profanity = options.get("profanityFilter")
    if (profanity if profanity is not None else recognizer.profanity_filter) is not None:
        pairs.append(("profanity_filter", _flag(profanity if profanity is not None else recognizer.profanity_filter)))
    pairs += [(name, _flag(options[key])) for key, name in _SWITCHES.items() if options.get(key) is not None]
    pairs += [("keyterm", term) for term in _keyterms(recognizer)]
    pairs += [("redact", text) for text in _texts(options.get("redact")) if text in _REDACTIONS]
    pairs += [("tag", text) for text in _texts(options.get("tag"))]
    return urlencode(pairs, quote_via=quote, safe="")


def language_codes(languages: Iterable[str]) -> list[str]:
    """Return the languages that the multilingual model knows, without region, each once."""
    codes = (re.split(r"[-_]", language.strip().lower(), maxsplit=1)[0] for language in languages)
    return list(dict.fromkeys(code for code in codes if code in LANGUAGES))


def _own_languages(recognizer: Recognizer) -> list[str]:
    return [*([recognizer.language] if recognizer.language else []), *recognizer.alt_languages]


def _model(recognizer: Recognizer, default_model: str | None, *, multilingual: bool) -> str:
    options = recognizer.deepgram_options
    for chosen in (options.get("customModel"), options.get("model"), recognizer.model):
        # Applications share one deepgramOptions between vendors: a Nova model means nothing here.
        if isinstance(chosen, str) and chosen.startswith("flux-"):
            return chosen
    if default_model and default_model.startswith("flux-") and not multilingual:
        return default_model
    return MULTILINGUAL_MODEL if multilingual else DEFAULT_MODEL


def _thresholds(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    ends_at = _number(options.get("eotThreshold"))
    if ends_at is not None:
        ends_at = min(1.0, max(_LOWEST_EOT, ends_at))
        pairs.append(("eot_threshold", f"{ends_at:g}"))
    eager = _number(options.get("eagerEotThreshold"))
    if eager is not None:
        eager = min(_EAGER[1], max(_EAGER[0], eager), 0.7 if ends_at is None else ends_at)
        pairs.append(("eager_eot_threshold", f"{eager:g}"))
    timeout_ms = _number(options.get("eotTimeoutMs"))
    if timeout_ms is not None:
        pairs.append(("eot_timeout_ms", str(int(min(_TIMEOUT_MS[1], max(_TIMEOUT_MS[0], timeout_ms))))))
    return pairs


def _keyterms(recognizer: Recognizer) -> list[str]:
    hints = [hint if isinstance(hint, str) else str(hint.get("phrase") or "") for hint in recognizer.hints]
    terms = [*hints, *_texts(recognizer.deepgram_options.get("keyterms"))]
    return list(dict.fromkeys(term.strip() for term in terms if term.strip()))[:_MAX_KEYTERMS]


def _texts(value: object) -> list[str]:
    if value is None or isinstance(value, bool | dict):
        return []
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    return [text for item in items if (text := str(item).strip())]


def _flag(value: object) -> str:
    return "true" if value is True or str(value).lower() in {"true", "1"} else "false"


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
