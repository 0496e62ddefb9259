"""Verify a study's record without the software that made it: python3 verifier.py RECORD [RECEIPT or HEADS ...]

One file, Python 3.8 or newer, standard library only. It checks exported records (JSON lines), receipts of readers and
files of tree heads: hashes, proofs of inclusion, signatures, and that all files describe one history. Merkle tree:
RFC 6962, section 2.1. Signatures: Ed25519, RFC 8032. Exit code 0: everything agrees; 1: something does not; 2: a file
cannot be read.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from collections.abc import Callable
from typing import Any

EMPTY_ROOT = hashlib.sha256(b"").digest()
# Raised for values that are not of the kind that a file must have.
DAMAGES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


# --- Merkle tree (RFC 6962, section 2.1) --------------------------------------------------------------------
def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def add_leaf(peaks: list[bytes], size: int, leaf: bytes) -> None:
    """Append a leaf hash to a tree of `size` leaves, given by the roots of its perfect subtrees, the largest first."""
    while size % 2:
        leaf = node_hash(peaks.pop(), leaf)
        size //= 2
    peaks.append(leaf)


def root_of_peaks(peaks: list[bytes]) -> bytes:
    """Return the root of the tree."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def root_of(leaves: list[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    peaks: list[bytes] = []
    for size, leaf in enumerate(leaves):
        add_leaf(peaks, size, leaf)
    return root_of_peaks(peaks)


def roots_at(leaves: list[bytes], sizes: set[int]) -> dict[int, bytes]:
    """Return the root that the tree had at each of these sizes. Sizes beyond the tree are left out."""
    peaks: list[bytes] = []
    roots = {0: EMPTY_ROOT} if 0 in sizes else {}
    for size, leaf in enumerate(leaves, start=1):
        add_leaf(peaks, size - 1, leaf)
        if size in sizes:
            roots[size] = root_of_peaks(peaks)
    return roots


def is_included(leaf: bytes, *, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """Return whether the proof leads from the leaf hash at `index` to the root of a tree of `size` leaves."""
    if not 0 <= index < size:
        return False
    node, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node % 2 or node == last:
            result = node_hash(sibling, result)
            while node % 2 == 0 and node:
                node, last = node // 2, last // 2
        else:
            result = node_hash(result, sibling)
        node, last = node // 2, last // 2
    return last == 0 and result == root


def is_consistent(*, first: int, second: int, first_root: bytes, second_root: bytes, proof: list[bytes]) -> bool:
    """Return whether the proof shows that a tree of `second` leaves begins with that of `first` leaves."""
    if not 0 <= first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    path = proof if first & (first - 1) else [first_root, *proof]
    if not path:
        return False
    node, last = first - 1, second - 1
    while node % 2:
        node, last = node // 2, last // 2
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node % 2 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while node % 2 == 0 and node:
                node, last = node // 2, last // 2
        else:
            new = node_hash(new, sibling)
        node, last = node // 2, last // 2
    return last == 0 and old == first_root and new == second_root


# --- Ed25519 (RFC 8032, section 5.1): verification only, nothing secret is handled ---------------------------
_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)


def _decode_point(data: bytes) -> tuple[int, int, int, int] | None:
    """Return extended coordinates of an encoded point (5.1.3); None if there is no such point."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x % 2 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _add(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Return the sum of two points (5.1.4)."""
    e = (a[1] - a[0]) * (b[1] - b[0]) % _P
    f = (a[1] + a[0]) * (b[1] + b[0]) % _P
    g = 2 * a[3] * b[3] * _D % _P
    h = 2 * a[2] * b[2] % _P
    x, y, z, t = f - e, h - g, h + g, f + e
    return x * y % _P, z * t % _P, y * z % _P, x * t % _P


def _multiply(scalar: int, point: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


_BASE = _decode_point(bytes.fromhex("58" + "66" * 31))


def is_signed(message: bytes, *, signature: bytes, public_key: bytes) -> bool:
    """Return whether the Ed25519 signature of the message is that of the key (RFC 8032, 5.1.7)."""
    if len(signature) != 64 or len(public_key) != 32:
        return False
    key, commitment = _decode_point(public_key), _decode_point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or _BASE is None or scalar >= _ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % _ORDER
    left, right = _multiply(scalar, _BASE), _add(commitment, _multiply(challenge, key))
    return (left[0] * right[2] - right[0] * left[2]) % _P == 0 and (left[1] * right[2] - right[1] * left[2]) % _P == 0


# --- tree heads and commitments -------------------------------------------------------------------------------
def canonical(value: object) -> str:
    """Return JSON text that depends on the value only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def head_message(head: dict[str, Any]) -> bytes:
    """Return what the signature of a tree head signs."""
    fields = {name: head[name] for name in ("log", "size", "root", "at")}
    return b"readerstudy tree head 1\n" + canonical(fields).encode()


def is_head_signed(head: dict[str, Any], public_key: str) -> bool:
    """Return whether the tree head has a valid signature by the key (hexadecimal)."""
    try:
        values = bytes.fromhex(head["signature"]), bytes.fromhex(public_key)
    except ValueError:
        return False
    return is_signed(head_message(head), signature=values[0], public_key=values[1])


def parsed(text: str) -> dict[str, Any]:
    """Return the JSON object of the text; an empty one if it is none, as that of an entry that was tampered with."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def commit(key: bytes, text: str) -> str:
    """Return the keyed commitment to one line of the answer key: HMAC-SHA256, hexadecimal."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def root_of_commitments(items: list[str]) -> str:
    """Return the root over commitments, hexadecimal."""
    return root_of([leaf_hash(bytes.fromhex(item)) for item in items]).hex()


# --- files ------------------------------------------------------------------------------------------------------
class Findings:
    """One sentence for each disagreement; prints one line for each check."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def check(self, name: str, count: int, problems: list[str]) -> None:
        state = "ok" if not problems else "FAILED"
        print(f"{name:<34} {count:>8}  {state}")
        for problem in problems[:20]:
            print("    " + problem)
        if len(problems) > 20:
            print(f"    and {len(problems) - 20} more")
        self.problems += problems


def check_leaves(leaves: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with exported leaves: gaps, and data that does not have its hash."""
    problems = []
    for index, leaf in enumerate(leaves):
        if leaf["index"] != index:
            problems.append(f"entry {index}: has the index {leaf['index']}")
        if "data" not in leaf:
            continue
        if leaf_hash(leaf["data"].encode()).hex() != leaf["hash"]:
            problems.append(f"entry {index}: the data does not have the hash of the entry")
            continue
        if leaf.get("sealed"):
            stated = parsed(leaf["data"]).get("sealed")
            if hashlib.sha256(leaf["sealed"].encode()).hexdigest() != stated:
                problems.append(f"entry {index}: the sealed part does not have the hash in the entry")
    return problems


def check_heads(
    heads: list[dict[str, Any]],
    leaves: list[bytes],
    public_key: str,
    is_valid: Callable[[dict[str, Any], str], bool] = is_head_signed,
) -> list[str]:
    """Return what is wrong with tree heads: signatures, and roots that the leaves do not have."""
    roots = roots_at(leaves, {head["size"] for head in heads})
    problems = []
    for head in heads:
        label = f"tree head of {head['size']} entries, {head['at']}"
        if not is_valid(head, public_key):
            problems.append(label + ": the signature is not by the key of the record")
        if head["size"] not in roots:
            problems.append(f"{label}: the record has only {len(leaves)} entries")
        elif roots[head["size"]].hex() != head["root"]:
            problems.append(label + ": the record had other entries then")
    return problems


def check_commitment(commitment: dict[str, Any], leaves: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with a commitment to the answer key: its root, its entry, and its lines once revealed."""
    problems = []
    if root_of_commitments(commitment["items"]) != commitment["root"]:
        problems.append("commitment: the items do not have its root")
    known = [leaf for leaf in leaves if commitment["root"] in leaf.get("data", "")]
    if not known:
        problems.append("commitment: no entry of the record has its root")
    if "key" in commitment:
        key, lines = bytes.fromhex(commitment["key"]), commitment["lines"]
        if len(lines) != len(commitment["items"]):
            problems.append(f"answer key: {len(lines)} lines for {len(commitment['items'])} commitments")
        for number, line in enumerate(lines[: len(commitment["items"])]):
            if commit(key, line) != commitment["items"][number]:
                problems.append("answer key: not what was committed to: " + line)
    return problems


def check_receipt(
    receipt: dict[str, Any], public_key: str, is_valid: Callable[[dict[str, Any], str], bool] = is_head_signed
) -> list[str]:
    """Return what is wrong with a receipt by itself: proofs, signature, key."""
    head, problems = receipt["head"], []
    if receipt["public_key"] != public_key:
        problems.append("receipt: made under another key")
    if not is_valid(head, receipt["public_key"]):
        problems.append("receipt: the signature of the tree head is wrong")
    for leaf in receipt["leaves"]:
        proof = [bytes.fromhex(item) for item in leaf["proof"]]
        place = {"index": leaf["index"], "size": head["size"], "root": bytes.fromhex(head["root"])}
        if not is_included(leaf_hash(leaf["data"].encode()), proof=proof, **place):
            problems.append(f"receipt: entry {leaf['index']} is not in the tree of its head")
    return problems


def check_receipt_against(
    receipt: dict[str, Any],
    leaves: list[bytes],
    is_valid: Callable[[dict[str, Any], str], bool] = is_head_signed,
) -> list[str]:
    """Return what a receipt states that the leaf hashes of a record do not."""
    problems = []
    for leaf in receipt["leaves"]:
        index = leaf["index"]
        if not 0 <= index < len(leaves):
            problems.append(f"entry {index} of the receipt is missing from the record")
        elif leaves[index] != leaf_hash(leaf["data"].encode()):
            problems.append(f"entry {index} of the record is not the one in the receipt")
    return problems + check_heads([receipt["head"]], leaves, receipt["public_key"], is_valid)


def read_file(path: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the kind of a file (record, receipt or heads) and its JSON values. Raises ValueError for another file."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        value = json.loads(text)
        values = [value]
    except ValueError:
        values = [json.loads(line) for line in text.splitlines() if line.strip()]
    if not values or not all(isinstance(value, dict) for value in values):
        raise ValueError("neither a record, a receipt nor tree heads")
    kind = values[0].get("format", "")
    if kind == "readerstudy record 1":
        return "record", values
    if kind == "readerstudy receipt 1":
        require_receipt(values[0])
        return "receipt", values
    if all({"log", "size", "root", "at", "signature"} <= set(value) for value in values):
        for number, value in enumerate(values, start=1):
            require_head(value, f"tree head {number}")
        return "heads", values
    raise ValueError("neither a record, a receipt nor tree heads")


def require_receipt(receipt: dict[str, Any]) -> None:
    """Raise ValueError with a sentence unless the value has the shape of a receipt."""
    require_head(receipt.get("head"), "the tree head of the receipt")
    _require(_is_hex(receipt.get("public_key")), "the receipt has no public key")
    leaves = receipt.get("leaves")
    _require(isinstance(leaves, list) and bool(leaves), "the receipt has no entries")
    for number, leaf in enumerate(leaves or [], start=1):
        name = f"entry {number} of the receipt"
        _require(isinstance(leaf, dict), f"{name} is no object")
        _require(_is_count(leaf.get("index")), f"{name} has no index")
        _require(_is_text(leaf.get("data")), f"{name} has no data")
        proof = leaf.get("proof")
        _require(isinstance(proof, list) and all(_is_hex(item) for item in proof), f"{name} has no proof")


def require_head(head: Any, name: str) -> None:
    """Raise ValueError with a sentence unless the value has the shape of a signed tree head."""
    _require(isinstance(head, dict), f"{name} is missing or no object")
    _require(_is_text(head.get("log")), f"{name} does not name its study")
    _require(_is_count(head.get("size")), f"{name} has no size")
    for field in ("root", "signature"):
        _require(_is_hex(head.get(field)), f"{name} has no {field}")
    _require(_is_text(head.get("at")) and head["at"].isprintable(), f"{name} has no time")


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_hex(value: Any) -> bool:
    return isinstance(value, str) and len(value) % 2 == 0 and set(value) <= set("0123456789abcdef") and value != ""


def _is_text(value: Any) -> bool:
    """Return whether the value is a text that has an encoding: JSON can also state halves of characters."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def verify_record(values: list[dict[str, Any]], findings: Findings) -> list[bytes]:
    """Check an exported record by itself; return its leaf hashes."""
    about = values[0]
    parts: dict[str, list[dict[str, Any]]] = {"leaf": [], "head": [], "commitment": []}
    for value in values[1:]:
        parts[value["type"]].append(value)
    leaves = parts["leaf"]
    hashes = [bytes.fromhex(leaf["hash"]) for leaf in leaves]
    findings.check("entries: index and hash", len(leaves), check_leaves(leaves))
    ends = [] if len(leaves) == about["size"] else [f"the record states {about['size']} entries"]
    findings.check("number of entries", len(leaves), ends)
    findings.check(
        "tree heads in the record", len(parts["head"]), check_heads(parts["head"], hashes, about["public_key"])
    )
    for commitment in parts["commitment"]:
        name = "answer key" if "key" in commitment else "commitment to the answer key"
        findings.check(name, len(commitment["items"]), check_commitment(commitment, leaves))
    return hashes


def main(paths: list[str]) -> int:
    """Check the files and print a line for each check."""
    if not paths or paths[0] in ("-h", "--help"):
        print(__doc__)
        return 2
    files = []
    for path in paths:
        try:
            files.append((path, *read_file(path)))
        except (OSError, ValueError, RecursionError) as error:
            print(f"Cannot be read: {path}: {error}")
            return 2
    try:
        return check_files(files)
    except DAMAGES as error:
        print(f"A file is damaged: {error!r}")
        return 1


def check_files(files: list[tuple[str, str, list[dict[str, Any]]]]) -> int:
    """Check files by path, kind and content; return 1 if something does not agree."""
    findings = Findings()
    records = [values for _, kind, values in files if kind == "record"]
    hashes = {values[0]["log"]: verify_record(values, findings) for values in records}
    keys = {values[0]["log"]: values[0]["public_key"] for values in records}
    for path, kind, values in files:
        if kind == "receipt":
            receipt = values[0]
            log = receipt["head"]["log"]
            own = check_receipt(receipt, keys.get(log, receipt["public_key"]))
            findings.check("receipt " + path, len(receipt["leaves"]), own)
            if log in hashes:
                findings.check("  against the record", 1, check_receipt_against(receipt, hashes[log]))
        elif kind == "heads":
            for log in sorted(hashes):
                heads = [head for head in values if head["log"] == log]
                findings.check("tree heads in " + path, len(heads), check_heads(heads, hashes[log], keys[log]))
    for log in sorted(keys):
        print(f"key of the record {log}: {keys[log]}")
    print("Everything agrees." if not findings.problems else f"{len(findings.problems)} findings.")
    return 1 if findings.problems else 0


if __name__ == "__main__":
    # Names of files and of studies may have characters that the terminal has not. It is a TextIOWrapper here.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
