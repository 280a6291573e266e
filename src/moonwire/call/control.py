"""Carries out commands that reach a running call from outside: from its application now, from REST later."""

from __future__ import annotations

import structlog

from moonwire.call.context import Call, is_being_called
from moonwire.call.script import Script
from moonwire.call.verbs.config import apply_config
from moonwire.errors import SpecError
from moonwire.ports.legs import LegEnd
from moonwire.spec import commands as c
from moonwire.spec.payloads import application_error
from moonwire.spec.verbs import Hangup, Redirect

log = structlog.get_logger()


class CallControl:
    """One call's remote control."""

    def __init__(self, call: Call, script: Script) -> None:
        self._call = call
        self._script = script

    def execute(self, command: c.Command) -> None:
        """Do what a command says; what does not fit the call's state is answered with jambonz:error."""
        call = self._call
        call.note("hook", name="command", command=type(command).__name__)
        match command:
            case c.RedirectCommand():
                self._redirect(command)
            case c.ConfigCommand(config):
                apply_config(call, config)
            case c.AgentUpdateCommand(update):
                self._update_agent(update)
            case c.CallStatusCommand(status):
                self._end(status)
            case c.TagCommand(data):
                call.state.customer_data.update(data)
            case c.MuteCommand(muted):
                call.state.muted = muted
            case c.DtmfCommand(digits, duration_ms):
                call.leg.send_digits(digits, duration_ms)
            case c.ExpectLanguagesCommand(languages):
                if call.agent is not None:
                    call.agent.expect_languages(languages)
            case c.NoiseIsolationCommand(isolation):
                call.noise.apply(isolation)
            case c.ToolOutput() | c.UnknownCommand():
                self._ignore(command)

    def _ignore(self, command: c.ToolOutput | c.UnknownCommand) -> None:
        if isinstance(command, c.UnknownCommand):
            log.info("unknown command ignored", call_sid=self._call.sid, command=command.name)
        else:
            log.info("tool output without a waiting tool call", call_sid=self._call.sid)

    def _end(self, status: str) -> None:
        log.info("application ends the call", call_sid=self._call.sid, status=status)
        if is_being_called(self._call):
            self._call.finish(LegEnd("moonwire", "cancel", 487))
        else:
            self._script.replace([Hangup()])

    def _redirect(self, command: c.RedirectCommand) -> None:
        verbs = [Redirect(action_hook=command.hook)] if command.hook else command.verbs
        if command.queue:
            self._script.append(verbs)
        else:
            self._script.replace(verbs)

    def _update_agent(self, update: c.AgentUpdate) -> None:
        call = self._call
        try:
            if call.agent is None:
                raise SpecError("agent:update without a running agent")
            call.agent.conversation.updates.apply(update)
        except SpecError as error:
            call.session.error(application_error(str(error), verb="agent"))
