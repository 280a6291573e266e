"""Translates a jambonz recognizer into the address and query of Deepgram's listen v1 socket; opens nothing.

Source: developers.deepgram.com, API reference "Listen (streaming)"; jambonz feature server, deepgramOptions; both
read 2026-11-22.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import quote, urlencode

from moonwire.spec.components import Recognizer
from moonwire.vendors.deepgram_access import socket_url
from moonwire.vendors.stt.deepgram.manifest import DEFAULT_MODEL

_LISTEN_PATH = "/v1/listen"

MAX_KEYTERMS = 100
MAX_KEYTERM_TOKENS = 500
"""Deepgram refuses the connection above 500 tokens over all key terms."""

_SWITCHES = {
    "numerals": "numerals",
    "fillerWords": "filler_words",
    "multichannel": "multichannel",
    "diarize": "diarize",
    "mipOptOut": "mip_opt_out",
}
_REPEATED = {"search": "search", "replace": "replace", "tag": "tag", "redact": "redact"}


def listen_url(base_url: str | None) -> str:
    """Return the listen v1 address of an endpoint, without a query.

    Raises:
        ValueError: the text is no usable address.
    """
    return socket_url(base_url, _LISTEN_PATH)


def listen_query(recognizer: Recognizer, default_model: str | None = None) -> str:
    """Return the percent-encoded query for mu-law 8 kHz mono audio; list parameters are repeated.

    Interim results are asked for whatever the application wants to see, because barge-in on words and UtteranceEnd
    need them.
    """
    options = recognizer.deepgram_options
    model = _model(recognizer, default_model)
    pairs = [("model", model)]
    if version := options.get("version"):
        pairs.append(("version", str(version)))
    if recognizer.language:
        pairs.append(("language", recognizer.language))
    if recognizer.language == "multi" and model.startswith("nova-3"):
        expected = dict.fromkeys([*_texts(options.get("languageHints")), *recognizer.alt_languages])
        pairs += [("language_hint", tag) for tag in expected]
    pairs += [
        ("encoding", "mulaw"),
        ("sample_rate", "8000"),
        ("channels", "1"),
        ("interim_results", "true"),
        ("vad_events", "true"),
        ("smart_format", _flag(options.get("smartFormatting"), True)),
        ("no_delay", _flag(options.get("noDelay"), True)),
        ("punctuate", _flag(_first(options.get("punctuate"), recognizer.punctuation), True)),
        ("endpointing", _endpointing(options.get("endpointing"))),
        ("utterance_end_ms", str(_utterance_end_ms(recognizer))),
    ]
    profanity_filter = _first(options.get("profanityFilter"), recognizer.profanity_filter)
    if profanity_filter is not None:
        pairs.append(("profanity_filter", _flag(profanity_filter, False)))
    pairs += [(name, _flag(options[key], False)) for key, name in _SWITCHES.items() if options.get(key) is not None]
    pairs += _vocabulary(recognizer, model)
    pairs += [(name, text) for key, name in _REPEATED.items() for text in _texts(options.get(key))]
    return urlencode(pairs, quote_via=quote, safe="")


def wants_short_utterances(recognizer: Recognizer) -> bool:
    """Tell whether each settled piece ends the utterance (`deepgramOptions.shortUtterance`)."""
    return _flag(recognizer.deepgram_options.get("shortUtterance"), False) == "true"


def _model(recognizer: Recognizer, default_model: str | None) -> str:
    options = recognizer.deepgram_options
    chosen = options.get("customModel") or options.get("model") or recognizer.model or default_model
    return str(chosen or DEFAULT_MODEL)


def _utterance_end_ms(recognizer: Recognizer) -> int:
    """Return the gap after the last word, at least the vendor's minimum of 1000 ms."""
    chosen = _number(recognizer.deepgram_options.get("utteranceEndMs"))
    if chosen is None and recognizer.asr_timeout is not None:
        chosen = min(recognizer.asr_timeout * 1000, 5000)
    return max(1000, int(chosen)) if chosen is not None else 1000


def _endpointing(value: object) -> str:
    """Return milliseconds of silence before `speech_final`, or `false`; `true` and nonsense mean our default."""
    if value is False or value == "false":
        return "false"
    number = None if isinstance(value, bool) else _number(value)
    return str(int(number)) if number is not None and number >= 0 else "300"


def _vocabulary(recognizer: Recognizer, model: str) -> list[tuple[str, str]]:
    """Return the words to expect: `keyterm` for Nova-3, `keywords` with a boost for older models."""
    options = recognizer.deepgram_options
    hints = [_hint(hint, recognizer.hints_boost) for hint in recognizer.hints]
    hints += [(term, None) for term in _texts(options.get("keyterms"))]
    hints += [_keyword(term) for term in _texts(options.get("keywords"))]
    terms = {phrase: boost for phrase, boost in hints if phrase}
    if model.startswith("nova-3"):
        return [("keyterm", phrase) for phrase in _affordable(terms)]
    return [("keywords", phrase if boost is None else f"{phrase}:{boost}") for phrase, boost in terms.items()]


def _affordable(phrases: Iterable[str]) -> list[str]:
    """Keep as many phrases as the vendor's token limit surely allows; one token is taken as three letters."""
    kept: list[str] = []
    tokens = 0
    for phrase in phrases:
        tokens += 1 + len(phrase) // 3
        if tokens > MAX_KEYTERM_TOKENS or len(kept) == MAX_KEYTERMS:
            break
        kept.append(phrase)
    return kept


def _hint(hint: str | Mapping[str, Any], usual_boost: float | None) -> tuple[str, str | None]:
    phrase, boost = (
        (hint, None) if isinstance(hint, str) else (str(hint.get("phrase") or ""), _number(hint.get("boost")))
    )
    boost = usual_boost if boost is None else boost
    return phrase.strip(), None if boost is None else f"{boost:g}"


def _keyword(text: str) -> tuple[str, str | None]:
    """Split `word:boost`; a colon that is not followed by a number belongs to the word."""
    word, colon, boost = text.rpartition(":")
    return (word, boost) if colon and _number(boost) is not None else (text, None)


def _texts(value: object) -> list[str]:
    if value is None or isinstance(value, bool | dict):
        return ["true"] if value is True else []
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    return [text for item in items if (text := str(item).strip())]


def _first(*values: object) -> object:
    return next((value for value in values if value is not None), None)


def _flag(value: object, default: bool) -> str:
    if value is None:
        return "true" if default else "false"
    return "true" if value is True or str(value).lower() in {"true", "1"} else "false"


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
