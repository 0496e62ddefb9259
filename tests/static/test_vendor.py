"""Vendored scripts are the released files that versions.json names, with their licences."""

import hashlib
import json
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "static" / "vendor"
VERSIONS = json.loads((VENDOR / "versions.json").read_text())


def test_every_vendored_script_is_named_and_unchanged() -> None:
    hashes = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (*VENDOR.rglob("*.js"), *VENDOR.rglob("*.css"))
    }
    assert hashes == {name: entry["sha256"] for name, entry in VERSIONS.items()}


def test_every_vendored_script_has_its_licence_and_version() -> None:
    words = {"0BSD": "Permission to use, copy, modify", "Apache-2.0": "Apache License"}
    for name, entry in VERSIONS.items():
        assert words[entry["licence"]] in (VENDOR / name).with_name("LICENSE.txt").read_text()
    assert VERSIONS["htmx/htmx.min.js"]["version"] in (VENDOR / "htmx" / "htmx.min.js").read_text()


def test_htmx_is_configured_without_eval_and_inline_styles() -> None:
    template = (VENDOR.parents[1] / "templates" / "_htmx.html").read_text()
    config = json.loads(template.partition("content='")[2].partition("'>")[0])
    assert config["allowEval"] is config["allowScriptTags"] is config["includeIndicatorStyles"] is False
    assert config["selfRequestsOnly"] is True
