"""The sentences the server can say without any vendor: shipped recordings for when synthesis itself is dead.

Recorded with flite 2.2 `slt` (English) and espeak-ng 1.51 (other languages), 8 kHz mu-law.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from moonwire.ports.vendors import PromptName

SENTENCES: Final[Mapping[str, Mapping[PromptName, str]]] = {
    "en": {
        "hold_on": "Sorry, I am having technical trouble. Please hold on.",
        "goodbye": "Sorry, something went wrong. Please try again later. Goodbye.",
        "say_again": "Sorry, I did not catch that.",
    },
    "es": {
        "hold_on": "Perdone, tengo un problema técnico. Espere un momento, por favor.",
        "goodbye": "Perdone, algo ha fallado. Inténtelo de nuevo más tarde. Adiós.",
        "say_again": "Perdone, no le he entendido.",
    },
    "fr": {
        "hold_on": "Désolé, j'ai un problème technique. Un instant, s'il vous plaît.",
        "goodbye": "Désolé, une erreur s'est produite. Veuillez réessayer plus tard. Au revoir.",
        "say_again": "Désolé, je n'ai pas compris.",
    },
    "de": {
        "hold_on": "Entschuldigung, ich habe ein technisches Problem. Bitte bleiben Sie dran.",
        "goodbye": "Entschuldigung, etwas ist schiefgegangen. Bitte rufen Sie später noch einmal an. Auf Wiederhören.",
        "say_again": "Entschuldigung, das habe ich nicht verstanden.",
    },
    "it": {
        "hold_on": "Mi scusi, ho un problema tecnico. Attenda un momento, per favore.",
        "goodbye": "Mi scusi, qualcosa è andato storto. Riprovi più tardi. Arrivederci.",
        "say_again": "Mi scusi, non ho capito.",
    },
    "pt": {
        "hold_on": "Desculpe, estou com um problema técnico. Aguarde um momento, por favor.",
        "goodbye": "Desculpe, algo deu errado. Por favor, tente mais tarde. Adeus.",
        "say_again": "Desculpe, não entendi.",
    },
    "zh": {
        "hold_on": "对不起，我遇到了技术问题，请稍等。",
        "goodbye": "对不起，出了点问题，请稍后再试。再见。",
        "say_again": "对不起，我没听清楚。",
    },
}


def prompt(name: PromptName, language: str | None = None) -> tuple[str, bytes]:
    """Return a sentence and its recording.

    Args:
        name: `hold_on` (technical trouble), `goodbye` (the call ends), `say_again` (nothing was understood).
        language: as in `synthesizer.language` ("es-MX"); English when there is no recording in it.

    Returns:
        The text, and mu-law 8 kHz.
    """
    primary = re.split(r"[-_]", (language or "en").lower(), maxsplit=1)[0]
    primary = {"cmn": "zh", "yue": "zh"}.get(primary, primary)
    spoken = primary if primary in SENTENCES else "en"
    return SENTENCES[spoken][name], _recording(spoken, name)


@cache
def _recording(language: str, name: PromptName) -> bytes:
    return (resources.files("moonwire.vendors.tts.prompts") / f"{language}-{name}.ulaw").read_bytes()
