"""Lanes: the mail to one recipient domain, held back while the domain asks for that.

A domain that answers 421, or that we send too fast, gets a pause that doubles each
time; every worker keeps to it. So does marketing mail to a domain whose recipients
complained too often (delivery.complaint_rates). A rate that an operator set is shared
out by time: each connection waits its turn.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from django.conf import settings
from django.db.models import F

from delivery import complaint_rates
from delivery.models import Lane

FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=1)
_LOOK_EVERY: Final = 2.0  # seconds


def domain_of(address: str) -> str:
    """Give the domain of an email address; empty for any other."""
    return address.rpartition("@")[2].lower() if "@" in address else ""


class Lanes:
    """What one sender knows of the lanes, looked up anew every two seconds."""

    def __init__(self, rates: Mapping[str, float] | None = None) -> None:
        self._rates = settings.SENDING_RATES if rates is None else rates
        self._paused: dict[str, datetime] = {}
        self._held: dict[str, datetime] = {}
        self._looked_at = 0.0
        self._next_turn: dict[str, float] = {}

    def paused_until(
        self, domain: str, *, now: datetime, is_marketing: bool = False
    ) -> datetime | None:
        """Give until when a domain gets nothing; None when it may have its mail."""
        if monotonic() - self._looked_at > _LOOK_EVERY:
            self._looked_at = monotonic()
            rows = Lane.objects.filter(paused_until__gt=now)
            self._paused = dict(rows.values_list("domain", "paused_until"))
            self._held = complaint_rates.held_until(now=now)
        until = self._paused.get(domain)
        if is_marketing and domain in self._held:
            until = max(until or now, self._held[domain])
        return until if until is not None and until > now else None

    def turn_of(self, domain: str) -> float:
        """Take the next turn of a domain; gives the seconds to wait for it.

        Rates are messages a second to a domain from one sender.
        """
        rate = self._rates.get(domain, self._rates.get("*", 0))
        if not rate:
            return 0.0
        due = max(self._next_turn.get(domain, 0.0), monotonic())
        self._next_turn[domain] = due + 1 / rate
        return due - monotonic()

    def pause(self, domain: str, *, now: datetime) -> datetime:
        """Hold a domain's mail back, longer each time; gives until when."""
        lane, is_new = Lane.objects.get_or_create(
            domain=domain, defaults={"paused_until": now + FIRST_PAUSE}
        )
        if not is_new and lane.paused_until <= now:
            pause = min(FIRST_PAUSE * 2 ** min(lane.failures, 10), LONGEST_PAUSE)
            Lane.objects.filter(pk=lane.pk, paused_until=lane.paused_until).update(
                paused_until=now + pause, failures=F("failures") + 1
            )
            lane.refresh_from_db()
        self._paused[domain] = lane.paused_until
        return lane.paused_until

    def forgive(self, domain: str, *, now: datetime) -> None:
        """Forget the pauses of a domain that took a message again."""
        if domain in self._paused and self._paused[domain] <= now:
            del self._paused[domain]
            Lane.objects.filter(domain=domain, paused_until__lte=now).delete()
