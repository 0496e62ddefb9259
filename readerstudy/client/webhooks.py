"""Checking the messages that webhooks get, by the scheme of Standard Webhooks. For receivers."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any, Final

from readerstudy.errors import StudyError

TOLERANCE: Final = 300.0  # seconds between the clocks of sender and receiver
_PREFIX: Final = "whsec_"


class NotSigned(StudyError):
    """The message does not come from the holder of the secret, or it is old."""


def verify_message(
    secret: str, headers: Mapping[str, str], body: bytes, *, now: float | None = None, tolerance: float = TOLERANCE
) -> Any:
    """Return the JSON of a message. Raises NotSigned if its signature is wrong or its time too far from `now`.

    `headers` by names in lower case; `body` exactly as it arrived. A message may arrive twice, with one `webhook-id`.
    """
    try:
        number, second = headers["webhook-id"], headers["webhook-timestamp"]
        signatures = headers["webhook-signature"].split()
        age = (time.time() if now is None else now) - int(second)
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (KeyError, ValueError, binascii.Error) as error:
        raise NotSigned("The headers of the message are missing or broken.") from error
    if abs(age) > tolerance:
        raise NotSigned(f"The message is {age:.0f} seconds old.")
    content = f"{number}.{second}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    if not any(hmac.compare_digest(expected.encode(), each.encode()) for each in signatures):
        raise NotSigned("The signature of the message is wrong.")
    return json.loads(body)
