"""What coordinators set for readers, and what readers do beside reading."""

from readerstudy.participation.actions.consent import ConsentChanged, give_consent, withdraw_consent, write_consent
from readerstudy.participation.actions.designs import adopt_readers, draft_design, import_design
from readerstudy.participation.actions.readers import add_comment, mark_read, save_profile
from readerstudy.participation.actions.rules import save_rules

__all__ = [
    "ConsentChanged",
    "add_comment",
    "adopt_readers",
    "draft_design",
    "give_consent",
    "import_design",
    "mark_read",
    "save_profile",
    "save_rules",
    "withdraw_consent",
    "write_consent",
]
