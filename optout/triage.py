"""Requests to stop that an operator decides: whose they are, and closing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from optout.models import StopRequest
from profiles.addresses import mask
from profiles.models import Address, Profile


@dataclass(frozen=True, slots=True)
class Line:
    """One request with the number it is about, and the people who carry it."""

    request: StopRequest
    number: str
    people: tuple[Profile, ...]


def lines(requests: Sequence[StopRequest]) -> list[Line]:
    """Find the people of requests, with one query for all of them."""
    addresses = Address.objects.filter(
        digest__in=[request.digest for request in requests]
    ).select_related("profile")
    found: dict[tuple[int, object], list[Address]] = {}
    for address in addresses.order_by("profile_id"):
        found.setdefault((address.channel, address.digest), []).append(address)
    return [
        _line(each, found.get((each.channel, each.digest), [])) for each in requests
    ]


def close(request_id: int, *, by: str, now: datetime) -> bool:
    """Close a request that is open; says whether it was."""
    waiting = StopRequest.objects.filter(pk=request_id, closed_at__isnull=True)
    return bool(waiting.update(closed_at=now, closed_by=by))


def _line(request: StopRequest, addresses: Sequence[Address]) -> Line:
    number = mask(request.channel, addresses[0].value) if addresses else ""
    return Line(request, number, tuple(address.profile for address in addresses))
