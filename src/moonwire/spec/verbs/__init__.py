"""The verbs an application may send; one file per verb, this file is the table and the reader of payloads.

Source: @jambonz/schema 0.4.15, lib/normalize.js for the two element forms and the synonyms; `room` is ours to map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from moonwire.errors import SpecError
from moonwire.spec import leniency
from moonwire.spec.components import VerbModel
from moonwire.spec.verbs import agent, dial, transfer
from moonwire.spec.verbs.agent import Agent
from moonwire.spec.verbs.answer import Answer
from moonwire.spec.verbs.config import Config
from moonwire.spec.verbs.dial import Dial
from moonwire.spec.verbs.hangup import Hangup
from moonwire.spec.verbs.pause import Pause
from moonwire.spec.verbs.play import Play
from moonwire.spec.verbs.redirect import Redirect
from moonwire.spec.verbs.say import Say
from moonwire.spec.verbs.sip_decline import SipDecline
from moonwire.spec.verbs.sip_refer import SipRefer
from moonwire.spec.verbs.tag import Tag
from moonwire.spec.verbs.transfer import Transfer
from moonwire.spec.verbs.unsupported import KNOWN_VERBS, UnsupportedVerb

Verb = (
    Agent
    | Answer
    | Config
    | Dial
    | Hangup
    | Pause
    | Play
    | Redirect
    | Say
    | SipDecline
    | SipRefer
    | Tag
    | Transfer
    | UnsupportedVerb
)

MODELS: Mapping[str, type[VerbModel]] = {
    "agent": Agent,
    "answer": Answer,
    "config": Config,
    "dial": Dial,
    "hangup": Hangup,
    "pause": Pause,
    "play": Play,
    "redirect": Redirect,
    "say": Say,
    "sip:decline": SipDecline,
    "sip:refer": SipRefer,
    "tag": Tag,
    "transfer": Transfer,
}
"""Verbs that run, by their canonical name."""

SYNONYMS: Mapping[str, tuple[str, str | None]] = {
    "stream": ("listen", None),
    "room": ("conference", None),
    "s2s": ("llm", None),
    "openai_s2s": ("llm", "openai"),
    "microsoft_s2s": ("llm", "microsoft"),
    "google_s2s": ("llm", "google"),
    "elevenlabs_s2s": ("llm", "elevenlabs"),
    "deepgram_s2s": ("llm", "deepgram"),
    "voiceagent_s2s": ("llm", "voiceagent"),
    "ultravox_s2s": ("llm", "ultravox"),
    "qwen_s2s": ("llm", "qwen"),
    "gptlive_s2s": ("llm", "gptlive"),
    "nova_s2s": ("llm", "nova"),
    "voicelive_s2s": ("llm", "voicelive"),
}
"""Other names of a verb, with the vendor they imply; an explicit vendor wins."""

_MAY_DROP: Mapping[str, Callable[[leniency.Location], bool]] = {
    "agent": agent.may_drop,
    "dial": dial.may_drop,
    "transfer": transfer.may_drop,
}
_MOST_VERBS = 1000


@dataclass(frozen=True, slots=True)
class Parsed:
    """A usable payload."""

    verbs: tuple[Verb, ...]
    warnings: tuple[str, ...] = ()
    """One sentence with a path per member that was wrong and left out, for example `[0].bargeIn.threshold: ...`."""


def parse_verbs(payload: object) -> Parsed:
    """Read an application's verb array.

    Args:
        payload: decoded JSON.

    Raises:
        SpecError: not an array of verbs, an unknown verb, or a verb that cannot run; `path` names the place,
            for example `[1].llm.vendor`. The whole payload is rejected.
    """
    if not isinstance(payload, list):
        raise SpecError("malformed jambonz payload: must be array")
    elements = cast("list[object]", payload)
    if len(elements) > _MOST_VERBS:
        raise SpecError(f"malformed jambonz payload: more than {_MOST_VERBS} verbs")
    verbs: list[Verb] = []
    warnings: list[str] = []
    for index, element in enumerate(elements):
        verb, problems = _parse_verb(element, f"[{index}]")
        verbs.append(verb)
        warnings += problems
    return Parsed(tuple(verbs), tuple(warnings))


def parse_config(body: object) -> tuple[Config, list[str]]:
    """Read the body of a `config` command: a config verb without its name.

    Raises:
        SpecError: as parse_verbs.
    """
    if not isinstance(body, dict):
        raise SpecError("config must be an object")
    members = {name: value for name, value in cast("dict[str, Any]", body).items() if name != "verb"}
    return leniency.validate(Config, members, "", lambda _: False)


def _parse_verb(element: object, path: str) -> tuple[Verb, list[str]]:
    name, members = _normalised(element, path)
    model = MODELS.get(name)
    if model is None:
        if name in KNOWN_VERBS:
            identifier = members.get("id")
            return UnsupportedVerb(verb=name, id=identifier if isinstance(identifier, str) else None), []
        raise SpecError(f"unknown verb {name[:60]!r}", path=path)
    verb, problems = leniency.validate(model, members, path, _MAY_DROP.get(name, lambda _: False))
    return cast("Verb", verb), problems


def _normalised(element: object, path: str) -> tuple[str, dict[str, Any]]:
    if not isinstance(element, dict):
        raise SpecError("malformed jambonz payload: must be array of objects", path=path)
    members = cast("dict[str, Any]", element)
    if "verb" in members:
        name: object = members["verb"]
        data: object = {key: value for key, value in members.items() if key != "verb"}
    elif len(members) == 1:
        name, data = next(iter(members.items()))
        data = {} if data is None else data
    else:
        raise SpecError("malformed jambonz payload: missing verb property", path=path)
    if not isinstance(name, str):
        raise SpecError("must be a string", path=f"{path}.verb")
    if not isinstance(data, dict):
        raise SpecError("must be an object", path=f"{path}.{name[:60]}")
    body = {key: value for key, value in cast("dict[str, Any]", data).items() if key != "verb"}
    canonical, vendor = SYNONYMS.get(name, (name, None))
    return canonical, {"vendor": vendor, **body} if vendor else body


__all__ = [
    "MODELS",
    "SYNONYMS",
    "Agent",
    "Answer",
    "Config",
    "Dial",
    "Hangup",
    "Parsed",
    "Pause",
    "Play",
    "Redirect",
    "Say",
    "SipDecline",
    "SipRefer",
    "Tag",
    "Transfer",
    "UnsupportedVerb",
    "Verb",
    "parse_config",
    "parse_verbs",
]
