"""Values as JSON between processes: what goes out comes back, and nothing else comes in."""

from __future__ import annotations

import json
import math
import os
import typing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.apply.model import Rehearsal, TableChange
from pytest_bbmigrate.apply.rehearsal.client import (
    NAMES,
    RESULTS,
    Refused,
    RehearsalInput,
    RehearsalOrder,
)
from pytest_bbmigrate.catalogue import Importing, fingerprint
from pytest_bbmigrate.checks.discards import Discarded
from pytest_bbmigrate.processes import messages
from pytest_bbmigrate.processes.messages import Unreadable, encode_message, read_file, read_message
from pytest_bbmigrate.verdict import Example, Finding, Outcome, Verdict

if TYPE_CHECKING:
    from typing import Any

CELLS = (
    ("none", None),
    ("whole", 9_223_372_036_854_775_807),
    ("real", 0.1),
    ("endless", -math.inf),
    ("text", "a\udc80\x00"),
    ("bytes", b"\x00\xff"),
)
FINDING = Finding(
    "rows lost", "up", Path("m/001.sql"), 3, "tx", count=2, examples=(Example(CELLS, CELLS),)
)
SAID = Rehearsal(
    (Verdict("data_survives", "001", Outcome.FAILED, (FINDING,), notes=("a note",), rows=3),),
    "a digest",
    (TableChange("tx", 3, None, ("new",), former="tx"),),
    (("001", "printed"),),
    (Discarded("tx", "", 2),),
    "wal",
)


def reads(content: bytes) -> Rehearsal | Refused:
    return read_message(content, RESULTS, NAMES)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("rehearsal", SAID), ("refused", Refused("why")), ("rehearsal", Rehearsal(()))],
)
def test_a_result_comes_back_as_it_went(kind: str, value: Rehearsal | Refused) -> None:
    assert reads(encode_message(kind, value)) == value


def test_an_order_comes_back_as_it_went(tmp_path: Path) -> None:
    order = RehearsalOrder(
        tmp_path,
        ("001", "ö\udc80"),
        tmp_path / "db",
        tmp_path,
        invariants=(("a", "SELECT 1"),),
        start=b"\x00\xff",
        fixed=fingerprint(tmp_path, {"/a": b"b"}, [], database=tmp_path / "db"),
        importing=Importing((tmp_path,), ("app",)),
        since=1,
    )
    for sent in (order, replace(order, fixed=None, importing=None, since=None)):
        errand = RehearsalInput(sent, ("/path",))

        assert (
            read_message(encode_message("errand", errand), {"errand": RehearsalInput}, NAMES)
            == errand
        )


@dataclass(frozen=True)
class Limit:
    """A value with a field that may be a real number or nothing."""

    seconds: float | None


@pytest.mark.parametrize("seconds", [300, 0.5, None])
def test_a_whole_number_stands_for_a_real_one(seconds: float | None) -> None:
    said = encode_message("limit", Limit(seconds))

    assert read_message(said, {"limit": Limit}, {}) == Limit(seconds)


def changed(*path: str | int, to: object) -> bytes:
    """Return the message of SAID with another value at a place in it."""
    said = json.loads(encode_message("rehearsal", SAID))
    at: Any = said
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = to
    return json.dumps(said).encode()


VERDICT = ("value", "verdicts", 0)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nothing",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"version": 1, "kind": "refused", "value": {"reason": "x"}, "more": 1}',
        b'{"version": 1, "kind": "refused", "value": {"reason": "x"}, "kind": "refused"}',
        b'{"version": 1, "kind": "refused", "value": {"reason": NaN}}',
        b'{"version": 1, "kind": "refused", "value": {"reason": Infinity}}',
        b'{"version": 1, "kind": "refused", "value": ' + b"[" * 200_000,
        b'{"version": 1, "kind": "refused", "value": ' + b"[" * 500 + b"]" * 500 + b"}",
        changed("version", to=2),
        changed("version", to=True),
        changed("version", to="1"),
        changed("kind", to="errand"),
        changed("kind", to=["rehearsal"]),
        changed("value", to=[]),
        changed("value", "digest", to=None),
        changed("value", "verdicts", to={}),
        changed("value", "verdicts", to=["passed"]),
        changed(*VERDICT, "rows", to=3.0),
        changed(*VERDICT, "rows", to=True),
        changed(*VERDICT, "rows", to={"float": "nan"}),
        changed(*VERDICT, "outcome", to="well"),
        changed(*VERDICT, "outcome", to=["passed"]),
        changed(*VERDICT, "findings", 0, "path", to=1),
        changed(*VERDICT, "findings", 0, "line", to="3"),
        changed(*VERDICT, "findings", 0, "examples", 0, "key", 0, to=["none"]),
        changed(*VERDICT, "findings", 0, "examples", 0, "key", 0, 1, to={"float": "nan"}),
        changed(*VERDICT, "findings", 0, "examples", 0, "key", 0, 1, to={"float": "0x1p99999"}),
        changed(*VERDICT, "findings", 0, "examples", 0, "key", 0, 1, to={"bytes": "%"}),
        changed(*VERDICT, "findings", 0, "examples", 0, "key", 0, 1, to=[]),
        changed("value", "printed", 0, to=["001", "printed", "more"]),
        changed("value", "more", to=1),
    ],
)
def test_what_is_no_message_of_ours_does_not_read(content: bytes) -> None:
    with pytest.raises(Unreadable):
        reads(content)


def test_a_field_that_is_missing_is_no_default() -> None:
    said = json.loads(encode_message("rehearsal", SAID))
    del said["value"]["changes"]

    with pytest.raises(Unreadable, match="rehearsal is not what it must be"):
        reads(json.dumps(said).encode())


def test_a_number_of_many_digits_is_none() -> None:
    with pytest.raises(Unreadable):
        reads(encode_message("rehearsal", SAID).replace(b'"rows": 3', b'"rows": ' + b"9" * 5000))


def test_what_has_no_form_in_json_is_not_sent() -> None:
    with pytest.raises(TypeError):
        encode_message("refused", object())


@pytest.mark.parametrize("kind", ["missing", "folder", "link", "pipe", "long"])
def test_what_is_no_file_of_ours_is_not_read(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MOST_BYTES", 10)
    path = tmp_path / "result"
    (tmp_path / "other").write_bytes(b"12345678901")
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(tmp_path / "other")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "long":
        path = tmp_path / "other"

    with pytest.raises(Unreadable):
        read_file(path)


def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "result").write_bytes(b"12345")

    assert read_file(tmp_path / "result") == b"12345"


def test_the_types_of_what_comes_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Seen:
        line: int

    looked_up: list[type] = []
    look_up = typing.get_type_hints

    def count(of: type, localns: dict[str, Any]) -> dict[str, Any]:
        looked_up.append(of)
        return look_up(of, localns=localns)

    monkeypatch.setattr(typing, "get_type_hints", count)

    lines = [read_message(encode_message("seen", Seen(n)), {"seen": Seen}, {}) for n in (1, 2)]

    assert lines == [Seen(1), Seen(2)]
    assert looked_up == [Seen]
