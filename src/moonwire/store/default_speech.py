"""Chooses who listens and who speaks for applications that name nobody: a service the operator has configured.

The one marked default wins, then the order below, then the oldest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from moonwire.ports.directory import ApplicationRecord
from moonwire.spec.components import Recognizer, Synthesizer
from moonwire.store.snapshot import Credentials, KnownCredential

_LISTENING = (
    "deepgram",
    "deepgramflux",
    "assemblyai",
    "soniox",
    "speechmatics",
    "gladia",
    "google",
    "microsoft",
    "aws",
)
_SPEAKING = ("cartesia", "elevenlabs", "deepgram", "google", "microsoft", "aws")


@dataclass(frozen=True, slots=True)
class DefaultSpeech:
    """One account's choice."""

    recognizer: Recognizer | None = None
    synthesizer: Synthesizer | None = None

    def fill(self, application: ApplicationRecord) -> ApplicationRecord:
        """Return the application with what it does not name itself."""
        recognizer = application.recognizer or self.recognizer
        synthesizer = application.synthesizer or self.synthesizer
        if recognizer is application.recognizer and synthesizer is application.synthesizer:
            return application
        return replace(application, recognizer=recognizer, synthesizer=synthesizer)


NOBODY = DefaultSpeech()


def default_speech(speech: Credentials) -> Mapping[str, DefaultSpeech]:
    """Return the choice of every account that has a speech service."""
    accounts: dict[str, list[KnownCredential]] = {}
    for (account_sid, _), known in speech.items():
        accounts.setdefault(account_sid, []).extend(known)
    return {account_sid: _choice(known) for account_sid, known in accounts.items()}


def _choice(known: Sequence[KnownCredential]) -> DefaultSpeech:
    listener = _best([one for one in known if one.credential.listens], _LISTENING)
    speaker = _best([one for one in known if one.credential.speaks], _SPEAKING)
    return DefaultSpeech(
        None if listener is None else Recognizer(vendor=listener.credential.vendor, label=listener.credential.label),
        None if speaker is None else Synthesizer(vendor=speaker.credential.vendor, label=speaker.credential.label),
    )


def _best(known: Sequence[KnownCredential], vendors: Sequence[str]) -> KnownCredential | None:
    able = [one for one in known if one.credential.vendor in vendors]
    return min(able, key=lambda one: (not one.is_default, vendors.index(one.credential.vendor)), default=None)
