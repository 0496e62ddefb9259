"""Fixtures shared with the tests of the lab's pages."""

from tests.lab.conftest import attack, films, run, sent

__all__ = ["attack", "films", "run", "sent"]
