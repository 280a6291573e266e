"""The utterance alone, on a line that only records: what it does when the vendor is late, wrong or twice."""

from __future__ import annotations

import json
from typing import Any

from moonwire.errors import RequestRejectedError, VendorError, VendorUnavailableError
from moonwire.sandbox.contracts.tts import RecordingListener
from moonwire.sandbox.virtual_time import elapse, virtual_time
from moonwire.vendors.tts.cartesia.failures import unreachable
from moonwire.vendors.tts.cartesia.utterance import CartesiaUtterance
from moonwire.vendors.tts.cartesia.wire import ContextRecipe, ServerMessage

RECIPE = ContextRecipe("f786b574-daa5-4673-aa0c-cbe3e8534c02", "sonic-3", "en")


class RecordedLine:
    """Implements the utterance's `Line`."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.open = True
        self.contexts: list[str] = []
        self.released: list[str] = []
        self.suspected = 0
        self.last_failure: VendorError | None = None
        self.secrets = ("key",)

    def transmit(self, payload: bytes) -> bool:
        if self.open:
            self.sent.append(json.loads(payload))
        return self.open

    def adopt(self, utterance: CartesiaUtterance) -> str:
        self.contexts.append(f"c{len(self.contexts) + 1}")
        return self.contexts[-1]

    def release(self, context_id: str) -> None:
        self.released.append(context_id)

    def forget(self, utterance: CartesiaUtterance) -> None:
        pass

    def suspect(self) -> None:
        self.suspected += 1

    def texts(self) -> list[tuple[str, str]]:
        return [(item["context_id"], item["transcript"]) for item in self.sent if item.get("transcript")]


def begin() -> tuple[RecordedLine, RecordingListener, CartesiaUtterance]:
    line, ear = RecordedLine(), RecordingListener()
    return line, ear, CartesiaUtterance(line, RECIPE, ear)


def audio(size: int = 800) -> ServerMessage:
    return ServerMessage("chunk", data=b"\x00" * size)


EXPIRED = ServerMessage("error", status_code=400, title="Context closed", message="Context has closed")
DONE = ServerMessage("done")


@virtual_time
async def test_text_refused_because_its_context_had_expired_is_said_again_once() -> None:
    line, ear, utterance = begin()
    utterance.send_text("One. ")
    utterance.receive(audio())
    await elapse(0.7)
    utterance.send_text("Two. ")
    await elapse(0.4)
    utterance.receive(EXPIRED)
    assert line.texts() == [("c1", "One. "), ("c1", "Two. "), ("c2", "Two. ")]
    utterance.receive(audio())
    utterance.finish()
    utterance.receive(DONE)
    assert (ear.done, ear.failure, len(ear.audio)) == (1, None, 1600)


@virtual_time
async def test_an_end_refused_because_its_context_had_expired_is_the_end() -> None:
    line, ear, utterance = begin()
    utterance.send_text("One.")
    utterance.receive(audio())
    await elapse(0.7)
    utterance.finish()
    await elapse(0.4)
    utterance.receive(EXPIRED)
    assert (ear.done, ear.failure) == (1, None)
    assert line.released == ["c1"]


@virtual_time
async def test_the_same_error_while_audio_flows_is_a_failure() -> None:
    _, ear, utterance = begin()
    utterance.send_text("One.")
    utterance.receive(audio())
    utterance.receive(EXPIRED)
    assert isinstance(ear.failure, RequestRejectedError)


@virtual_time
async def test_a_context_ended_by_the_vendor_goes_on_in_another() -> None:
    line, ear, utterance = begin()
    utterance.send_text("One. ")
    utterance.receive(audio())
    utterance.receive(DONE)
    utterance.send_text("Two. ")
    utterance.receive(DONE)
    assert line.texts() == [("c1", "One. "), ("c2", "Two. "), ("c3", "Two. ")]
    assert ear.done == 0


@virtual_time
async def test_nothing_is_reported_after_the_end() -> None:
    _, ear, utterance = begin()
    utterance.send_text("One.")
    utterance.finish()
    utterance.receive(audio())
    utterance.receive(DONE)
    utterance.receive(audio())
    utterance.receive(DONE)
    utterance.fail(unreachable("x"))
    utterance.lose_connection(unreachable("x"))
    utterance.cancel()
    await elapse(10)
    assert (ear.done, ear.calls_after_end, ear.failure) == (1, 0, None)


@virtual_time
async def test_text_waits_for_the_connection_and_a_retry_keeps_its_order() -> None:
    line, ear, utterance = begin()
    line.open = False
    utterance.send_text("One. ")
    line.open = True
    utterance.resume()
    utterance.receive(ServerMessage("error", status_code=429, error_code="concurrency_limited"))
    utterance.send_text("Two.")
    utterance.finish()
    assert line.texts() == [("c1", "One. ")]
    await elapse(0.3)
    assert line.texts() == [("c1", "One. "), ("c2", "One. "), ("c2", "Two.")]
    assert line.sent[-1]["continue"] is False
    assert ear.failure is None


@virtual_time
async def test_a_stall_names_the_known_cause() -> None:
    line, ear, utterance = begin()
    line.last_failure = unreachable("cannot be reached")
    line.open = False
    utterance.send_text("One.")
    await elapse(3.1)
    assert isinstance(ear.failure, VendorUnavailableError)
    assert line.suspected == 1


@virtual_time
async def test_loss_before_anything_was_sent_costs_no_retry() -> None:
    line, ear, utterance = begin()
    line.open = False
    utterance.send_text("One.")
    for _ in range(3):
        utterance.lose_connection(unreachable("x"))
    line.open = True
    utterance.resume()
    assert line.texts() == [("c1", "One.")]
    assert ear.failure is None


@virtual_time
async def test_loss_after_the_last_flush_is_done() -> None:
    _, ear, utterance = begin()
    utterance.send_text("One.")
    utterance.finish()
    utterance.receive(audio())
    utterance.receive(ServerMessage("flush_done"))
    utterance.lose_connection(unreachable("x"))
    assert (ear.done, ear.failure) == (1, None)


@virtual_time
async def test_loss_in_the_middle_of_a_text_is_told_at_once_although_more_text_may_come() -> None:
    _, ear, utterance = begin()
    utterance.send_text("One and two and three. ")
    utterance.receive(audio())
    utterance.lose_connection(unreachable("x"))
    assert isinstance(ear.failure, VendorUnavailableError)


@virtual_time
async def test_loss_in_a_pause_of_the_model_costs_nothing_even_without_flush_messages() -> None:
    line, ear, utterance = begin()
    utterance.send_text("One. ")
    utterance.receive(audio())
    await elapse(0.6)
    utterance.lose_connection(unreachable("x"))
    utterance.send_text("Two.")
    assert ear.failure is None
    assert line.texts() == [("c1", "One. "), ("c2", "Two.")]


@virtual_time
async def test_only_a_living_context_is_cancelled() -> None:
    line, _, utterance = begin()
    utterance.send_text("One.")
    utterance.finish()
    utterance.receive(audio())
    utterance.receive(DONE)
    assert not any(item.get("cancel") for item in line.sent)
    line, _, utterance = begin()
    utterance.send_text("One.")
    utterance.receive(audio())
    await elapse(2)
    utterance.cancel()
    assert not any(item.get("cancel") for item in line.sent)
    line, _, utterance = begin()
    utterance.send_text("One.")
    utterance.receive(audio())
    utterance.cancel()
    assert line.sent[-1] == {"context_id": "c1", "cancel": True}
