"""One line of JSON for each request, and no request is refused for the log's sake."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.server.access_log import Access, AccessLog, request_id
from serving.server.errors import StartError
from serving.server.settings import AccessLogSettings

ACCESS = Access(
    protocol="grpc",
    method="Predict",
    model="co2",
    version=7,
    status="OK",
    ok=True,
    seconds=0.0123456,
    received=120,
    sent=60,
    peer="ipv4:127.0.0.1:5",
    request_id="abc",
)
FAILED = dataclasses.replace(ACCESS, status="INTERNAL", ok=False)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_holds_what_the_documentation_says(tmp_path: Path) -> None:
    log = AccessLog(AccessLogSettings(str(tmp_path / "access.log")))
    log.write(ACCESS)
    log.close()
    (line,) = lines(tmp_path / "access.log")
    assert datetime.fromisoformat(str(line.pop("time"))).tzinfo is not None
    assert line == {
        "protocol": "grpc",
        "method": "Predict",
        "model": "co2",
        "version": 7,
        "status": "OK",
        "milliseconds": 12.346,
        "received_bytes": 120,
        "sent_bytes": 60,
        "peer": "ipv4:127.0.0.1:5",
        "request_id": "abc",
    }


def test_whatever_a_client_sends_stays_on_one_line(tmp_path: Path) -> None:
    log = AccessLog(AccessLogSettings(str(tmp_path / "access.log")))
    nasty = 'co2"}\n{"model": "forged\u2028\x00\x1b[31m'
    log.write(dataclasses.replace(ACCESS, model=nasty, method="x" * 10_000))
    (line,) = lines(tmp_path / "access.log")
    assert line["model"] == nasty
    assert len(str(line["method"])) == 256
    assert (tmp_path / "access.log").read_bytes().isascii()


@pytest.mark.parametrize(
    ("sample", "least", "most"), [(0.0, 0, 0), (0.5, 300, 700), (1.0, 1000, 1000)]
)
def test_the_sample_leaves_out_only_what_went_well(
    tmp_path: Path, sample: float, least: int, most: int
) -> None:
    log = AccessLog(AccessLogSettings(str(tmp_path / "access.log"), sample))
    for _ in range(1000):
        log.write(ACCESS)
        log.write(FAILED)
    written = lines(tmp_path / "access.log")
    assert sum(line["status"] == "INTERNAL" for line in written) == 1000
    assert least <= sum(line["status"] == "OK" for line in written) <= most


def test_no_destination_writes_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    log = AccessLog(AccessLogSettings())
    assert not log.enabled
    log.write(FAILED)
    log.close()
    assert capfd.readouterr() == ("", "")


def test_a_dash_is_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    AccessLog(AccessLogSettings("-")).write(ACCESS)
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err)["request_id"] == "abc"


def test_a_file_that_was_moved_away_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    log = AccessLog(AccessLogSettings(str(path)))
    log.write(ACCESS)
    path.rename(tmp_path / "access.log.1")
    log.write(FAILED)
    assert [line["status"] for line in lines(tmp_path / "access.log.1")] == ["OK"]
    assert [line["status"] for line in lines(path)] == ["INTERNAL"]


def test_a_full_disk_is_told_once_and_harms_no_request(capsys: pytest.CaptureFixture[str]) -> None:
    log = AccessLog(AccessLogSettings("/dev/full"))
    for _ in range(3):
        log.write(ACCESS)
    err = capsys.readouterr().err
    assert err.count("the access log cannot be written") == 1
    assert "Traceback" not in err


def test_a_file_that_cannot_be_opened_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot write the access log"):
        AccessLog(AccessLogSettings(str(tmp_path / "no" / "such" / "folder.log")))


@given(st.text(max_size=200))
def test_an_id_of_a_client_is_kept_only_if_it_is_harmless(text: str) -> None:
    kept = request_id(text)
    assert kept.isascii()
    assert kept.isprintable()
    assert " " not in kept
    assert 0 < len(kept) <= 128


def test_a_harmless_id_is_kept_and_a_missing_one_made() -> None:
    assert request_id("req-1.a:b/c+d=") == "req-1.a:b/c+d="
    assert request_id(None) != request_id(None)
