"""Tests a speech account in stages with the code that calls use: input, reach, key, talk; says what failed and why.

A recogniser is given a recorded sentence and must answer with words; a synthesiser must answer a short text with audio.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, Protocol, runtime_checkable
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr

from moonwire.core.audio.frames import FRAME_BYTES, SILENCE_FRAME
from moonwire.errors import ConfigError, VendorError
from moonwire.ports.directory import VendorCredential
from moonwire.ports.stt import SpeechToText
from moonwire.ports.tts import SpokenWord, TextToSpeech
from moonwire.spec.components import Recognizer, Synthesizer
from moonwire.vendors.address_guard import AddressGuard
from moonwire.vendors.reach import reach, trouble_of
from moonwire.vendors.stt import open_stt, stt_base_url, vendor_names
from moonwire.vendors.tts import open_tts, tts_base_url, tts_vendors
from moonwire.vendors.tts.prompts import prompt

Kind = Literal["stt", "tts"]
StageStatus = Literal["ok", "warning", "failed", "skipped"]

_KEY_LIMIT_S = 5.0
_TALK_LIMIT_S = 6.0
_SPOKEN = "Hello."
_PAUSE_FRAMES = 50
_NOT_OFFERED = frozenset({404, 405})
_NO_PRODUCT = "not-offered"
_INVISIBLE = re.compile(r"[\s\u00a0\u200b-\u200f\u2060\ufeff]+")


@runtime_checkable
class Knockable(Protocol):
    """An account that can prove address and key without work for the vendor."""

    async def knock(self) -> None:
        """Open one connection as a call would, and close it.

        Raises:
            VendorError: refused or unreachable.
        """
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of the test."""

    name: Literal["input", "reach", "key", "talk"]
    status: StageStatus
    kind: Kind | None = None
    duration_ms: int | None = None
    code: str = ""
    message: str = ""
    hint: str = ""
    request_id: str | None = None
    """The vendor's, for its support."""

    def shown(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "name": self.name,
            "kind": self.kind,
            "status": self.status,
            "duration_ms": self.duration_ms,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "request_id": self.request_id,
        }


@dataclass(frozen=True, slots=True)
class SpeechTrial:
    """How a test went; `report` is jambonz's `{tts, stt}` with the stages beside it."""

    ok: bool
    reason: str
    report: Mapping[str, Any]


async def try_speech(
    credential: VendorCredential, http: aiohttp.ClientSession, guard: AddressGuard | None = None
) -> SpeechTrial:
    """Test everything that this account is meant for and its vendor offers.

    Args:
        credential: stored, or not saved yet; its base URL was judged by whoever took it in.
        http: the session of the calls.
        guard: judges the addresses that a user's base URL leads to; None = all may be reached.
    """
    kinds = _uses(credential)
    if not kinds:
        return _outcome(())
    credential, stage = _cleaned(credential)
    stages = [stage]
    if stage.status != "failed":
        hosts = dict.fromkeys(_base_url(credential, kind) for kind in kinds)
        stages += [await _reach(base_url, guard) for base_url in hosts]
    if any(stage.status == "failed" for stage in stages):
        return _outcome((*stages, *(replace(_SKIPPED, name=name, kind=kind) for kind in kinds for name in _LATER)))
    for kind in kinds:
        stages += await _try_kind(credential, http, kind)
    return _outcome(stages)


def _uses(credential: VendorCredential) -> list[Kind]:
    """Return what the vendor offers and the account is meant for."""
    uses: list[Kind] = []
    if credential.listens and credential.vendor in vendor_names():
        uses.append("stt")
    if credential.speaks and credential.vendor in tts_vendors():
        uses.append("tts")
    return uses


_LATER: Sequence[Literal["key", "talk"]] = ("key", "talk")
_SKIPPED = Stage("talk", "skipped")


def _cleaned(credential: VendorCredential) -> tuple[VendorCredential, Stage]:
    """Take pasted blanks out of the key and judge what is there."""
    key = _INVISIBLE.sub("", credential.api_key)
    if not key:
        return credential, Stage("input", "failed", code="input", message="There is no API key.", hint="Enter the key.")
    if not key.isascii():
        hint = "Copy the key again from the vendor's console."
        return credential, Stage("input", "failed", code="input", message="The key holds unusual letters.", hint=hint)
    base_url = credential.base_url
    if base_url and not _has_host(base_url):
        hint = "Give scheme and host, for example wss://speech.example.com."
        return credential, Stage("input", "failed", code="input", message="The Base URL has no host.", hint=hint)
    cleaned = replace(credential, secrets={**credential.secrets, "api_key": SecretStr(key)})
    if key == credential.api_key:
        return cleaned, Stage("input", "ok")
    # Calls use the key as it is stored, so a blank inside must be seen and not just forgiven.
    hint = "Save the key again without blanks or line breaks."
    return cleaned, Stage("input", "warning", code="input", message="The key holds blanks.", hint=hint)


def _has_host(base_url: str) -> bool:
    try:
        return bool(urlsplit(base_url if "://" in base_url else f"wss://{base_url}").hostname)
    except ValueError:
        return False


def _base_url(credential: VendorCredential, kind: Kind) -> str:
    default = stt_base_url if kind == "stt" else tts_base_url
    return credential.base_url or default(credential.vendor)


async def _reach(base_url: str, guard: AddressGuard | None) -> Stage:
    """Connect to the host, with TLS where calls use it."""
    address = base_url if "://" in base_url else f"wss://{base_url}"
    began_s = asyncio.get_running_loop().time()
    try:
        await reach(address, guard, proxied=False)
    except (OSError, ValueError) as error:
        trouble = trouble_of(error, urlsplit(address).hostname or base_url)
        return Stage("reach", "failed", None, _since(began_s), trouble.code, trouble.message, trouble.hint)
    return Stage("reach", "ok", duration_ms=_since(began_s))


async def _try_kind(credential: VendorCredential, http: aiohttp.ClientSession, kind: Kind) -> list[Stage]:
    try:
        if kind == "stt":
            account = open_stt(credential, http)
            talk = partial(_listen, account, credential.vendor)
        else:
            account = open_tts(credential, http)
            talk = partial(_speak, account, credential.vendor)
    except ConfigError as error:
        failed = Stage("key", "failed", kind, code=error.code, message=str(error), hint="Check the Base URL.")
        return [failed, replace(_SKIPPED, kind=kind)]
    stages: list[Stage] = []
    if isinstance(account, Knockable):
        stages.append(await _timed("key", kind, account.knock(), _KEY_LIMIT_S))
        if stages[-1].status != "ok":
            return [*stages, replace(_SKIPPED, kind=kind)]
    return [*stages, await _timed("talk", kind, talk(), _TALK_LIMIT_S)]


async def _timed(name: Literal["key", "talk"], kind: Kind, work: Coroutine[Any, Any, None], limit_s: float) -> Stage:
    began_s = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(limit_s):
            await work
    except VendorError as error:
        if error.status in _NOT_OFFERED and name == "key":
            what = "speech recognition" if kind == "stt" else "speech synthesis"
            said = f"This address offers no {what}."
            return Stage(
                name, "warning", kind, _since(began_s), _NO_PRODUCT, said, "Use the key for the other use only."
            )
        return Stage(name, "failed", kind, _since(began_s), error.code, str(error), error.remedy, error.request_id)
    except _NothingHeardError:
        hint = "Choose a model and language of the vendor that fit English for this test, or ignore it."
        return Stage(
            name,
            "warning",
            kind,
            _since(began_s),
            "no-words",
            "It listens, but heard no words in the test sentence.",
            hint,
        )
    except TimeoutError:
        hint = "Try again; if it persists see the vendor's status page."
        return Stage(name, "failed", kind, _since(began_s), "stalled", f"Nothing came within {limit_s:g} s.", hint)
    return Stage(name, "ok", kind, _since(began_s))


class _NothingHeardError(Exception):
    """The recogniser noticed sound but gave no words."""


async def _listen(account: SpeechToText, vendor: str) -> None:
    """Let it hear a recorded sentence; words prove it."""
    _, speech = prompt("say_again", "en")
    ear = _Ear()
    stream = account.open(Recognizer(vendor=vendor), ear)
    try:
        for at in range(0, len(speech) - FRAME_BYTES + 1, FRAME_BYTES):
            stream.send_audio(speech[at : at + FRAME_BYTES])
        for _ in range(_PAUSE_FRAMES):
            stream.send_audio(SILENCE_FRAME)
        stream.finalize()
        async with asyncio.timeout(_TALK_LIMIT_S - 1):
            await ear.words
    except TimeoutError:
        if ear.noticed:
            raise _NothingHeardError from None
        raise
    finally:
        await stream.close()


async def _speak(account: TextToSpeech, vendor: str) -> None:
    """Let it say a word; the first audio proves it."""
    voice = account.open(Synthesizer(vendor=vendor))
    mouth = _Mouth()
    utterance = voice.speak(mouth)
    try:
        utterance.send_text(_SPOKEN)
        utterance.finish()
        await mouth.audio
    finally:
        utterance.cancel()
        await voice.close()


def _future() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


def _settle(future: asyncio.Future[None], error: VendorError | None = None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


@dataclass(slots=True)
class _Ear:
    """Implements ports.stt.SttListener."""

    words: asyncio.Future[None] = field(default_factory=_future)
    noticed: bool = False

    def on_stt_speech_started(self) -> None:
        self.noticed = True

    def on_stt_interim(self, text: str) -> None:
        _settle(self.words)

    def on_stt_final(self, text: str, confidence: float) -> None:
        _settle(self.words)

    def on_stt_end_of_turn(self) -> None:
        self.noticed = True

    def on_stt_early_end_of_turn(self, text: str) -> None:
        self.noticed = True

    def on_stt_turn_resumed(self) -> None:
        self.noticed = True

    def on_stt_language(self, language: str) -> None:
        self.noticed = True

    def on_stt_failed(self, error: VendorError) -> None:
        _settle(self.words, error)


@dataclass(slots=True)
class _Mouth:
    """Implements ports.tts.TtsListener."""

    audio: asyncio.Future[None] = field(default_factory=_future)

    def on_tts_audio(self, audio: bytes) -> None:
        _settle(self.audio)

    def on_tts_words(self, words: Sequence[SpokenWord]) -> None:
        del words

    def on_tts_done(self) -> None:
        _settle(self.audio, VendorError("The synthesiser gave no audio", vendor="tts"))

    def on_tts_failed(self, error: VendorError) -> None:
        _settle(self.audio, error)


def _since(began_s: float) -> int:
    return round((asyncio.get_running_loop().time() - began_s) * 1000)


def _outcome(stages: Sequence[Stage]) -> SpeechTrial:
    failed = [stage for stage in stages if stage.status == "failed"]
    if not failed and stages and all(stage.code == _NO_PRODUCT for stage in stages if stage.name == "key"):
        failed = [stage for stage in stages if stage.name == "key"]
    warned = any(stage.status == "warning" for stage in stages)
    overall = "not_tested" if not stages else "failed" if failed else "ok_with_warnings" if warned else "ok"
    audible = next(
        (one.duration_ms for one in stages if (one.name, one.kind, one.status) == ("talk", "tts", "ok")), None
    )
    report = {
        "tts": _verdict(stages, "tts"),
        "stt": _verdict(stages, "stt"),
        "status": overall,
        "stages": [stage.shown() for stage in stages],
        "time_to_first_audio_ms": audible,
    }
    reason = failed[0].message if failed else "" if stages else "No test is available for this vendor."
    return SpeechTrial(not failed, reason, report)


def _verdict(stages: Sequence[Stage], kind: Kind) -> dict[str, str]:
    """Return jambonz's verdict about one use of the key."""
    own = [stage for stage in stages if stage.kind in {kind, None}]
    if not any(stage.kind == kind for stage in own):
        return {"status": "not tested"}
    if any(stage.code == _NO_PRODUCT and stage.kind == kind for stage in own):
        return {"status": "not tested"}
    failed = next((stage for stage in own if stage.status == "failed"), None)
    return {"status": "ok"} if failed is None else {"status": "fail", "reason": failed.message}
