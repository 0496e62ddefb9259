"""Damage to valid files and values, drawn from a `Random` that is given."""

import copy
import json
import struct
import zlib
from collections.abc import Sequence
from random import Random
from typing import Any

# Values at which formats, parsers and databases change their minds.
NUMBERS = (0, 1, 2, 7, 8, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
TEXTS = (
    *(b"", b" ", b"\t", b"\r\n", b"\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"\\u0000"),
    *(
        b'"',
        b"'",
        b",",
        b";",
        b":",
        b"- ",
        b"#",
        b"{",
        b"}",
        b"[",
        b"]",
        b"[" * 30,
        b'{"a":' * 30,
        b"&a",
        b"*a",
        b"!!python/none ",
    ),
    *(b"null", b"true", b"-1", b"0", b"1.5", b"1e999", b"-1e999", b"NaN", b"Infinity", b"9" * 30, b"9" * 5000),
    *(b"../", b"/", b"..\\", b"C:", b"%s", b"%(name)s", b"x" * 300, "ä€😀".encode()),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 2**31, -(2**31), 2**63, 10**30, 0.5, -1.5, 1e308, float("nan"), float("inf")),
    *("", " ", "x", "x" * 300, "0" * 32, "ä€😀", "a\0b", "\ud800", "%s", "real", "seen", "../x", "2026-11-30"),
    *([], [None], [[]], ["x"] * 70, {}, {"": None}, {"a": {"b": []}}),
)


def mutated(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """Return one of the files with one to six damages."""
    data = rng.choice(seeds)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        data = rng.choice(_DAMAGES)(rng, data, seeds)
    return data


def mutated_value(rng: Random, value: Any) -> Any:
    """Return a copy of a JSON value in which one to three parts are replaced, left out, repeated or nested."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 2, 3))):
        containers = list(_containers(value))
        if not containers:
            return rng.choice(VALUES)
        place = rng.choice(containers)
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            continue
        key = rng.choice(keys)
        match rng.randrange(6):
            case 0:
                del place[key]
            case 1 if isinstance(place, list):
                place.insert(key, copy.deepcopy(place[key]))
            case 1:
                place[rng.choice(VALUES[16:22])] = place[key]
            case 2:
                place[key] = [place[key]]
            case 3 if isinstance(place[key], int | float):
                place[key] += rng.choice((-1, 1, 2**31, -(2**31), 0.5))
            case _:
                place[key] = copy.deepcopy(rng.choice(VALUES))
    return value


def mutated_json(rng: Random, values: Sequence[Any]) -> bytes:
    """Return the JSON of a changed value, in one of ten cases damaged as bytes too."""
    text = json.dumps(mutated_value(rng, rng.choice(values))).encode()
    return mutated(rng, [text]) if rng.randrange(10) == 0 else text


def with_checksums(png: bytes) -> bytes:
    """Return a PNG with the checksums that its chunks should have, so that damage reaches the decoder."""
    repaired, at = [png[:8]], 8
    while at + 12 <= len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        chunk = png[at + 4 : at + 8 + length]
        repaired += [png[at : at + 4], chunk, struct.pack(">I", zlib.crc32(chunk))]
        at += 12 + length
    return b"".join([*repaired, png[at:]])


def _containers(value: Any) -> Any:
    if isinstance(value, dict | list):
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from _containers(part)


def _span(rng: Random, data: bytes) -> tuple[int, int]:
    first = rng.randrange(len(data) + 1)
    return first, min(len(data), first + rng.choice((1, 2, 4, 8, 40, 400)))


def _flip(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def _number(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    length = rng.choice((1, 2, 4))
    number = (rng.choice(NUMBERS) % 256**length).to_bytes(length, rng.choice(("little", "big")))
    at = rng.randrange(max(1, min(len(data), rng.choice((64, 400, 1 << 30)))))
    return data[:at] + number + data[at + length :]


def _text(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    first, last = _span(rng, data)
    return data[:first] + rng.choice(TEXTS) + data[rng.choice((first, last)) :]


def _delete(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    first, last = _span(rng, data)
    return data[:first] + data[last:]


def _repeat(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    first, last = _span(rng, data)
    return data[:last] + data[first:last] * rng.choice((1, 2, 30)) + data[last:]


def _cut(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _splice(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = rng.choice(seeds)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


_DAMAGES = (_flip, _flip, _number, _number, _text, _text, _delete, _repeat, _cut, _splice)
