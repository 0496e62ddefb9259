"""Signing tree heads (RFC 6962, section 3.5, with Ed25519), and writing them to a file outside the database."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from readerstudy.after_commit import after_commit
from readerstudy.record.models import Log, TreeHead
from readerstudy.record.verifier import head_message, require_head, root_of_peaks

HASH_BYTES: Final = 32


def public_key() -> str:
    """Return the key by which the signatures of this installation are verified, hexadecimal."""
    return _private_key().public_key().public_bytes_raw().hex()


def sign(message: bytes) -> bytes:
    """Return the signature of a message by the key of this installation. Messages begin with what they are."""
    return _private_key().sign(message)


def sign_head(code: str, *, at: datetime) -> TreeHead | None:
    """Return the signed head of the log as it is now; None if there is no log.

    A head that is new is also appended to the file of heads. A log that has not grown keeps its head.
    """
    row = Log.objects.filter(code=code).first()
    if row is None:
        return None
    key = public_key()
    head: dict[str, Any] = {
        "log": code,
        "size": row.size,
        "root": root_of_peaks(split_hashes(bytes(row.peaks))).hex(),
        "at": at.astimezone(UTC).isoformat(),
    }
    signature = sign(head_message(head)).hex()
    values = {"root": head["root"], "at": at, "signature": signature}
    stored, is_new = TreeHead.objects.get_or_create(log=code, size=row.size, public_key=key, defaults=values)
    if is_new:
        _append_to_file(stored)
    return stored


def sign_on_commit(code: str, *, at: datetime) -> None:
    """Sign the head of the log once the running transaction is committed. A failure is logged and changes nothing."""
    after_commit(sign_head, code, at=at)


def head_data(head: TreeHead) -> dict[str, Any]:
    """Return a head as it stands in files."""
    at = head.at.astimezone(UTC).isoformat()
    values = {"log": head.log, "size": head.size, "root": head.root, "at": at}
    return {**values, "public_key": head.public_key, "signature": head.signature}


def short_code(head: TreeHead) -> str:
    """Return a code that can be written down: 16 hexadecimal digits of the hash of what is signed."""
    digits = sha256(head_message(head_data(head))).hexdigest()[:16]
    return "-".join(digits[start : start + 4] for start in range(0, 16, 4))


def is_signed_here(head: dict[str, Any], key: str) -> bool:
    """Return whether the signature is valid; the same as `verifier.is_head_signed`, faster."""
    return is_message_signed(head_message(head), head["signature"], key)


def is_message_signed(message: bytes, signature: str, key: str) -> bool:
    """Return whether the signature of a message is by the key; both hexadecimal."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def heads_file() -> Path:
    """Return the file of all heads that were signed here."""
    return Path(settings.RECORD_DIR) / "heads.jsonl"


def read_heads(path: Path) -> list[dict[str, Any]]:
    """Return the heads in a file, one JSON object a line; none if there is no file. Raises ValueError for others."""
    if not path.exists():
        return []
    heads = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    for number, head in enumerate(heads, start=1):
        require_head(head, f"tree head {number}")
    return heads


def split_hashes(joined: bytes) -> list[bytes]:
    """Return hashes that are stored one after the other."""
    return [joined[start : start + HASH_BYTES] for start in range(0, len(joined), HASH_BYTES)]


def as_lines(heads: Iterable[TreeHead]) -> str:
    """Return heads as text, one JSON object a line."""
    return "".join(json.dumps(head_data(head), sort_keys=True) + "\n" for head in heads)


def _append_to_file(head: TreeHead) -> None:
    path = heads_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(as_lines([head]))


def _private_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(settings.RECORD_KEY.encode()).digest())
