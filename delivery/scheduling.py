"""Beginning and ending deliveries: what is confirmed begins when its time has come."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from delivery import composing, extraction_rows, lifecycle, parts
from delivery.channels.transport import BY_FILE
from delivery.lifecycle import DeliveryEvent
from delivery.models import Delivery, Extraction, Message
from delivery.states import DeliveryStatus, MessageStatus
from profiles.models import Profile

# The time of day comes this much earlier at the far east of the world, and later at
# the far west: UTC+14 and UTC-12.
EARLIEST: Final = timedelta(hours=14)
LATEST: Final = timedelta(hours=12)


def start_due(*, now: datetime) -> int:
    """Begin every confirmed delivery whose contact date has come; gives how many."""
    everywhere = Q(is_in_local_time=False, contact_at__lte=now)
    locally = Q(is_in_local_time=True, contact_at__lte=now + EARLIEST)
    confirmed = Delivery.objects.filter(status=DeliveryStatus.CONFIRMED)
    return sum(start(each, now=now) for each in confirmed.filter(everywhere | locally))


@transaction.atomic
def start(delivery: Delivery, *, now: datetime) -> bool:
    """Begin a confirmed delivery: cut it into parts, and say when it expires.

    One that is too late waits for a person instead. Tells whether it began.
    """
    contact_at = delivery.contact_at or now
    if now > contact_at + delivery.starts_within:
        _hold(delivery)
        return False
    if not lifecycle.try_to_move(
        delivery,
        DeliveryEvent.START,
        started_at=now,
        expires_at=_expires_at(delivery, contact_at),
    ):
        return False
    assert delivery.current_analysis_id is not None
    due_at = now
    if delivery.is_in_local_time:
        _set_local_times(delivery.current_analysis_id, contact_at)
    parts.build(delivery.current_analysis_id, due_at=due_at)
    if delivery.channel in BY_FILE:
        columns = extraction_rows.header(composing.content_of(delivery))
        Extraction.objects.create(delivery=delivery, columns=columns)
    return True


def finish_done(*, now: datetime) -> int:
    """Finish the deliveries of which nothing is left; gives how many there were.

    Those by file end with their file (delivery.extraction).
    """
    ended = 0
    begun = Delivery.objects.filter(
        status__in=[
            DeliveryStatus.SENDING,
            DeliveryStatus.PAUSED,
            DeliveryStatus.FAILED,
        ]
    ).exclude(channel__in=BY_FILE)
    for delivery in begun:
        if not parts.has_open(delivery):
            ended += lifecycle.try_to_move(
                delivery, DeliveryEvent.FINISH, finished_at=now
            )
    return ended


def is_over(delivery: Delivery, *, now: datetime) -> MessageStatus | None:
    """Give what becomes of all that is unsent when a delivery is over, else None."""
    if delivery.status == DeliveryStatus.CANCELLED:
        return MessageStatus.CANCELLED
    if delivery.expires_at is not None and delivery.expires_at <= now:
        return MessageStatus.EXPIRED
    return None


def _expires_at(delivery: Delivery, contact_at: datetime) -> datetime:
    last = contact_at + LATEST if delivery.is_in_local_time else contact_at
    return last + delivery.validity


def _hold(delivery: Delivery) -> None:
    note = _(
        "It could not begin in time: nothing sent for more than %(hours)s hours after"
        " its contact date. See whether it still makes sense, and confirm it again."
    ) % {"hours": int(delivery.starts_within.total_seconds() // 3600)}
    lifecycle.try_to_move(
        delivery,
        DeliveryEvent.HOLD,
        stop_note=note,
        confirmed_at=None,
        confirmed_by="",
    )


def _set_local_times(analysis_id: int, contact_at: datetime) -> None:
    """Say of each message when the contact date's time of day comes to its person.

    One statement: a table of time zones, joined to the profiles.
    """
    wall = contact_at.astimezone(ZoneInfo(settings.TIME_ZONE)).replace(tzinfo=None)
    zones = Profile.objects.order_by().values_list("time_zone", flat=True).distinct()
    table = [
        (zone, wall.replace(tzinfo=ZoneInfo(zone or settings.TIME_ZONE)))
        for zone in zones
    ]
    is_postgresql = connection.vendor == "postgresql"
    place = "(%s, %s::timestamptz)" if is_postgresql else "(%s, %s)"
    places = ", ".join([place] * len(table))
    params = [
        value
        for zone, due_at in table
        for value in (zone, connection.ops.adapt_datetimefield_value(due_at))
    ]
    name = Message._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH zones (zone, due_at) AS (VALUES {places})"
            f" UPDATE {name} SET due_at = zones.due_at FROM zones"
            " JOIN profiles_profile ON profiles_profile.time_zone = zones.zone"
            f" WHERE {name}.analysis_id = %s AND {name}.status = %s"
            f" AND profiles_profile.id = {name}.profile_id",
            [*params, analysis_id, MessageStatus.READY.value],
        )
