"""Open, copy, lock and back up SQLite databases; as images in memory and as files."""

from __future__ import annotations

from pytest_bbmigrate.database.images import (
    APP_HOOK,
    HEADER,
    LOCK_SECONDS,
    Hook,
    app_connections,
    attach_before,
    call_hook,
    copy_file,
    decode_text,
    in_rollback_mode,
    open_image,
    open_pair,
    page_size,
    prepare,
    read_image,
    resting_wal_file,
    same_content,
    take_image,
)

__all__ = [
    "APP_HOOK",
    "HEADER",
    "LOCK_SECONDS",
    "Hook",
    "app_connections",
    "attach_before",
    "call_hook",
    "copy_file",
    "decode_text",
    "in_rollback_mode",
    "open_image",
    "open_pair",
    "page_size",
    "prepare",
    "read_image",
    "resting_wal_file",
    "same_content",
    "take_image",
]
