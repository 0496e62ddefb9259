"""Receipts and exported records: files that `verifier` checks without this software."""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from readerstudy.errors import StudyError
from readerstudy.record.heads import head_data, public_key, sign_head
from readerstudy.record.merkle import Tree
from readerstudy.record.models import Commitment, Entry, TreeHead

PRIVATE: Final = ("audit_event",)  # what is sealed of these, the address, is never exported


def make_receipt(
    code: str, rows: Mapping[str, Collection[str]], *, at: datetime, about: Mapping[str, Any]
) -> tuple[dict[str, Any], TreeHead]:
    """Return a receipt for rows, by table: their entries with proofs of inclusion under a signed head, and the head.

    The head is the first that was signed over them. The receipt holds nothing of other entries but hashes of salted
    texts. Raises StudyError if the study has no log.
    """
    own = sorted(
        (
            entry
            for table, keys in rows.items()
            for entry in Entry.objects.filter(log=code, relation=table, row__in=keys).defer("sealed")
        ),
        key=lambda entry: entry.index,
    )
    head = _head_over(code, size=own[-1].index + 1 if own else 0, at=at)
    hashes = Entry.objects.filter(log=code, index__lt=head.size).order_by("index").values_list("hash", flat=True)
    tree = Tree([bytes(leaf) for leaf in hashes])
    leaves = [
        {
            "index": entry.index,
            "data": entry.data,
            "proof": [node.hex() for node in tree.inclusion_proof(entry.index, head.size)],
        }
        for entry in own
    ]
    data = head_data(head)
    values = {"format": "readerstudy receipt 1", **about, "head": data, "public_key": data["public_key"]}
    return {**values, "leaves": leaves}, head


def _head_over(code: str, *, size: int, at: datetime) -> TreeHead:
    """Return the first signed head over so many entries; one that is signed now if there is none."""
    signed = TreeHead.objects.filter(log=code, size__gte=size, public_key=public_key())
    head = signed.order_by("size").first() or sign_head(code, at=at)
    if head is None:
        raise StudyError(f"There is no record of {code}.")
    return head


def record_lines(
    code: str,
    *,
    at: datetime,
    withheld: Collection[str] = (),
    reveals: bool = False,
    keys: Mapping[int, Any] | None = None,
    newest_head_only: bool = False,
) -> Iterator[str]:
    """Yield the record as lines of JSON: what it is, its entries, signed heads, and commitments.

    Of the tables `withheld` only hashes are given. `reveals`: the sealed parts of entries are included. `keys` are the
    revealed key and lines of commitments, by their primary key. `newest_head_only`: earlier heads, which tell when
    sessions ended, are left out.
    """
    newest = sign_head(code, at=at)
    entries = Entry.objects.filter(log=code).order_by("index")
    about = {"size": entries.count(), "public_key": public_key(), "exported_at": at.astimezone(UTC).isoformat()}
    yield _line({"format": "readerstudy record 1", "log": code, **about})
    for entry in entries[: about["size"]].iterator():
        data: dict[str, Any] = {"type": "leaf", "index": entry.index, "hash": bytes(entry.hash).hex()}
        if not entry.data:
            data["erased"] = True  # it held personal data; its hash stays
        elif entry.relation not in withheld:
            data["data"] = entry.data
        if reveals and entry.sealed and entry.relation not in PRIVATE:
            data["sealed"] = entry.sealed
        yield _line(data)
    heads = TreeHead.objects.filter(log=code, size__lte=about["size"])
    for head in heads.filter(pk=newest.pk) if newest and newest_head_only else heads:
        yield _line({"type": "head", **head_data(head)})
    for commitment in Commitment.objects.filter(log=code):
        yield _line({"type": "commitment", **commitment_data(commitment), **(keys or {}).get(commitment.pk, {})})


def commitment_data(commitment: Commitment) -> dict[str, Any]:
    """Return a commitment as it stands in files. It reveals nothing of the answer key."""
    at = commitment.at.astimezone(UTC).isoformat()
    return {"study": commitment.log, "at": at, "root": commitment.root, "items": commitment.items}


def _line(data: Mapping[str, Any]) -> str:
    return json.dumps(data, sort_keys=True) + "\n"
