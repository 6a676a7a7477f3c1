"""Ask git what a folder held at a commit. Nothing is written to the repository, nor fetched."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

REGULAR = ("100644", "100755")  # modes of files; a link's content is the name of another file
# What a hook of git's sets would have git look elsewhere than in the folder.
KEPT = "GIT_CONFIG"
ADDED = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_LITERAL_PATHSPECS": "1"}


@dataclass(frozen=True)
class Revision:
    """The ``commit`` to compare ``folder`` with; ``ref`` is how it was asked for.

    Where HEAD has gone another way than ``ref``, it is the last commit that both have.
    """

    folder: Path
    ref: str
    commit: str


def find_revision(folder: Path, ref: str) -> Revision:
    """Return the commit that ``folder`` is to be compared with.

    Raises: SettingsError when there is no git, no repository, or no such commit in it.
    """
    ask_git(folder, "rev-parse", "--git-dir")
    found = try_git(folder, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if not ref or ref.startswith("-") or found is None:
        raise SettingsError(
            f"git knows no commit {ref!r} here; give a branch, a tag or a commit, and in a shallow "
            "clone fetch it first (git fetch --unshallow, or fetch-depth: 0)"
        )
    commit = found.decode().strip()
    shared = try_git(folder, "merge-base", commit, "HEAD")
    return Revision(folder, ref, commit if shared is None else shared.decode().split()[0])


def files_at(revision: Revision) -> dict[str, bytes]:
    """Return what the folder held then: the content of each file, by its path within the folder.

    Raises: SettingsError when git does not give it.
    """
    folder = revision.folder
    prefix = ask_git(folder, "rev-parse", "--show-prefix").decode().rstrip("\n").rstrip("/")
    tree = f"{revision.commit}:{prefix}"
    if try_git(folder, "rev-parse", "--verify", "--quiet", tree) is None:
        return {}
    listing = ask_git(folder, "ls-tree", "-r", "-z", "--full-tree", tree)
    objects = dict(_files_in(listing))
    contents = ask_git(folder, "cat-file", "--batch", given="\n".join(objects.values()))
    return dict(zip(objects, _contents_in(contents), strict=True))


def file_at(revision: Revision, path: Path) -> bytes | None:
    """Return what the file ``path`` held then; None where it was not there, or not in git."""
    return try_git(path.parent, "cat-file", "blob", f"{revision.commit}:./{path.name}")


def last_change(revision: Revision, paths: Iterable[Path]) -> str:
    """Return the last commit since then that touched one of ``paths``, with its subject; or ''."""
    since = f"{revision.commit}..HEAD"
    given = ("log", "-1", "--format=%h (%s)", since, "--", *map(str, paths))
    return (try_git(revision.folder, *given) or b"").decode(errors="replace").strip()


def _files_in(listing: bytes) -> Iterator[tuple[str, str]]:
    """Yield the path and the object of each file in what ls-tree -z gives."""
    for line in filter(None, listing.split(b"\0")):
        described, _, path = line.partition(b"\t")
        mode, _, name = described.decode().split()
        if mode in REGULAR:
            yield os.fsdecode(path), name


def _contents_in(batch: bytes) -> Iterator[bytes]:
    """Yield the contents in what cat-file --batch gives.

    Raises: SettingsError when the repository does not have one of them.
    """
    at = 0
    while at < len(batch):
        end = batch.index(b"\n", at)
        words = batch[at:end].split()
        if words[-1] == b"missing":
            raise SettingsError(
                "this clone of the repository does not have the files of that commit: clone it "
                "without --filter"
            )
        size = int(words[-1])
        yield batch[end + 1 : end + 1 + size]
        at = end + 1 + size + 1


def ask_git(folder: Path, *arguments: str, given: str = "") -> bytes:
    """Return what a command of git's prints.

    Raises: SettingsError when there is no git, or it fails, with what it says.
    """
    done = _run(folder, arguments, given)
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode(errors="replace").strip()
    if "not a git repository" in said:
        raise SettingsError(f"{folder} is in no git repository")
    raise SettingsError(f"git {arguments[0]}: {said.partition(chr(10))[0]}")


def try_git(folder: Path, *arguments: str) -> bytes | None:
    """Return what a command of git's prints, None where it fails. Raises: as ``ask_git`` does."""
    done = _run(folder, arguments, "")
    return done.stdout if done.returncode == 0 else None


def _run(
    folder: Path, arguments: tuple[str, ...], given: str
) -> subprocess.CompletedProcess[bytes]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(KEPT)
    }
    try:
        return subprocess.run(  # noqa: S603 - nothing of a shell's
            ["git", *arguments],  # noqa: S607 - the one on PATH
            cwd=folder,
            env={**kept, **ADDED, "LC_ALL": "C"},
            input=given.encode(),
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise SettingsError("git is wanted, and there is none on PATH") from error
