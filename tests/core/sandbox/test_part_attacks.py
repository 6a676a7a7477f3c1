"""What a Python part tries against the real database, its folder, and the processes around it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.processes.launch import command_with_packages
from pytest_bbmigrate.sandbox import kept, landlock
from tests.core.running import image_of, rows
from tests.core.sandbox.parts import TABLE
from tests.depth import every
from tests.processes import started_here, wait_for_end, wait_until

if TYPE_CHECKING:
    from tests.core.sandbox.parts import Household

pytestmark = pytest.mark.skipif(
    not landlock.abi_version(), reason="the kernel holds nobody here: it has no Landlock"
)
HAS_SCOPES = landlock.abi_version() >= landlock.SCOPED_SINCE

IN_FOLDER = "d = os.open(os.path.dirname(REAL), os.O_RDONLY)\nname = os.path.basename(REAL)\n"
LIBC = "libc = ctypes.CDLL(None)\nname = REAL.encode()\n"
PWRITE = f"{LIBC}print(libc.pwrite(libc.open(name, os.O_WRONLY), b'spoilt', 6, 0))"
LATER = (
    "def write():\n"
    "    time.sleep(0.4)\n"
    "    libc = ctypes.CDLL(None)\n"
    "    libc.pwrite(libc.open(REAL.encode(), os.O_WRONLY), b'spoilt', 6, 0)\n"
    "    libc.unlink(REAL.encode())\n"
)
ATTACKS = {
    "rmtree of its folder": "shutil.rmtree(os.path.dirname(REAL))",
    "rmtree that ignores errors": "shutil.rmtree(os.path.dirname(REAL), ignore_errors=True)",
    "unlink": "os.unlink(REAL)",
    "unlink in a folder": f"{IN_FOLDER}os.unlink(name, dir_fd=d)",
    "open in a folder": f"{IN_FOLDER}os.open(name, os.O_WRONLY | os.O_TRUNC, dir_fd=d)",
    "rename in a folder": f"{IN_FOLDER}os.rename(name, 'mine', src_dir_fd=d, dst_dir_fd=d)",
    "link in a folder": f"{IN_FOLDER}os.link(name, 'mine', src_dir_fd=d, dst_dir_fd=d)",
    "link into its own folder": "os.link(REAL, os.environ['TMPDIR'] + '/mine')",
    "rename of the folder": "os.rename(os.path.dirname(REAL), os.path.dirname(REAL) + '.old')",
    "rename of the folder above": (
        "above = os.path.dirname(os.path.dirname(REAL))\nos.rename(above, above + '.old')"
    ),
    "another library": (
        "import _sqlite3\nlib = ctypes.CDLL(_sqlite3.__file__)\ndb = ctypes.c_void_p()\n"
        "lib.sqlite3_open(REAL.encode(), ctypes.byref(db))\n"
        "print(lib.sqlite3_exec(db, b'DELETE FROM money', None, None, None))"
    ),
    "another program": "subprocess.run(['truncate', '-s', '0', REAL], check=True)",
    "sqlite3 in another program": (
        'code = f\'import sqlite3; db = sqlite3.connect({REAL!r}); db.execute("DELETE FROM money");'
        " db.commit()'\nsubprocess.run([sys.executable, '-c', code], check=True)"
    ),
    "hard link from before": "open(os.path.dirname(REAL) + '/linked', 'wb')",
    "hard link from before, past Python": (
        "libc = ctypes.CDLL(None)\nlinked = os.path.dirname(REAL) + '/linked'\n"
        "libc.truncate(linked.encode(), 0)"
    ),
    "pwrite": PWRITE,
    "mmap": (
        f"{LIBC}import mmap\nd = libc.open(name, os.O_RDWR)\n"
        "mmap.mmap(d if d >= 0 else os.open(REAL, os.O_RDONLY), 0)[:6] = b'spoilt'"
    ),
    "creat": f"{LIBC}libc.creat(name, 0o600)",
    "truncate": f"{LIBC}libc.truncate(name, 0)",
    "a journal beside it": f"{LIBC}libc.creat(name + b'-journal', 0o600)",
    "a symbolic link to it": (
        "os.symlink(REAL, os.environ['TMPDIR'] + '/l')\n"
        "ctypes.CDLL(None).truncate((os.environ['TMPDIR'] + '/l').encode(), 0)"
    ),
    "through its descriptors": (
        "for n in range(3, 64):\n"
        "    for way in (os.ftruncate, os.pwrite):\n"
        "        try: way(n, *((0,) if way is os.ftruncate else (b'x', 0)))\n"
        "        except OSError: pass"
    ),
    "a thread that outlives it": f"{LATER}threading.Thread(target=write).start()",
    "a daemon that outlives it": f"{LATER}threading.Thread(target=write, daemon=True).start()",
    "at its end": f"{LATER}import atexit\natexit.register(write)",
    "a fork that waits": f"{LATER}if not os.fork():\n    write()\n    os._exit(0)",
    "a fork in a session of its own": (
        f"{LATER}if not os.fork():\n    os.setsid()\n    write()\n    os._exit(0)"
    ),
    "a daemon": (
        f"{LATER}if not os.fork():\n    os.setsid()\n    if not os.fork():\n        write()\n"
        "    os._exit(0)"
    ),
    "deleting backups": (
        "folder = os.path.dirname(REAL)\nlibc = ctypes.CDLL(None)\n"
        "for each in os.listdir(folder): libc.unlink(os.path.join(folder, each).encode())"
    ),
    "the memory of the parent": ("open(f'/proc/{os.getppid()}/mem', 'r+b')"),
    "ptrace": "print(ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0))",
    "mode": "os.chmod(REAL, 0o777)",
    "mode, past Python": "ctypes.CDLL(None).chmod(REAL.encode(), 0o777)",
    "mode of the folder": "os.chmod(os.path.dirname(REAL), 0o777)",
    "times": "ctypes.CDLL(None).utimes(REAL.encode(), None)",
    "old times": "os.utime(os.path.dirname(REAL), (5, 5))",
    "attributes": "os.setxattr(os.path.dirname(REAL), 'user.mark', b'x')",
}


@dataclass(frozen=True)
class Scene:
    """All that an attack may reach, as it was."""

    home: Household
    seen: list[tuple[object, ...]]

    @classmethod
    def of(cls, home: Household) -> Scene:
        return cls(home, look_around(home))

    def assert_untouched(self) -> None:
        assert look_around(self.home) == self.seen
        assert [*self.home.parts.iterdir()] == []
        assert started_here() == []


def look_around(home: Household) -> list[tuple[object, ...]]:
    """Return every file and folder around the real database, with its content and attributes."""
    seen: list[tuple[object, ...]] = []
    for path in sorted([home.folder, *home.folder.iterdir()]):
        status = path.stat()
        content = path.read_bytes() if path.is_file() else b""
        extended = tuple(os.listxattr(path))
        times = status.st_mtime_ns if path.is_file() else 0
        seen.append(
            (path, status.st_ino, status.st_mode, status.st_nlink, times, extended, content)
        )
    return seen


@pytest.fixture
def scene(home: Household) -> Scene:
    (home.folder / "linked").hardlink_to(home.real)
    (home.folder / "budget_buddy.db.backup.20260101_000000").write_bytes(home.real.read_bytes())
    return Scene.of(home)


@pytest.mark.parametrize("way", ATTACKS)
def test_nothing_outside_is_touched_and_its_neighbours_run_as_without_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(kept, "ORPHAN_SECONDS", 1.0)
    change = "db.execute('UPDATE money SET cents = cents + 1')"
    first, image = scene.home.run(change, image_of(TABLE))
    attack, after = scene.home.run(ATTACKS[way], image)
    scene.assert_untouched()
    third, last = scene.home.run(change, image)

    assert first.succeeded
    assert attack.succeeded or after == image
    assert third.succeeded
    assert rows(last, "SELECT cents FROM money") == [3, 4]
    time.sleep(0.5 if LATER in ATTACKS[way] else 0)
    scene.assert_untouched()


@pytest.mark.parametrize("way", ["mode, past Python", "times", "old times", "attributes"])
def test_a_change_of_attributes_is_a_failure_that_names_them(scene: Scene, way: str) -> None:
    run, _ = scene.home.run(ATTACKS[way])

    assert run.failure is not None
    assert run.failure.message.startswith("the migration changed the ")
    assert "it was put back" in run.failure.note


def test_what_the_kernel_refuses_is_told_with_the_reason(scene: Scene) -> None:
    log = str(scene.home.folder / "app.log")
    run, _ = scene.home.run(f"import logging\nlogging.FileHandler({log!r})")

    assert run.failure is not None
    assert "Permission denied" in run.failure.message
    assert "have an app open its log or its cache where it starts" in run.failure.note


@pytest.mark.skipif(not HAS_SCOPES, reason="this kernel lets it signal whom it likes")
@pytest.mark.parametrize(
    "body",
    [
        "os.kill(os.getppid(), signal.SIGKILL)",
        "os.kill({pytest}, signal.SIGCONT)",
        "os.kill({bystander}, signal.SIGKILL)",
        "ctypes.CDLL(None).kill({bystander}, signal.SIGKILL)\nos.kill({bystander}, 0)",
        "signal.pidfd_send_signal(os.pidfd_open({bystander}), signal.SIGKILL)",
        "subprocess.run(['sh', '-c', 'kill -9 {bystander}'])\nos.kill({bystander}, 0)",
    ],
)
def test_it_signals_nobody_else(scene: Scene, body: str) -> None:
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        run, _ = scene.home.run(body.format(pytest=os.getpid(), bystander=bystander.pid))

        assert run.failure is not None
        assert "Operation not permitted" in run.failure.message
        assert "reach no other process than its own" in run.failure.note
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
    scene.assert_untouched()


@pytest.mark.skipif(not HAS_SCOPES, reason="this kernel lets it talk to whom it likes")
def test_it_reaches_no_socket_without_a_file(scene: Scene) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0bbmigrate-{os.getpid()}")
        server.listen()
        run, _ = scene.home.run(
            f"import socket\nsocket.socket(socket.AF_UNIX).connect('\\0bbmigrate-{os.getpid()}')"
        )

    assert run.failure is not None
    assert "reach no other process than its own" in run.failure.note


PARENT = """
import sys
from pathlib import Path
from pytest_bbmigrate.catalogue import Migration, PythonPart
from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.processes import forking
from pytest_bbmigrate.sandbox.run_part import run_part


def main(folder, forks):
    forking.can_fork = lambda: forks == "forked"
    part = PythonPart(Path(folder) / "002_step.py", "up", 1)
    migration = Migration("002_step", part.path, (2,), part, None, Contract(), "")
    run_part(migration, part, b"", RunEnvironment(root=Path(folder), parts=Path(folder)))
"""


@pytest.mark.parametrize("forks", ["forked", "started"])
@pytest.mark.parametrize("number", every(2, [signal.SIGKILL, signal.SIGINT]))
def test_it_ends_with_the_process_that_has_asked_for_it(
    tmp_path: Path, forks: str, number: int
) -> None:
    (tmp_path / "a_parent.py").write_text(PARENT)
    (tmp_path / "002_step.py").write_text(
        "import os, subprocess, time\n"
        "def up(db):\n"
        "    left = subprocess.Popen(['sleep', '600'], env={}, start_new_session=True)\n"
        "    with open(os.environ['TMPDIR'] + '/began', 'w') as file:\n"
        "        file.write(f'{os.getpid()} {os.getppid()} {left.pid}.')\n"
        "    time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        command_with_packages("a_parent", str(tmp_path), forks),
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: any(tmp_path.glob("part-*/tmp/began")))
        (began,) = tmp_path.glob("part-*/tmp/began")
        wait_until(lambda: began.read_text().endswith("."))
        pids = [int(pid) for pid in began.read_text().rstrip(".").split()]
        parent.send_signal(number)
        parent.wait(30)
        wait_for_end(*pids, seconds=20)
    finally:
        parent.kill()
        parent.wait()


def test_what_an_app_writes_meanwhile_is_no_fault(scene: Scene) -> None:
    code = (
        "import sqlite3, sys, time; time.sleep(0.3); db = sqlite3.connect(sys.argv[1]); "
        "db.execute('INSERT INTO money VALUES (9)'); db.commit()"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(scene.home.real)]) as app:
        run, _ = scene.home.run("time.sleep(1.5)")
        app.wait()

    assert run.succeeded
    with closing(sqlite3.connect(scene.home.real)) as db:
        assert db.execute("SELECT max(cents) FROM money").fetchone() == (9,)


def test_shared_memory_is_closed_where_the_real_database_lies_in_it() -> None:
    shared = Path(landlock.SHARED_MEMORY)
    if not shared.is_dir():
        pytest.skip("there is none")

    assert landlock.shared_memory_without("/home/money.db", "/home") == (str(shared),)
    assert landlock.shared_memory_without(str(shared / "money.db"), "/home") == ()
    assert landlock.shared_memory_without("/home/money.db", str(shared / "project")) == ()


@pytest.mark.parametrize(
    ("abi", "attributes"),
    [
        (1, (0x1FF2).to_bytes(8, sys.byteorder)),
        (3, (0x7FF2).to_bytes(8, sys.byteorder)),
        (5, (0x7FF2).to_bytes(8, sys.byteorder)),
        (6, b"".join(number.to_bytes(8, sys.byteorder) for number in (0x7FF2, 0, 3))),
        (7, b"".join(number.to_bytes(8, sys.byteorder) for number in (0x7FF2, 0, 3))),
    ],
)
def test_landlock_is_told_what_its_version_knows(abi: int, attributes: bytes) -> None:
    assert landlock.ruleset_attributes(abi) == attributes
