"""Which modules of the project a folder of migrations imports, told without importing any."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import importing_of, read_catalogue
from tests.core.cataloguing import write

if TYPE_CHECKING:
    from collections.abc import Mapping

UP = "def up(db):\n    pass  # on purpose\n"
FILES = {
    "m/_a/__init__.py": "",
    "m/pkg/__init__.py": "",
    "m/pkg/deep/__init__.py": "from . import one\nfrom ..two import x\n",
    "m/pkg/deep/one.py": "",
    "m/pkg/two.py": "",
    "app/__init__.py": "",
    "app/money.py": "import app.words\n",
    "app/words.py": "",
    "app/broken.py": "def (",
    "bare/inside.py": "",
    "src/lib/__init__.py": "",
    "venv/pyvenv.cfg": "",
    "venv/lib/site-packages/installed.py": "",
}


def found(root: Path, files: Mapping[str, str], *modules: str) -> set[str]:
    write(root, {**FILES, **files})
    path = ["", str(root / "venv" / "lib" / "site-packages"), str(root / "src"), "/nowhere"]
    importing = importing_of(root / "m", root, path, modules)
    texts = read_catalogue(root / "m", importing).texts
    return {Path(path).relative_to(root.resolve()).as_posix() for path in texts} - {"m/001_a.py"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", set()),
        ("import _a\n", {"m/_a/__init__.py"}),
        ("def f():\n    from _a import x\n", {"m/_a/__init__.py"}),
        ("import app.money as a\n", {"app/__init__.py", "app/money.py", "app/words.py"}),
        ("from app import broken\n", {"app/__init__.py", "app/broken.py"}),
        ("import bare.inside\n", {"bare/inside.py"}),
        ("from lib import nothing\n", {"src/lib/__init__.py"}),
        (
            "import pkg.deep\n",
            {"m/pkg/__init__.py", "m/pkg/deep/__init__.py", "m/pkg/deep/one.py", "m/pkg/two.py"},
        ),
        ("import importlib\nimportlib.import_module('_a')\n", {"m/_a/__init__.py"}),
        ("__import__('_a')\n__import__(name)\n__import__('a b')\n", {"m/_a/__init__.py"}),
        ("import installed, json, nowhere\nfrom . import x\nfrom .. import y\n", set()),
    ],
)
def test_what_a_migration_imports_of_the_project_is_read_with_it(
    tmp_path: Path, source: str, expected: set[str]
) -> None:
    assert found(tmp_path, {"m/001_a.py": source + UP}) == expected


def test_a_module_that_is_named_is_read_whoever_imports_it(tmp_path: Path) -> None:
    assert found(tmp_path, {"m/001_a.py": UP}, "app.words") == {"app/__init__.py", "app/words.py"}


def test_without_further_word_the_folder_alone_is_looked_in(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "m/001_a.py": "import _a, app.money\n" + UP})

    texts = read_catalogue(tmp_path / "m").texts

    assert sorted(Path(path).name for path in texts) == ["001_a.py", "__init__.py"]
