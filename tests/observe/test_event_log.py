"""Lines arrive in order, complete, in files of the server's user alone; nothing a caller names leaves the directory."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from moonwire.errors import ConfigError
from moonwire.observe.event_log import FileEventLogs


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[FileEventLogs]:
    opened = FileEventLogs(tmp_path)
    yield opened
    opened.close()


def test_lines_in_order(logs: FileEventLogs, tmp_path: Path) -> None:
    log = logs.open("c1")
    log.write("call", -0.5, source="sip", headers={"X": "y"})
    for number in range(5000):
        log.write("stt", number / 50, number=number)
    log.close()
    log.write("stt", 999.0)
    lines = logs.read("c1")
    assert lines[0] == {"kind": "call", "at_s": -0.5, "source": "sip", "headers": {"X": "y"}}
    assert [line["number"] for line in lines[1:]] == list(range(5000))
    path = tmp_path / "calls" / "c1.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_times_survive_exactly(logs: FileEventLogs) -> None:
    log = logs.open("c1")
    for at_s in (0.1 + 0.2, 1 / 3, 12345.678901234567):
        log.write("turn.event", at_s)
    assert [line["at_s"] for line in logs.read("c1")] == [0.1 + 0.2, 1 / 3, 12345.678901234567]


def test_facts_are_taken_as_they_are_now(logs: FileEventLogs) -> None:
    log = logs.open("c1")
    facts = {"n": 1}
    log.write("call", 0.0, facts=facts)
    facts["n"] = 2
    assert logs.read("c1")[0]["facts"] == {"n": 1}


def test_strange_facts_do_not_lose_a_line(logs: FileEventLogs) -> None:
    log = logs.open("c1")
    log.write("call", 0.0, path=Path("/x"), pii_text="half a pair \ud83d", number=float("nan"))
    log.write("call", 1.0, keys={(1, 2): 3})
    first, second = logs.read("c1")
    assert first["path"] == "/x"
    assert first["pii_text"].startswith("half a pair")
    assert second["kind"] == "call"


def test_many_calls_at_once(logs: FileEventLogs) -> None:
    def talk(name: str) -> None:
        log = logs.open(name)
        for number in range(500):
            log.write("x", 0.0, number=number)
        log.close()

    threads = [threading.Thread(target=talk, args=(f"c{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(logs.list()) == [f"c{n}" for n in range(8)]
    for name in logs.list():
        assert [line["number"] for line in logs.read(name)] == list(range(500))
    assert threading.active_count() < 20


def test_a_line_cut_short_is_left_out(logs: FileEventLogs, tmp_path: Path) -> None:
    log = logs.open("c1")
    log.write("call", 0.0)
    logs.flush()
    with (tmp_path / "calls" / "c1.jsonl").open("ab") as file:
        file.write(b'{"kind":"ca\xff')
    assert len(logs.read("c1")) == 1


def test_overflow_is_told(tmp_path: Path) -> None:
    logs = FileEventLogs(tmp_path)
    log = logs.open("c1")
    logs.close()  # nobody takes lines any more
    for _ in range(20_010):
        log.write("x", 1.5)
    log.close()
    lines = log.take_lines().splitlines()
    assert lines[-1] == b'{"kind":"error","at_s":1.5,"lost_lines":10}'
    assert len(lines) == 20_001


def test_reopened_after_close(logs: FileEventLogs) -> None:
    logs.open("c1").write("a", 0.0)
    logs.close()
    assert [line["kind"] for line in logs.read("c1")] == ["a"]
    logs.open("c2").write("b", 0.0)
    assert [line["kind"] for line in logs.read("c2")] == ["b"]


def test_delete(logs: FileEventLogs) -> None:
    logs.open("c1").write("a", 0.0)
    assert logs.delete("c1")
    assert not logs.delete("c1")
    assert logs.list() == []


@pytest.mark.parametrize("sid", ["", "..", "../x", "a/b", "/etc/passwd", ".hidden", "a\n", "x" * 129, "a\0"])
def test_unsafe_sids(logs: FileEventLogs, sid: str) -> None:
    with pytest.raises(ConfigError, match="no call sid"):
        logs.open(sid)
    with pytest.raises(ConfigError):
        logs.read(sid)


def test_unknown_call(logs: FileEventLogs) -> None:
    with pytest.raises(ConfigError, match="There is no event log of call c9"):
        logs.read("c9")
    assert logs.list() == []


def test_full_disk_does_not_end_the_thread(logs: FileEventLogs, tmp_path: Path) -> None:
    log = logs.open("c1")
    log.path.mkdir()
    log.write("a", 0.0)
    logs.flush()
    log.path.rmdir()
    log.write("b", 0.0)
    assert [line["kind"] for line in logs.read("c1")] == ["b"]
