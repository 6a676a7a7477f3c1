"""Keep the output, logs and warnings of other code to itself while it works on rows."""

from __future__ import annotations

import builtins
import io
import logging
import sys
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, TextIO

from pytest_bbmigrate.private.known import HIDDEN
from pytest_bbmigrate.private.showing import is_showing_values

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def muted() -> Iterator[None]:
    """Drop what the block prints and logs, unless values may be shown.

    Of a warning, the place and the category are still shown.
    """
    if is_showing_values():
        yield
        return
    level = logging.root.manager.disable
    logging.disable(sys.maxsize)
    try:
        with (
            redirect_stdout(io.StringIO()),
            redirect_stderr(io.StringIO()),
            warnings_without_text(),
        ):
            yield
    finally:
        logging.disable(level)


@contextmanager
def warnings_without_text() -> Iterator[None]:
    """Show the warnings of the block without their text."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def show_without_text(
            message: Warning | str,  # noqa: ARG001
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            is_builtin = getattr(builtins, category.__name__, None) is category
            shown_category = category if is_builtin else UserWarning
            show(HIDDEN, shown_category, filename, lineno, file, line)

        warnings.showwarning = show_without_text
        yield
