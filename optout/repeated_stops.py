"""Noting that a stop was asked for again: then it is the person's own.

A scanner may press before the person does. The second press changes nothing, so the
ledger has no row of it; but whoever reverses the scanner's burst must not lift what
the person asked for as well. Any repeat counts: the stricter state wins.
"""

from datetime import datetime

from optout.models import ConsentEvent, RepeatedStop
from optout.models.ledger import Direction
from optout.tokens import Link


def note(link: Link, *, now: datetime) -> None:
    """Note that what a link stops was asked for again; once for each stop.

    Only stops that a delivery led to can be reversed as a burst: others need no note.
    """
    scope = {"channel": link.channel}
    if link.service_id:
        scope = {"service_id": link.service_id}
    event_id = (
        ConsentEvent.objects.filter(
            profile_id=link.profile_id, delivery_id__isnull=False, **scope
        )
        .filter(direction=Direction.OUT)
        .order_by("-pk")
        .values_list("pk", flat=True)
        .first()
    )
    if event_id is not None:
        RepeatedStop.objects.bulk_create(
            [RepeatedStop(event_id=event_id, at=now)], ignore_conflicts=True
        )
