"""Whose a chunk is: its file ends in a frame that decoders of zstd skip, and that the checksum after it covers."""

import hashlib
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import google_crc32c

from .grid import RESULTS

# A skippable frame of zstd (RFC 8878, 3.1.2): its magic number, its length, what it holds.
_MAGIC, _LENGTH, _CHECKSUM = 0x184D2A5F, 16, 4


def whose(attributes: Mapping[str, Any]) -> str:
    """What the numbers of a store depend on; nothing where its chunks bear no stamps."""
    return f"{attributes['sweep']} {attributes['blocks']}" if attributes.get("stamped") else ""


def stamped(key: str, content: bytes, owner: str) -> bytes:
    """The file of a chunk with the stamp of its owner and place; other files as they are."""
    if not owner or key.split("/")[:2] not in [[name, "c"] for name in ("done", *RESULTS)]:
        return content
    body = content[:-_CHECKSUM] + _stamp(key, owner)
    checksum: int = google_crc32c.value(body)
    return body + checksum.to_bytes(_CHECKSUM, "little")


def stranger(root: Path, key: str, owner: str) -> bool:
    """Whether the file of a chunk is there, but is one of another store or place."""
    if not owner:
        return False
    try:
        with open(root / key, "rb") as file:
            file.seek(-8 - _LENGTH - _CHECKSUM, 2)
            found = file.read(8 + _LENGTH)
    except OSError:
        # Not there, or too short to be read at all.
        return False
    return found != _stamp(key, owner)


def _stamp(key: str, owner: str) -> bytes:
    return struct.pack("<II", _MAGIC, _LENGTH) + hashlib.sha256(f"{key} {owner}".encode()).digest()[:_LENGTH]
