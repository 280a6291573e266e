"""Carries out commands that reach a running call from outside: from its application now, from REST later."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from moonwire.call.context import Call, is_being_called
from moonwire.call.script import Script
from moonwire.call.verbs.config import apply_config
from moonwire.errors import SpecError
from moonwire.ports.legs import LegEnd
from moonwire.spec import commands as c
from moonwire.spec.payloads import application_error
from moonwire.spec.verbs import Hangup, Redirect, Transfer, Verb

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
                self._expect_languages(languages)
            case c.NoiseIsolationCommand(isolation):
                call.noise.apply(isolation)
            case c.WhisperCommand() | c.TransferCommand() | c.OtherLegCommand():
                self._about_people(command)
            case c.ToolOutput() | c.UnknownCommand():
                self._ignore(command)

    def _about_people(self, command: c.WhisperCommand | c.TransferCommand | c.OtherLegCommand) -> None:
        match command:
            case c.WhisperCommand(verbs):
                self._whisper(verbs, to_person=False)
            case c.TransferCommand(transfer):
                self._transfer(transfer)
            case c.OtherLegCommand(call_sid, other):
                self._command_peer(call_sid, other)

    def _expect_languages(self, languages: Sequence[str]) -> None:
        if self._call.agent is not None:
            self._call.agent.expect_languages(languages)

    def _ignore(self, command: c.ToolOutput | c.UnknownCommand) -> None:
        if isinstance(command, c.UnknownCommand):
            log.info("unknown command ignored", call_sid=self._call.sid, command=command.name)
        else:
            log.info("tool output without a waiting tool call", call_sid=self._call.sid)

    def _whisper(self, verbs: Sequence[Verb], *, to_person: bool) -> None:
        if self._call.bridge is None:
            self._call.session.error(application_error("whisper without a connection with somebody who was dialled"))
        else:
            self._call.bridge.whisper(verbs, to_person=to_person)

    def _transfer(self, transfer: Transfer) -> None:
        call = self._call
        if call.agent is None:
            self._script.replace([transfer])
            return
        try:
            call.agent.conversation.start_transfer(transfer)
        except SpecError as error:
            call.session.error(application_error(str(error), verb="transfer"))

    def _command_peer(
        self, call_sid: str, command: c.MuteCommand | c.DtmfCommand | c.CallStatusCommand | c.WhisperCommand
    ) -> None:
        peer = self._call.peers.get(call_sid)
        if peer is None:
            self._call.session.error(application_error("command for an unknown call leg", details=call_sid[:80]))
            return
        match command:
            case c.MuteCommand(muted):
                peer.muted = muted
            case c.DtmfCommand(digits, duration_ms):
                if peer.leg is not None:
                    peer.leg.send_digits(digits, duration_ms)
            case c.CallStatusCommand():
                peer.give_up()
            case c.WhisperCommand(verbs):
                bridge = self._call.bridge
                self._whisper(verbs, to_person=bridge is not None and bridge.peer is peer)

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
