"""Runs PocketSphinx in a process of its own, because it holds the interpreter lock while it works.

Standard input: length-prefixed blocks (4 bytes, little-endian): first the phrases as a JSON array, then one block of
16 kHz 16-bit PCM per utterance. Standard output: one JSON line per block, `{"text", "probability"}`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, BinaryIO

import msgspec


def main() -> None:
    """Answer until standard input ends."""
    phrases = msgspec.json.decode(_block(sys.stdin.buffer) or b"[]", type=list[str])
    decoder = open_decoder(phrases)
    _answer("ready", 1.0)
    while (pcm := _block(sys.stdin.buffer)) is not None:
        decoder.start_utt()
        decoder.process_raw(pcm, no_search=False, full_utt=True)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        probability = decoder.get_logmath().exp(hypothesis.prob) if hypothesis else 0.0
        _answer(hypothesis.hypstr if hypothesis else "", min(1.0, float(probability)))


def open_decoder(phrases: list[str]) -> Any:
    """Return a recogniser that knows these phrases only; it holds the interpreter while it works."""
    sphinx: Any = import_module("pocketsphinx")
    decoder = sphinx.Decoder(
        samprate=16000,
        hmm=sphinx.get_model_path("en-us/en-us"),
        dict=sphinx.get_model_path("en-us/cmudict-en-us.dict"),
        lm=None,
        logfn="/dev/null",
    )
    known = [phrase for phrase in phrases if all(decoder.lookup_word(word) for word in phrase.split())]
    decoder.add_jsgf_string("phrases", f"#JSGF V1.0; grammar phrases; public <phrase> = {' | '.join(known)};")
    decoder.activate_search("phrases")
    return decoder


def _block(stream: BinaryIO) -> bytes | None:
    head = stream.read(4)
    return stream.read(int.from_bytes(head, "little")) if len(head) == 4 else None


def _answer(text: str, probability: float) -> None:
    sys.stdout.buffer.write(msgspec.json.encode({"text": text, "probability": probability}) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
