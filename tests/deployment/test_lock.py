"""requirements/*.txt: complete, hashed, in step with pyproject.toml, and without the address of any package index."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKED = {
    "web": EXTRAS["web"],
    "ml": [*EXTRAS["web"], *EXTRAS["ml"]],
    "dev": [*EXTRAS["web"], *EXTRAS["ml"], *EXTRAS["dev"], *EXTRAS["frames"], *EXTRAS["parquet"], *EXTRAS["excel"]],
    "single_sign_on": [*EXTRAS["web"], *EXTRAS["saml"], *EXTRAS["ldap"]],
    "oracle": EXTRAS["oracle"],
    "fuzz": EXTRAS["fuzz"],
    "sso": EXTRAS["sso"],
}


def text_of(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def pins_in(text: str) -> dict[str, set[str]]:
    """Return the locked versions by package name: more than one if they differ between Python versions."""
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", text):
        pins.setdefault(normalised(name), set()).add(version)
    return pins


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", LOCKED)
def test_every_pin_of_the_project_is_locked_except_torch(name):
    wanted = {normalised(package): {version} for package, version in map(pin, LOCKED[name])}
    wanted.pop("torch", None)
    locked = pins_in(text_of(name))
    assert {package: locked.get(package) for package in wanted} == wanted, "Run `make lock`."


def pin(requirement: str) -> tuple[str, str]:
    package, version = requirement.partition(";")[0].strip().split("==")
    return package.partition("[")[0], version


@pytest.mark.parametrize("name", LOCKED)
def test_every_locked_package_has_hashes(name):
    stanzas = re.split(r"(?m)^(?=[A-Za-z0-9])", text_of(name))[1:]
    assert stanzas
    assert [stanza.split()[0] for stanza in stanzas if "--hash=sha256:" not in stanza] == []


@pytest.mark.parametrize("name", LOCKED)
def test_locks_name_no_index_and_no_cuda_package(name):
    text = text_of(name)
    assert not re.search(r"://|--index|--find-links|--extra-index|file:", text)
    assert not [package for package in pins_in(text) if re.match(r"(torch|triton|nvidia-.*|cuda-.*)$", package)]


def test_the_files_agree_on_every_version():
    dev = pins_in(text_of("dev"))
    for name in ("web", "ml"):
        pins = pins_in(text_of(name))
        assert {package: dev[package] for package in pins} == pins


def test_the_web_installation_has_no_training_packages():
    assert not {"safetensors", "sympy", "pytest", "mypy"} & pins_in(text_of("web")).keys()
