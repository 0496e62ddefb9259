"""Fixtures shared with the tests of the lab's pages."""

from tests.lab.conftest import films, run, sent

__all__ = ["films", "run", "sent"]
