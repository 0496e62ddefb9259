"""Panels of adversarial images are made once, also if two requests make them at the same time."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from readerstudy.lab import panels


def test_two_requests_make_the_same_panels_at_once(monkeypatch):
    image = SimpleNamespace(stimulus=SimpleNamespace(sha256="ab" * 32), source=SimpleNamespace())
    grey = np.zeros((8, 8), np.uint8)
    made = panels._Panels(dict.fromkeys(panels.PANELS, grey), 1.0)
    monkeypatch.setattr(panels, "_render", lambda image, is_small: made)
    replace, other_requests = Path.replace, ["real"]

    def replace_after_another_request(draft, target):
        if other_requests:
            panels.panel_file(image, other_requests.pop(), is_small=True)
        return replace(draft, target)

    monkeypatch.setattr(Path, "replace", replace_after_another_request)
    path = panels.panel_file(image, "real", is_small=True)
    assert path.read_bytes().startswith(b"\xff\xd8")
    assert not [file for file in path.parent.iterdir() if file.suffix not in (".jpg", ".scale")], (
        "no draft is left behind"
    )
