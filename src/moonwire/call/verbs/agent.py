"""Runs `agent`: plans it, lets it talk, tells the actionHook how it ended."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from moonwire.call.agent import Agent as LiveAgent
from moonwire.call.agent import AgentResult
from moonwire.call.agent_plan import AgentPlan, plan_agent
from moonwire.call.context import Call
from moonwire.call.parties.handoff import conclude
from moonwire.call.snapshot import snapshot
from moonwire.call.turn_meter import usage_report
from moonwire.errors import VendorError
from moonwire.ports.directory import AlertType
from moonwire.spec.payloads import agent_complete
from moonwire.spec.verbs import Agent, Verb

log = structlog.get_logger()


async def run_agent(call: Call, verb: Agent) -> Sequence[Verb] | None:
    """Hold the conversation; the actionHook's answer are the next verbs."""
    try:
        result = await _converse(call, verb)
        call.note("call", name="agent_ended", reason=result.reason, error=result.error)
        call.state.agent_failed = result.error is not None
        handover = result.handover
        following = await conclude(call, handover.hook, handover, verb.id) if handover is not None else None
    finally:
        call.agent = None
    if verb.action_hook is None or (result.handover is not None and result.handover.redirect is not None):
        return following
    payload = agent_complete(
        snapshot(call), result.reason, error=result.error, usage=usage_report(call.state.usage), verb_id=verb.id
    )
    return await call.session.call_hook(verb.action_hook, payload) or following


async def _converse(call: Call, verb: Agent) -> AgentResult:
    try:
        plan = plan_agent(call, verb)
        agent = LiveAgent(call, plan)
    except VendorError as error:
        return await _apologise(call, verb, error)
    _explain_substitution(call, plan)
    call.agent = agent
    with call.noise.during(verb.noise_isolation):
        return await agent.run()


async def _apologise(call: Call, verb: Agent, error: VendorError) -> AgentResult:
    """Say that the agent cannot even start; a caller never hears nothing."""
    call.report(error, verb="agent", verb_id=verb.id, alert=alert_for(error))
    await call.ensure_answered()
    language = verb.tts.language if verb.tts else None
    await call.play_recording("goodbye", language)
    return AgentResult("server error", str(error))


def _explain_substitution(call: Call, plan: AgentPlan) -> None:
    if plan.substituted_engine:
        log.info("turn detection substituted", call_sid=call.sid, asked="krisp", used=plan.engine.name)
    call.note(
        "call",
        name="agent_started",
        turn_detection={"asked": plan.verb.turn_detection.mode, "engine": plan.engine.name},
        barge_in={"asked": plan.verb.barge_in.strategy, "engine": plan.interruptions_judged_by},
        llm={"vendor": plan.llm.choice.vendor, "model": plan.llm.choice.model},
        stt=plan.recognizer.vendor,
        tts=plan.synthesizer.vendor,
    )


def alert_for(error: VendorError) -> AlertType:
    """Choose the operator's alert for a vendor failure that has no better context."""
    return {"stt": "no-stt", "tts": "no-tts"}.get(error.vendor, "llm-failure")  # pyright: ignore[reportReturnType]
