"""Records the shipped audio: the caller's phrasebook (flite) and the server's own sentences (espeak-ng, flite).

Run by hand when a sentence changes; needs both programs. The results are committed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import msgspec

from moonwire.sandbox.voices import synthesise
from moonwire.sandbox.voices.engine import VoiceKind, available_voice
from moonwire.vendors.tts.prompts import SENTENCES

SOURCE = Path(__file__).resolve().parent.parent / "src" / "moonwire"

PHRASES = (
    "Hello, what are your opening hours?",
    "Hello, can you help me?",
    "Can I book a table for two tomorrow?",
    "Please tell me a story about the moon.",
    "Wait, stop please.",
    "What is the price?",
    "Where are you?",
    "How is the weather today?",
    "I would like to cancel my booking.",
    "Can I speak to a human?",
    "What is your name?",
    "Yes, that is right.",
    "No, thank you.",
    "At seven o'clock in the evening.",
    "Sorry, I did not hear you.",
    "Thank you, goodbye.",
)


def record_phrases(folder: Path) -> None:
    """Write the phrasebook and its index; spoken without commas, a phrase is one stretch of sound."""
    index: dict[str, str] = {}
    for text in PHRASES:
        name = "-".join(re.findall(r"[a-z]+", text.lower())) + ".ulaw"
        (folder / name).write_bytes(synthesise(text.replace(",", ""), "flite"))
        index[text] = name
    (folder / "index.json").write_bytes(msgspec.json.format(msgspec.json.encode(index), indent=2) + b"\n")


def record_prompts(folder: Path) -> None:
    """Write one file per sentence and language."""
    for language, sentences in SENTENCES.items():
        voice: VoiceKind = "flite" if language == "en" else "espeak"
        for name, text in sentences.items():
            (folder / f"{language}-{name}.ulaw").write_bytes(synthesise(text, voice, language=language))


def main() -> int:
    """Record everything; return 1 when a program is missing."""
    if available_voice("espeak") != "espeak" or available_voice("flite") != "flite":
        print("espeak-ng and flite are needed")
        return 1
    record_phrases(SOURCE / "sandbox" / "voices" / "phrases")
    record_prompts(SOURCE / "vendors" / "tts" / "prompts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
