"""Opens vendor accounts for calls: finds the credential, hands it to the vendor's adapter, puts fallbacks behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import aiohttp
import structlog
from pydantic import SecretStr

from moonwire.errors import ConfigError, CredentialError, VendorError
from moonwire.ports.directory import Directory, LlmChoice, ServiceHealth, VendorCredential
from moonwire.ports.llm import LanguageModel
from moonwire.ports.stt import SpeechToText
from moonwire.ports.tts import TextToSpeech
from moonwire.ports.vendors import LlmSelection, PromptName, VendorSwitch
from moonwire.spec.components import Recognizer, Synthesizer
from moonwire.vendors.chat_completions import Watch
from moonwire.vendors.chat_vendor import ConnectOptions
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.llm import credential_from_auth, open_llm
from moonwire.vendors.llm.fallback import FallbackModel
from moonwire.vendors.speech_fallback import fallback_recognizer, fallback_synthesizer
from moonwire.vendors.stt import open_stt, vendor_names
from moonwire.vendors.stt.fallback import FallbackSpeechToText
from moonwire.vendors.tts import open_tts, tts_vendors
from moonwire.vendors.tts.fallback import FallbackTextToSpeech
from moonwire.vendors.tts.prompts import prompt
from moonwire.vendors.watched_speech import WatchedSpeechToText, WatchedTextToSpeech

log = structlog.get_logger()

_SAME_COMPANY: Mapping[str, str] = {"deepgramflux": "deepgram"}
"""Vendors that accept another vendor's key and address, because both are products of one company."""

_CALLS_OWN_TROUBLE = frozenset({"context-too-long", "content-filtered", "request-rejected"})
"""What one conversation or agent ran into; the service is well."""


MOST_ACCOUNTS = 1000


class VendorCatalogue:
    """Implements ports.vendors.Vendors."""

    def __init__(
        self,
        directory: Directory,
        http: aiohttp.ClientSession,
        connections: VendorConnections,
        may_dial: Callable[[str], bool],
        *,
        guarded_http: aiohttp.ClientSession | None = None,
        health: ServiceHealth | None = None,
    ) -> None:
        """Take what all calls share.

        Args:
            directory: stored credentials.
            http: reaches speech vendors at addresses that the operator wrote.
            connections: language-model vendors' connections.
            may_dial: whether an application may name a host.
            guarded_http: reaches speech vendors at addresses that users chose; judges addresses.
            health: hears how stored credentials do in calls.
        """
        self._directory = directory
        self._http = http
        self._guarded_http = guarded_http or http
        self._connections = connections
        self._may_dial = may_dial
        self._health = health
        self._voices: dict[int, tuple[VendorCredential, TextToSpeech]] = {}
        """Synthesis accounts by their credential object, so that what is said once per account is not said per call."""

    def speech_to_text(
        self, account_sid: str, recognizer: Recognizer, on_switch: Callable[[VendorSwitch], None] | None = None
    ) -> SpeechToText:
        """Return the recogniser's account, with its fallback behind it."""
        other_choice = fallback_recognizer(recognizer)
        if other_choice is None:
            return self._stt(account_sid, recognizer)
        first, other = (_found(self._stt, account_sid, choice) for choice in (recognizer, other_choice))
        if isinstance(other, VendorError):
            return _or_raise(first)
        notice = _notice("stt", recognizer.vendor, other_choice.vendor, on_switch)
        return FallbackSpeechToText(first, other, other_choice, notice)

    def text_to_speech(
        self, account_sid: str, synthesizer: Synthesizer, on_switch: Callable[[VendorSwitch], None] | None = None
    ) -> TextToSpeech:
        """Return the synthesiser's account, with its fallback behind it."""
        other_choice = fallback_synthesizer(synthesizer)
        if other_choice is None:
            return self._tts(account_sid, synthesizer)
        first, other = (_found(self._tts, account_sid, choice) for choice in (synthesizer, other_choice))
        if isinstance(other, VendorError):
            return _or_raise(first)
        notice = _notice("tts", synthesizer.vendor, other_choice.vendor, on_switch)
        return FallbackTextToSpeech(first, other, other_choice, notice)

    def _stt(self, account_sid: str, recognizer: Recognizer) -> SpeechToText:
        _refuse_unknown("speech-to-text", "stt", recognizer.vendor, vendor_names())
        credential = self._speech(account_sid, recognizer, _own_key(recognizer.deepgram_options))
        try:
            account = open_stt(credential, self._session(credential), may_dial=self._may_dial)
        except ConfigError as error:
            raise CredentialError(str(error), vendor="stt", remedy="Choose a vendor that this server has.") from None
        note = self._watch(credential.sid)
        return WatchedSpeechToText(account, note) if note else account

    def _tts(self, account_sid: str, synthesizer: Synthesizer) -> TextToSpeech:
        _refuse_unknown("text-to-speech", "tts", synthesizer.vendor, tts_vendors())
        credential = self._speech(account_sid, synthesizer, _own_key(synthesizer.options))
        known = self._voices.get(id(credential))
        if known is not None:
            return known[1]
        try:
            account = open_tts(credential, self._session(credential))
        except ConfigError as error:
            raise CredentialError(str(error), vendor="tts", remedy="Choose a vendor that this server has.") from None
        note = self._watch(credential.sid)
        watched = WatchedTextToSpeech(account, note) if note else account
        if len(self._voices) >= MOST_ACCOUNTS:
            self._voices.clear()
        self._voices[id(credential)] = (credential, watched)
        return watched

    def _session(self, credential: VendorCredential) -> aiohttp.ClientSession:
        return self._http if credential.by_operator else self._guarded_http

    def language_model(self, account_sid: str, selection: LlmSelection) -> LanguageModel:
        """Return the model's account, with its fallbacks behind it."""
        choice = selection.choice
        credential = self._llm(account_sid, choice, selection.auth)
        first = self._open_llm(credential, selection.connect_options)
        fallbacks = selection.fallback or credential.fallback
        others = [(other, model) for other in fallbacks if (model := self._fallback(account_sid, other))]
        if not others:
            return first
        return FallbackModel((choice, first), others, late=self._late(account_sid, choice, credential))

    def _late(
        self, account_sid: str, first: LlmChoice, opened: VendorCredential
    ) -> Callable[[LlmChoice, VendorError], None]:
        """Return who notes a model that was given up for the next one; it does not know itself that it failed."""

        def note(choice: LlmChoice, error: VendorError) -> None:
            credential = (
                opened if choice is first else self._directory.llm_credential(account_sid, choice.vendor, choice.label)
            )
            if credential is not None and (watch := self._watch(credential.sid)):
                watch(error)

        return note

    def _fallback(self, account_sid: str, choice: LlmChoice) -> LanguageModel | None:
        """Open a fallback; one that has no credential must not cost the first model."""
        try:
            return self._open_llm(self._llm(account_sid, choice, None), {})
        except CredentialError as error:
            log.warning("fallback model left out", vendor=choice.vendor, model=choice.model, error=str(error))
            return None

    def prompt(self, name: PromptName, language: str | None) -> tuple[str, bytes]:
        """Return a recorded sentence."""
        return prompt(name, language)

    def _open_llm(self, credential: VendorCredential, options: Mapping[str, Any]) -> LanguageModel:
        timeout_ms = options.get("timeout")
        connect = ConnectOptions(
            timeout_s=timeout_ms / 1000 if timeout_ms else None,
            max_retries=options.get("max_retries"),
            base_url=options.get("base_url") or options.get("endpoint"),
        )
        try:
            return open_llm(credential, self._connections, connect, self._watch(credential.sid))
        except ConfigError as error:
            raise CredentialError(str(error), vendor=credential.vendor, remedy="Check vendor and Base URL.") from None

    def _watch(self, credential_sid: str | None) -> Watch | None:
        """Return who notes how a stored credential does."""
        health = self._health
        if health is None or credential_sid is None:
            return None

        def note(error: VendorError | None) -> None:
            if error is None:
                health.service_used(credential_sid)
            elif error.code not in _CALLS_OWN_TROUBLE:
                health.service_failed(credential_sid, error.said.cause or error.code, str(error))

        return note

    def _llm(self, account_sid: str, choice: LlmChoice, auth: Mapping[str, Any] | None) -> VendorCredential:
        if auth:
            credential = credential_from_auth(choice.vendor, auth)
            self._refuse_private(credential)
            return _at_home(credential, self._directory.llm_credential(account_sid, choice.vendor, choice.label))
        credential = self._directory.llm_credential(account_sid, choice.vendor, choice.label)
        if credential is None:
            raise CredentialError(
                f"no credential for the language-model vendor '{choice.vendor}'{_labelled(choice.label)}",
                vendor=choice.vendor,
                remedy="Add one under LLM Services, or under llm_services in the configuration file.",
            )
        return credential

    def _refuse_private(self, credential: VendorCredential) -> None:
        """An application may not send us into the operator's networks."""
        for address in (credential.base_url, credential.fields.get("endpoint")):
            host = urlsplit(address if "://" in address else f"https://{address}").hostname if address else None
            if host is not None and not self._may_dial(host):
                raise CredentialError(
                    f"the application's address {host} is private",
                    vendor=credential.vendor,
                    remedy="Allow it in MOONWIRE_PRIVATE_HOSTS, or store the service in the configuration file.",
                )

    def _speech(self, account_sid: str, choice: Recognizer | Synthesizer, key: SecretStr | None) -> VendorCredential:
        credential = self._stored_speech(account_sid, choice)
        if key is not None:
            own = VendorCredential(choice.vendor, choice.label, secrets={"api_key": key}, by_operator=False)
            return _at_home(own, credential)
        if credential is None:
            raise CredentialError(
                f"no credential for the speech vendor '{choice.vendor}'{_labelled(choice.label)}",
                vendor="stt" if isinstance(choice, Recognizer) else "tts",
                remedy="Add one under Speech Services, or under speech_services in the configuration file.",
            )
        return credential

    def _stored_speech(self, account_sid: str, choice: Recognizer | Synthesizer) -> VendorCredential | None:
        credential = self._directory.speech_credential(account_sid, choice.vendor, choice.label)
        company = _SAME_COMPANY.get(choice.vendor)
        if credential is None and company is not None:
            found = self._directory.speech_credential(account_sid, company, choice.label)
            credential = found and replace(found, vendor=choice.vendor)
        return credential


Choice = TypeVar("Choice", Recognizer, Synthesizer)
Account = TypeVar("Account")


def _own_key(options: Mapping[str, Any]) -> SecretStr | None:
    """Return the key that an application put into a vendor's options, in either spelling."""
    key = options.get("apiKey") or options.get("api_key")
    return SecretStr(key) if isinstance(key, str) and key else None


def _refuse_unknown(kind: str, role: str, vendor: str, known: Sequence[str]) -> None:
    """Say at once that there is no such vendor, rather than that it has no credential."""
    if vendor in known:
        return
    own = vendor.startswith("custom:")
    raise CredentialError(
        f"{'custom speech vendors are not supported' if own else f'this server has no {kind} vendor'}: '{vendor[:60]}'",
        vendor=role,
        remedy=f"Use one of: {', '.join(known)}.",
    )


def _at_home(own: VendorCredential, stored: VendorCredential | None) -> VendorCredential:
    """Send an application's own key where the account's calls to this vendor go, unless it names an address itself.

    An account that reaches the vendor through a gateway or a regional host does so with every key.
    """
    if stored is None or not stored.base_url or own.base_url or own.fields.get("endpoint"):
        return own
    return replace(own, fields={**own.fields, "base_url": stored.base_url}, by_operator=stored.by_operator)


def _found(find: Callable[[str, Choice], Account], account_sid: str, choice: Choice) -> Account | VendorError:
    """Return the account, or why there is none: one of two vendors is enough to talk."""
    try:
        return find(account_sid, choice)
    except VendorError as error:
        log.warning("speech vendor left out", vendor=choice.vendor, error=str(error))
        return error


def _or_raise(account: Account | VendorError) -> Account:
    if isinstance(account, VendorError):
        raise account
    return account


def _notice(
    kind: Literal["stt", "tts"], asked: str, used: str, on_switch: Callable[[VendorSwitch], None] | None
) -> Callable[[VendorError], None]:
    def notice(error: VendorError) -> None:
        log.warning("speech vendor switched", kind=kind, asked=asked, used=used, cause=error.code)
        if on_switch is not None:
            on_switch(VendorSwitch(kind, asked, used, error))

    return notice


def _labelled(label: str | None) -> str:
    return f" with the label '{label}'" if label else ""
