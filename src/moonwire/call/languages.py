"""Decides which voice and which expected language follow from the language the caller is heard to speak; does no I/O.

`languageConfig` names a voice per language; `autoLockLanguage` says whether what is heard changes anything: on the
first utterance, or on every one. A language that is not configured keeps the voice and changes its language only.

Source: jambonz agent verb, languageConfig and autoLockLanguage (@jambonz/schema 0.4.15).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, cast

import structlog
from pydantic import ValidationError

from moonwire.spec.components import Synthesizer

log = structlog.get_logger()


class Languages:
    """One agent's languages.

    Args:
        lock: `autoLockLanguage`.
        config: `languageConfig`, language tag to `{tts: {...}}`.
        base: the agent's own voice.
        expected: the language that the recogniser was told to expect.
    """

    def __init__(
        self,
        lock: bool | Literal["always"],
        config: Mapping[str, Mapping[str, Any]],
        base: Synthesizer,
        expected: str | None = None,
    ) -> None:
        self._lock = lock
        self._config = {_tag(tag): entry for tag, entry in config.items()}
        self._base = base
        self._heard: str | None = None
        self.synthesizer = self._configured(expected) or base
        """The voice that speaks now."""

    def hear(self, language: str) -> bool:
        """Take the language of an utterance; say whether it changes what is expected or spoken."""
        tag = _tag(language)
        if not tag or not self._lock or tag == self._heard or (self._heard is not None and self._lock != "always"):
            return False
        first, self._heard = self._heard is None, tag
        if first and tag == _primary(self.synthesizer.language or "en"):
            return True  # locked to what is spoken already
        own = self._base.model_copy(update={"language": language})
        self.synthesizer = self._configured(language) or own
        return True

    def _configured(self, language: str | None) -> Synthesizer | None:
        """Return the voice that is named for a language: for the very tag, or for its language without region."""
        if not language or not self._config:
            return None
        tag = _tag(language)
        same = [key for key in self._config if _primary(key) == _primary(tag)]
        key = tag if tag in self._config else next(iter(same), None)
        entry = self._config[key].get("tts") if key is not None else None
        if not isinstance(entry, Mapping):
            return None
        return self._merged(cast("Mapping[str, Any]", entry), language)

    def _merged(self, entry: Mapping[str, Any], language: str) -> Synthesizer | None:
        try:
            own = Synthesizer.model_validate({"vendor": self._base.vendor, **entry})
        except ValidationError as error:
            problem = error.errors()[0]
            log.warning(
                "a languageConfig entry is unusable",
                language=language,
                path=".".join(map(str, problem["loc"])),
                why=problem["msg"],
            )
            return None
        if own.vendor != self._base.vendor:
            return own if own.language else own.model_copy(update={"language": language})
        kept = self._base.model_dump(exclude_none=True) | {"language": language}
        return Synthesizer.model_validate(kept | own.model_dump(exclude_unset=True))


def _tag(language: str) -> str:
    return language.strip().replace("_", "-").lower()


def _primary(language: str) -> str:
    return re.split(r"[-_]", language.lower(), maxsplit=1)[0]
