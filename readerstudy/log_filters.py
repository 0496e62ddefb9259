"""What must not stand in a log."""

import logging
import re
from typing import Final

# Django logs the address of each refused request, and a link's address contains its token.
SIGN_IN_LINK: Final = re.compile(r"(/account/(?:sign-in|password/new/\w+)/)[^/\s?\"']+")
# Django's server for development logs whole addresses: names are searched for by `q`.
SEARCH: Final = re.compile(r"([?&]q=)[^&\s\"']+")


class HideSignInLinks(logging.Filter):
    """Replace the tokens of sign-in links and the words of searches in a message by dots."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        hidden = SEARCH.sub(r"\1…", SIGN_IN_LINK.sub(r"\1…", message))
        if hidden != message:
            record.msg, record.args = hidden, ()
        return True
