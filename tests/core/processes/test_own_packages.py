"""Our packages in a process of another Python: our modules have them there, and nobody else."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.processes.app_python import own_packages as where_ours_are
from pytest_bbmigrate.processes.launch import PACKAGES, isolated_command
from pytest_bbmigrate.processes.own_packages import OWN, USE_OWN_PACKAGES, Installed, install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# As it would in a process that the app's Python runs, and by any Python, for none has a site here.
FACTS = f"""\
import sys
{USE_OWN_PACKAGES}
sys.path.insert(0, sys.argv[3])
from pytest_bbmigrate.runner.python import RunDatabase, get_ready
from pytest_bbmigrate.sandbox.descendants import living
from pytest_bbmigrate.seeding.values.household import make_faker
import json, sqlite3
get_ready()
facts = {{"living": living(), "drawn": [make_faker(5).name(), make_faker(5).merchant()]}}
facts["shown"] = [name for name in ("click", "faker", "psutil") if name in sys.modules]
db = RunDatabase(sqlite3.connect(":memory:"))
db["t"].insert({{"a": 1}})
facts["rows"] = list(db["t"].rows)
import sqlite_utils
facts["apps"] = sqlite_utils.WHOSE
try:
    import faker
except ImportError as error:
    facts["missing"] = str(error)
print(json.dumps(facts))
"""


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder whose packages ``outer`` and ``inner`` this process has as own ones."""
    monkeypatch.setattr(Installed, "told", "")
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    install(json.dumps({"outer": str(tmp_path), "inner": str(tmp_path)}))
    yield tmp_path
    for name in [*sys.modules]:
        if name.partition(".")[0] == OWN:
            del sys.modules[name]


def written(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)


def own(name: str) -> object:
    return importlib.import_module(f"{OWN}.{name}")


def test_our_modules_have_our_packages_in_a_process_that_has_none(tmp_path: Path) -> None:
    from pytest_bbmigrate.seeding.values.household import make_faker

    written(tmp_path, sqlite_utils="WHOSE = 'the app'")
    told = subprocess.run(
        [sys.executable, "-I", "-S", "-c", FACTS, PACKAGES, where_ours_are(), str(tmp_path)],
        stdout=subprocess.PIPE,
        check=True,
    )

    assert json.loads(told.stdout) == {
        "living": [],
        "drawn": [make_faker(5).name(), make_faker(5).merchant()],
        "shown": [],
        "rows": [{"a": 1}],
        "apps": "the app",
        "missing": "No module named 'faker'",
    }


def test_what_such_a_process_starts_has_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Installed, "told", '{"click": "/somewhere"}')

    assert '{"click": "/somewhere"}' in isolated_command("pytest_bbmigrate.judge.server")


def test_a_package_of_ours_imports_another_in_every_way(others: Path) -> None:
    (others / "inner").mkdir()
    written(others / "inner", __init__="at = 1", deep="at = 2")
    written(
        others,
        outer=(
            "import importlib, json, sys\n"
            "import inner, inner.deep\n"
            "import inner.deep as deep\n"
            "from inner import deep as again\n"
            "from importlib import import_module\n"
            "called = import_module('inner.deep')\n"
            "found = sys.modules['inner'], importlib.import_module('inner')\n"
            "known = 'inner' in sys.modules, 'json' in [*sys.modules], len(sys.modules) > 1\n"
        ),
    )

    outer = own("outer")

    inner, deep = sys.modules[f"{OWN}.inner"], sys.modules[f"{OWN}.inner.deep"]
    assert outer.inner is inner  # type: ignore[attr-defined]
    assert outer.json is json  # type: ignore[attr-defined]
    assert [outer.deep, outer.again, outer.called] == [deep] * 3  # type: ignore[attr-defined]
    assert outer.found == (inner, inner)  # type: ignore[attr-defined]
    assert outer.known == (True, True, True)  # type: ignore[attr-defined]
    assert not {"inner", "outer"} & set(sys.modules)


def test_a_package_of_ours_gets_no_other_driver_of_sqlite(others: Path) -> None:
    written(
        others,
        outer=(
            "from importlib import import_module\n"
            "try:\n    import_module('pysqlite3')\n"
            "except ImportError as error:\n    said = str(error)\n"
        ),
    )

    assert own("outer").said == (  # type: ignore[attr-defined]
        "pysqlite3 is not for the packages of pytest-bbmigrate"
    )


def test_what_is_not_there_is_not_found(others: Path) -> None:
    written(others, outer="")

    for name in ("nothing", "outer.deep", "inner"):
        with pytest.raises(ModuleNotFoundError):
            own(name)


def test_an_extension_that_does_not_say_for_which_python_it_is_is_left_alone(others: Path) -> None:
    (others / "outer.so").write_bytes(b"")

    with pytest.raises(ModuleNotFoundError):
        own("outer")
