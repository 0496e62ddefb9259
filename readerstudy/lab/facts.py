"""Names and values as a page tells them: figures short, what is nested as indented JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fact:
    """One name with its value in words; `block` instead where the value is nested."""

    name: str
    words: str = ""
    block: str = ""


def facts(values: Mapping[str, Any]) -> list[Fact]:
    """By name, in order."""
    return [_fact(name, values[name]) for name in sorted(values)]


def _fact(name: str, value: Any) -> Fact:
    if isinstance(value, dict | list) and len(json.dumps(value)) > 60:
        return Fact(name, block=json.dumps(value, indent=2, ensure_ascii=False))
    if isinstance(value, float):
        return Fact(name, words=f"{value:.6g}")
    if isinstance(value, dict | list | bool) or value is None:
        return Fact(name, words=json.dumps(value, ensure_ascii=False))
    return Fact(name, words=str(value))
