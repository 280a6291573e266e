"""How each verb runs; one file per verb, this file is the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from moonwire.call.context import Call
from moonwire.call.verbs.agent import run_agent
from moonwire.call.verbs.answer import run_answer
from moonwire.call.verbs.config import run_config
from moonwire.call.verbs.dial import run_dial
from moonwire.call.verbs.hangup import run_hangup
from moonwire.call.verbs.pause import run_pause
from moonwire.call.verbs.play import run_play
from moonwire.call.verbs.redirect import run_redirect
from moonwire.call.verbs.say import run_say
from moonwire.call.verbs.sip_decline import run_sip_decline
from moonwire.call.verbs.sip_refer import run_sip_refer
from moonwire.call.verbs.tag import run_tag
from moonwire.call.verbs.transfer import run_transfer
from moonwire.call.verbs.unsupported import run_unsupported
from moonwire.spec import verbs as spec
from moonwire.spec.verbs import Verb

VerbRunner = Callable[[Call, Any], Awaitable[Sequence[Verb] | None]]
"""Runs a verb to its end; verbs returned replace the rest of the stack."""

RUNNERS: dict[type[Verb], VerbRunner] = {
    spec.Agent: run_agent,
    spec.Answer: run_answer,
    spec.Config: run_config,
    spec.Dial: run_dial,
    spec.Hangup: run_hangup,
    spec.Pause: run_pause,
    spec.Play: run_play,
    spec.Redirect: run_redirect,
    spec.Say: run_say,
    spec.SipDecline: run_sip_decline,
    spec.SipRefer: run_sip_refer,
    spec.Tag: run_tag,
    spec.Transfer: run_transfer,
    spec.UnsupportedVerb: run_unsupported,
}
