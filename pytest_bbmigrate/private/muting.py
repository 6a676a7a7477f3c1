"""What code of others says by the side, to the terminal and to logs, while it works on rows."""

from __future__ import annotations

import builtins
import io
import logging
import sys
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, TextIO

from pytest_bbmigrate.private.known import HIDDEN
from pytest_bbmigrate.private.showing import is_telling

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def unheard() -> Iterator[None]:
    """Keep what is printed, logged or warned of in the block to itself, unless all may be told.

    A warning still says where it was raised, and of which kind it is.
    """
    if is_telling():
        yield
        return
    level = logging.root.manager.disable
    logging.disable(sys.maxsize)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), warned_where():
            yield
    finally:
        logging.disable(level)


@contextmanager
def warned_where() -> Iterator[None]:
    """Have the warnings of the block shown without what they say."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def show_place(
            message: Warning | str,  # noqa: ARG001
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            named = getattr(builtins, category.__name__, None) is category
            kind = category if named else UserWarning
            show(HIDDEN, kind, filename, lineno, file, line)

        warnings.showwarning = show_place
        yield
