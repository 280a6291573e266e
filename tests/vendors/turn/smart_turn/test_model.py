"""The real model, where it has been fetched; no claim about accuracy, only that it is fed and read as it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from moonwire.errors import ConfigError
from moonwire.vendors.turn.smart_turn.file import find_model
from moonwire.vendors.turn.smart_turn.model import CERTAIN, SmartTurnModel, calibrated


def test_the_model_answers_with_a_probability() -> None:
    path = find_model(Path("var"), None)
    if path is None:
        pytest.skip("not fetched: moonwire models fetch")
    assert 0.0 <= SmartTurnModel(path).score(b"\xff" * 16000) <= 1.0


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="models fetch"):
        SmartTurnModel(path).score(b"\xff" * 1600)


def test_an_even_chance_is_where_finished_and_paused_speech_part() -> None:
    assert calibrated(CERTAIN) == pytest.approx(0.5)
    assert 0.0 < calibrated(0.5) < 0.15
    assert calibrated(0.0) < 0.001
    assert calibrated(1.0) > 0.999
