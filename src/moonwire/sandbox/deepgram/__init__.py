"""Deepgram's listen v1 as a local server."""

from moonwire.sandbox.deepgram.faults import Faults
from moonwire.sandbox.deepgram.hearing import Hearing, Script, Utterance
from moonwire.sandbox.deepgram.records import ConnectionRecord, Pace
from moonwire.sandbox.deepgram.session import ListenSession
from moonwire.sandbox.deepgram.simulator import DeepgramSimulator

__all__ = ["ConnectionRecord", "DeepgramSimulator", "Faults", "Hearing", "ListenSession", "Pace", "Script", "Utterance"]
