"""Opens vendor accounts for calls: finds the credential, hands it to the vendor's adapter, puts fallbacks behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import aiohttp
import structlog
from pydantic import SecretStr

from moonwire.errors import ConfigError, CredentialError
from moonwire.ports.directory import Directory, LlmChoice, VendorCredential
from moonwire.ports.llm import LanguageModel
from moonwire.ports.stt import SpeechToText
from moonwire.ports.tts import TextToSpeech
from moonwire.ports.vendors import LlmSelection, PromptName
from moonwire.spec.components import Recognizer, Synthesizer
from moonwire.vendors.chat_vendor import ConnectOptions
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.llm import credential_from_auth, open_llm
from moonwire.vendors.llm.fallback import FallbackModel
from moonwire.vendors.stt import open_stt
from moonwire.vendors.tts import open_tts
from moonwire.vendors.tts.prompts import prompt

log = structlog.get_logger()

_SAME_COMPANY: Mapping[str, str] = {"deepgramflux": "deepgram"}
"""Vendors that accept another vendor's key and address, because both are products of one company."""


class VendorCatalogue:
    """Implements ports.vendors.Vendors."""

    def __init__(
        self,
        directory: Directory,
        http: aiohttp.ClientSession,
        connections: VendorConnections,
        may_dial: Callable[[str], bool],
    ) -> None:
        self._directory = directory
        self._http = http
        self._connections = connections
        self._may_dial = may_dial

    def speech_to_text(self, account_sid: str, recognizer: Recognizer) -> SpeechToText:
        """Return the recogniser's account."""
        credential = self._speech(account_sid, recognizer, recognizer.deepgram_options.get("apiKey"))
        try:
            return open_stt(credential, self._http, may_dial=self._may_dial)
        except ConfigError as error:
            raise CredentialError(str(error), vendor="stt", remedy="Choose a vendor that this server has.") from None

    def text_to_speech(self, account_sid: str, synthesizer: Synthesizer) -> TextToSpeech:
        """Return the synthesiser's account."""
        credential = self._speech(account_sid, synthesizer, synthesizer.options.get("api_key"))
        try:
            return open_tts(credential, self._http)
        except ConfigError as error:
            raise CredentialError(str(error), vendor="tts", remedy="Choose a vendor that this server has.") from None

    def language_model(self, account_sid: str, selection: LlmSelection) -> LanguageModel:
        """Return the model's account, with its fallbacks behind it."""
        choice = selection.choice
        credential = self._llm(account_sid, choice, selection.auth)
        first = self._open_llm(credential, selection.connect_options)
        fallbacks = selection.fallback or credential.fallback
        others = [(other, model) for other in fallbacks if (model := self._fallback(account_sid, other))]
        return FallbackModel((choice, first), others) if others else first

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
            return open_llm(credential, self._connections, connect)
        except ConfigError as error:
            raise CredentialError(str(error), vendor=credential.vendor, remedy="Check vendor and Base URL.") from None

    def _llm(self, account_sid: str, choice: LlmChoice, auth: Mapping[str, Any] | None) -> VendorCredential:
        if auth:
            return credential_from_auth(choice.vendor, auth)
        credential = self._directory.llm_credential(account_sid, choice.vendor, choice.label)
        if credential is None:
            raise CredentialError(
                f"no credential for the language-model vendor '{choice.vendor}'{_labelled(choice.label)}",
                vendor=choice.vendor,
                remedy="Add one under LLM Services, or under llm_services in the configuration file.",
            )
        return credential

    def _speech(self, account_sid: str, choice: Recognizer | Synthesizer, inline_key: object) -> VendorCredential:
        if isinstance(inline_key, str) and inline_key:
            return VendorCredential(choice.vendor, choice.label, secrets={"api_key": SecretStr(inline_key)})
        credential = self._directory.speech_credential(account_sid, choice.vendor, choice.label)
        company = _SAME_COMPANY.get(choice.vendor)
        if credential is None and company is not None:
            found = self._directory.speech_credential(account_sid, company, choice.label)
            credential = found and replace(found, vendor=choice.vendor)
        if credential is None:
            raise CredentialError(
                f"no credential for the speech vendor '{choice.vendor}'{_labelled(choice.label)}",
                vendor="stt" if isinstance(choice, Recognizer) else "tts",
                remedy="Add one under Speech Services, or under speech_services in the configuration file.",
            )
        return credential


def _labelled(label: str | None) -> str:
    return f" with the label '{label}'" if label else ""
