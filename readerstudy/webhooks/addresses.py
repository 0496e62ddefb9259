"""Which addresses may be called: a webhook must not reach what only this server reaches (SSRF).

An address is checked when it is given, and again at each attempt: a name may lead elsewhere by then. The attempt
connects to the number that was checked, so that the name is not looked up a second time.
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from readerstudy.errors import BadInput
from readerstudy.webhooks.models import LONGEST_URL


@dataclass(frozen=True)
class Target:
    """An address that may be called now: its host, and the number to connect to."""

    host: str
    port: int
    address: str


def check_url(url: str) -> None:
    """Raise BadInput unless the address may be called."""
    find_target(url)


def find_target(url: str) -> Target:
    """Look the host of an address up. Raises BadInput unless all its numbers may be called."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadInput(_("The address of the webhook cannot be read.")) from error
    host = (parts.hostname or "").lower()
    if not host or parts.scheme not in ("http", "https") or parts.username or parts.fragment or len(url) > LONGEST_URL:
        raise BadInput(_("Give an address such as https://host/path, without a user name, of at most 500 characters."))
    if any(ord(letter) <= 32 or ord(letter) > 126 for letter in url):
        raise BadInput(_("The address of the webhook has letters that must be percent-encoded."))
    port = port or (443 if parts.scheme == "https" else 80)
    numbers = _numbers(host, port)
    is_own = settings.EMBEDDED and all(ipaddress.ip_address(number).is_loopback for number in numbers)
    if parts.scheme != "https" and not is_own:
        raise BadInput(_("Webhooks are sent over https only."))
    if not is_own and host not in settings.WEBHOOK_HOSTS and not all(_is_public(number) for number in numbers):
        raise BadInput(
            _("%(host)s is in a private network. Those who run this server can allow it (WEBHOOK_HOSTS).")
            % {"host": host}
        )
    return Target(host, port, numbers[0])


def _numbers(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BadInput(_("There is no host %(host)s.") % {"host": host}) from error
    return [str(address[0]).partition("%")[0] for *_kinds, address in found]


def _is_public(number: str) -> bool:
    address = ipaddress.ip_address(number)
    if isinstance(address, ipaddress.IPv6Address):
        # A number of IPv4 in another dress: mapped, 6to4 and NAT64.
        inner = address.ipv4_mapped or address.sixtofour
        if address in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            address = inner
    return address.is_global and not address.is_multicast
