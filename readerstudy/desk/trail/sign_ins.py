"""Under which sign-in sessions were read: by whose link, from where, and whether its maker was seen there too."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from readerstudy.accounts.models import SignInLink, User
from readerstudy.audit.models import Event


@dataclass(frozen=True)
class SignInFacts:
    """The sign-in under which something was done.

    `link`: its number, None for passwords and tokens; `made_by`: who made it, None for the server. `is_makers_address`:
    somebody else made the link, and signed in or acted from the same address under their own name.
    """

    address: str | None
    link: int | None = None
    made_by: User | None = None
    token: int | None = None
    is_makers_address: bool = False


def sign_ins_of(events: Iterable[Event]) -> dict[int, SignInFacts]:
    """Return, by the key of each event that opened a session or used a link, the facts of its sign-in."""
    shown = [event for event in events if event.verb in ("session.opened", "sign_in.by_link")]
    sign_ins = {event.pk: event if event.verb == "sign_in.by_link" else event.sign_in for event in shown}
    numbers = [sign_in.data["link"] for sign_in in sign_ins.values() if sign_in and "link" in sign_in.data]
    links = SignInLink.objects.select_related("created_by").in_bulk(numbers)
    was_at = cache(_was_at)
    return {event.pk: _facts(event, sign_ins[event.pk], links, was_at) for event in shown}


def _facts(
    event: Event, sign_in: Event | None, links: Mapping[int, SignInLink], was_at: Callable[[int, str], bool]
) -> SignInFacts:
    if sign_in is None:
        return SignInFacts(event.address, token=event.data.get("by_token"))
    link = links.get(sign_in.data.get("link", 0))
    maker = link.created_by if link else None
    return SignInFacts(
        address=sign_in.address,
        link=link.pk if link else None,
        made_by=maker,
        is_makers_address=bool(
            maker and sign_in.address and maker.pk != sign_in.actor_id and was_at(maker.pk, sign_in.address)
        ),
    )


def _was_at(person: int, address: str) -> bool:
    """Return whether the person did anything from this address under their own name."""
    return Event.objects.filter(actor=person, address=address).exists()
