"""Which application an inbound call runs: its number's, else its carrier's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.call.stage import staged

from moonwire.ports.directory import ApplicationRecord
from moonwire.sandbox.caller import Pause
from moonwire.sandbox.virtual_time import virtual_time
from moonwire.store.snapshot import KnownCarrier, Snapshot

HANG_UP = [{"verb": "answer"}, {"verb": "hangup"}]
OF_NUMBER = ApplicationRecord("number", "a", "of the number", None, app_json=HANG_UP)
OF_CARRIER = ApplicationRecord("carrier", "a", "of the carrier", None, app_json=HANG_UP)


@pytest.mark.parametrize(
    ("to", "carrier", "runs"), [("1000", "carrier", "number"), ("2000", "carrier", "carrier"), ("2000", None, None)]
)
@virtual_time
async def test_a_carriers_application_takes_unknown_numbers(
    tmp_path: Path, to: str, carrier: str | None, runs: str | None
) -> None:
    async with staged(tmp_path) as stage:
        known = {"number": OF_NUMBER, "carrier": OF_CARRIER}
        carriers = [KnownCarrier("loopback", account_sid="a", application_sid=carrier)]
        stage.directory.replace_snapshot(Snapshot("a", known, {"1000": "number"}, carriers=carriers))
        _, leg = await stage.call(Pause(3), to=to)
        assert [record.application_sid for record in stage.books.records] == ([runs] if runs else [])
        assert (leg.refused is None) is bool(runs)
