"""What the app's Python reads in a file whose syntax this one does not know (``bb_python``).

→ the text of a file on standard input of a process that the app's Python runs
← its tree and its comments as JSON, or why it does not read

A node travels as its class, the kind of that, its fields and its place; a class that is not known
here is made, so that what is asked of a tree (its checksum, say) is the same by either Python.
"""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import tokenize
import warnings
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.processes.launch import isolated_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.processes.app_python import AppPython

KINDS = {"stmt": ast.stmt, "expr": ast.expr, "AST": ast.AST}
PLACE = ("lineno", "col_offset", "end_lineno", "end_col_offset")
INFINITE = "1e999"  # how Python's own syntax says it

Comments = tuple[tuple[int, str], ...]


def parse(text: str | bytes, python: AppPython | None = None) -> ast.Module:
    """Return the tree of a file, read by this Python; where it cannot, as ``python`` has it.

    Raises: SyntaxError, ValueError, RecursionError or MemoryError when neither can read it.
    """
    return parse_with_comments(text, python)[0]


def parse_with_comments(
    text: str | bytes, python: AppPython | None = None
) -> tuple[ast.Module, Comments]:
    """Return the tree of a file and its comments, as (line, text without marks).

    Raises: as ``parse`` does.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about an invalid escape, say: it concerns the author
            tree = ast.parse(text, feature_version=grammar_of(python))
    except SyntaxError:
        if python is None:
            raise
        return parsed_by(python, text)
    return tree, tuple(comments_in(text)) if isinstance(text, str) else ()


def grammar_of(python: AppPython | None) -> tuple[int, int] | None:
    """Return the version of Python's grammar to read by where ``python`` is older than this one.

    The parser does what it can (https://docs.python.org/3/library/ast.html#ast.parse): what it lets
    through, the process that the older one runs refuses when it reads the file.
    """
    if python is None:
        return None
    major, minor, *_ = map(int, python.version.split("."))
    return (major, minor) if (major, minor) < sys.version_info[:2] else None


def parsed_by(python: AppPython, text: str | bytes) -> tuple[ast.Module, Comments]:
    """Return what ``python`` reads in a file. Raises: as ``parse`` does."""
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    answered = subprocess.run(  # noqa: S603 - our own program, by the user's interpreter
        isolated_command(__name__, python=python),
        input=content,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        check=False,
    )
    if answered.returncode:
        raise MemoryError(f"Python {python.version} has ended with {answered.returncode}")
    said = json.loads(answered.stdout)
    if "fault" in said:
        error = SyntaxError(said["fault"])
        error.lineno = said["line"]
        raise error
    tree = node_of(said["tree"])
    assert isinstance(tree, ast.Module)  # noqa: S101 - a file is one
    return tree, tuple((line, comment) for line, comment in said["comments"])


def main() -> int:
    """Say what standard input reads as; return 0."""
    sys.setrecursionlimit(10_000)  # a sum of many terms is nested as deeply
    sys.stdout.write(answer(sys.stdin.buffer.read()))
    return 0


def answer(content: bytes) -> str:
    """Return the message that says what a file reads as by this Python."""
    try:
        text = content.decode("utf-8-sig")
        tree, comments = parse_with_comments(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        return json.dumps({"fault": getattr(error, "msg", str(error)), "line": line})
    return json.dumps({"tree": plain_of(tree), "comments": comments})


def comments_in(text: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of a file."""
    # Universal newlines, as the parser has them, so that both count the same lines.
    lines = io.StringIO(text, newline=None)
    for token in tokenize.generate_tokens(lines.readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("#").strip()


def plain_of(value: object) -> Any:
    """Return a node, a list of them or a value in one as what JSON can say."""
    if isinstance(value, ast.AST):
        kind = next(name for name, of in KINDS.items() if isinstance(value, of))
        content = [[name, plain_of(each)] for name, each in ast.iter_fields(value)]
        return [type(value).__name__, kind, content, [getattr(value, at, None) for at in PLACE]]
    if isinstance(value, list):
        return {"list": [plain_of(each) for each in value]}
    if value is None or isinstance(value, str):
        return value
    if value is Ellipsis:
        return {"value": "..."}
    return {"value": repr(value).replace("inf", INFINITE)}


def node_of(plain: Any) -> Any:
    """Return what ``plain_of`` has made plain."""
    if isinstance(plain, list):
        name, kind, content, place = plain
        known: type[ast.AST] = getattr(ast, name, None) or type(name, (KINDS[kind],), {})
        node = known.__new__(known)  # its fields follow; some Pythons want them at once
        vars(node)["_fields"] = tuple(field for field, _ in content)  # those of that Python
        for field, value in content:
            setattr(node, field, node_of(value))
        for at, value in zip(PLACE, place, strict=True):
            if value is not None:
                setattr(node, at, value)
        return node
    if isinstance(plain, dict) and "list" in plain:
        return [node_of(each) for each in plain["list"]]
    if isinstance(plain, dict):
        return ast.literal_eval(plain["value"])
    return plain
