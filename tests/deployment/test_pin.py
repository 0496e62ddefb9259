"""`make pin`: digests of the registry go into the Dockerfile; a wrong answer changes nothing."""

import shutil
from pathlib import Path

import pytest

from tools import pin_images

DIGEST = "sha256:" + "0a" * 32


@pytest.fixture
def dockerfile(tmp_path: Path) -> Path:
    return Path(shutil.copy(pin_images.DOCKERFILE, tmp_path))


def registry(folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Put a program in the place of docker that answers as the registry does."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_digests_are_written_beside_the_versions(dockerfile, tmp_path, monkeypatch):
    before = dockerfile.read_text()
    registry(tmp_path, monkeypatch, f"echo {DIGEST}")
    pin_images.main(dockerfile)
    pinned = dockerfile.read_text()
    assert pinned.count(f"@{DIGEST}\n") == before.count("_IMAGE=") == 2
    assert pinned.replace(f"@{DIGEST}", "") == before
    pin_images.main(dockerfile)
    assert dockerfile.read_text() == pinned


@pytest.mark.parametrize(("answer", "message"), [("echo latest", "is no digest"), ("echo away >&2; exit 1", "away")])
def test_a_wrong_answer_changes_nothing(dockerfile, tmp_path, monkeypatch, answer, message):
    before = dockerfile.read_text()
    registry(tmp_path, monkeypatch, answer)
    with pytest.raises(SystemExit, match=message):
        pin_images.main(dockerfile)
    assert dockerfile.read_text() == before
