"""Who may read `/metrics`: machines of `METRICS_FROM`, and requests with the token of `METRICS_TOKEN_FILE`."""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

_BEARER = "Bearer "


def may_read_metrics(request: HttpRequest) -> bool:
    """Return whether the request carries the token, or comes from an allowed machine at each of its steps.

    Behind a proxy of this machine every request comes from the loopback: each address in `X-Forwarded-For` must be
    allowed too. A client that invents such addresses can only add some that are refused.
    """
    sent = request.headers.get("Authorization", "")
    if settings.METRICS_TOKEN and sent.startswith(_BEARER):
        return constant_time_compare(sent.removeprefix(_BEARER), settings.METRICS_TOKEN)
    steps = [request.META.get("REMOTE_ADDR", "")]
    if forwarded := request.headers.get("X-Forwarded-For", ""):
        steps += [part.strip() for part in forwarded.split(",")]
    return all(map(_is_allowed, steps))


def _is_allowed(written: str) -> bool:
    try:
        address = ip_address(written)
    except ValueError:
        return False
    return any(address in ip_network(network) for network in settings.METRICS_FROM)
