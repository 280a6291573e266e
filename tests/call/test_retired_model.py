"""A retired model gives the same reason in the Test, on a call and in the alert, whatever the service's setting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from moonwire.ports.directory import VendorCredential
from moonwire.sandbox.caller import HangUp, Pause, WaitForSilence
from moonwire.sandbox.virtual_time import VirtualClock, virtual_time
from moonwire.vendors.connections import VendorConnections
from moonwire.vendors.llm_trial import LlmTester
from moonwire.vendors.trial_report import Stage as TrialStage

from .application import serving
from .stage import AGENT, Stage, staged

RETIRED = "kimi-k2-0711-preview"
REASON = "kimi-k2-0711-preview was retired on 2026-05-25"
LIVE = "kimi-k2.6, kimi-k3, kimi-k3.1-pro, kimi-k3.1-pro-highspeed, kimi-k2.7-code, kimi-k2.7-code-highspeed"
LLM = AGENT["llm"] | {"model": RETIRED}


def configure(stage: Stage, setting: str) -> VendorCredential:
    """Write the setting into the stage's only LLM service."""
    (credential,) = [replace(one, fields={**one.fields, "retired_models": setting}) for one in stage.overlay.llm]
    stage.overlay = replace(stage.overlay, llm=[credential])
    return credential


async def shown_by_the_test(credential: VendorCredential) -> TrialStage:
    """Run the Test as the portal does; returns what it says about the model."""
    connections = VendorConnections(VirtualClock())
    model = replace(credential, fields={**credential.fields, "model_id": RETIRED})
    trial = await LlmTester(connections).test(model)
    await connections.close()
    return next(stage for stage in trial.stages if stage.name == "model")


@pytest.mark.parametrize("setting", ["substitute", "refuse"])
def test_one_reason_everywhere(setting: str, tmp_path: Path) -> None:
    @virtual_time
    async def scene() -> None:
        async with staged(tmp_path) as stage, serving(AGENT | {"llm": LLM}) as application:
            credential = configure(stage, setting)
            stage.run_application(None, application.url)
            shown = await shown_by_the_test(credential)
            report, _ = await stage.call(WaitForSilence(limit_s=8), Pause(3), HangUp())
            assert report.agent_speech, "an answer, or a sentence"
            ((kind, alert, remedy),) = stage.books.alerts
            assert shown.message == f"{REASON}."
            assert REASON in alert
            assert shown.hint == remedy
            assert LIVE in remedy, "the ids that live"
            assert shown.suggested == {"model_id": "kimi-k2.6"}
            if setting == "substitute":
                assert shown.status == "warning"
                assert remedy.startswith("Calls go on with kimi-k2.6; ")
                assert kind == "model-retired"
                (switched,) = stage.named("llm", name="model_switched")
                assert (switched["why"], switched["used"]) == (REASON, "kimi-k2.6")
                assert stage.moonshot.chats[-1].model == "kimi-k2.6"
                assert application.of("jambonz:error") == []
            else:
                assert shown.status == "failed"
                (error,) = stage.named("error")
                assert REASON in error["error"]
                assert error["remedy"] == remedy
                assert REASON in application.of("jambonz:error")[0]["msg"]
                assert application.of("verb:hook")[0]["completion_reason"] == "server error"

    scene()
