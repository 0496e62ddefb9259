"""What must not stand in a log."""

import logging
import re
from typing import Final

# Django logs the address of each refused request, and a link's address contains its token.
SIGN_IN_LINK: Final = re.compile(r"(/account/(?:sign-in|password/new/\w+)/)[^/\s?\"']+")
# Django's server for development logs whole addresses: names are searched for by `q`.
SEARCH: Final = re.compile(r"([?&]q=)[^&\s\"']+")
# In messages of errors. PostgreSQL quotes the row that it refuses.
MAIL_ADDRESS: Final = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
IP_ADDRESS: Final = re.compile(
    r"\b(?!127\.)(?:\d{1,3}\.){3}\d{1,3}\b|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F:]+"
)
REFUSED_ROW: Final = re.compile(r"^(DETAIL:\s+).*$", re.MULTILINE)
SECRET_WORD: Final = re.compile(r"(?i)\b((?:bearer|token|basic)\s+)[\w.~+/=-]{16,}")


class HideSignInLinks(logging.Filter):
    """Replace the tokens of sign-in links and the words of searches in a message by dots."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        hidden = without_links(message)
        if hidden != message:
            record.msg, record.args = hidden, ()
        return True


def without_links(text: str) -> str:
    """Return the text without the tokens of sign-in links and the words of searches."""
    return SEARCH.sub(r"\1…", SIGN_IN_LINK.sub(r"\1…", text))


def without_personal_data(text: str) -> str:
    """Return the text without links, addresses of mails and machines, tokens, and rows that PostgreSQL quotes."""
    text = SECRET_WORD.sub(r"\1…", REFUSED_ROW.sub(r"\1…", without_links(text)))
    return IP_ADDRESS.sub("…", MAIL_ADDRESS.sub("…", text))
