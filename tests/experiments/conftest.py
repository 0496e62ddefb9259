"""Fixtures shared with the tests of the lab's pages."""

from tests.lab.conftest import attack, cohort, run, sent

__all__ = ["attack", "cohort", "run", "sent"]
