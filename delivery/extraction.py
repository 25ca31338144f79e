"""Extractions: deliveries that somebody else brings to the people, by a file.

Workers write one row per message, each behind the gate; the message stays `sending`
while its row waits. Then, in this order:

1. when every row is written the file is *produced*, in one transaction: eligibility is
   asked again of all of them at once, who must not be reached is excluded after the
   analysis, everybody else is sent, and the delivery is finished;
2. when it is handed over for the first time it is *closed*: eligibility is asked once
   more, by one statement, while whoever stops waits for their answer; from then on the
   same bytes are given every time;
3. its rows go when they have served their time; its log stays.

So at every moment `sent` means: in the file. A delivery that was cancelled or has
expired before it was produced has none.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from delivery import eligibility, extraction_rows, lifecycle, parts, scheduling, slots
from delivery.eligibility import Sql
from delivery.lifecycle import DeliveryEvent
from delivery.models import (
    Delivery,
    Extraction,
    ExtractionDownload,
    ExtractionRow,
    Message,
)
from delivery.states import DeliveryStatus, MessageStatus
from profiles import in_flight
from profiles.channels import Channel

# Without it a spreadsheet takes UTF-8 for something else.
BOM: Final = "\ufeff"
_ROWS_AT_ONCE: Final = 5_000
_LATEST: Final = 20  # downloads that the console shows


class ExtractionError(Exception):
    """A file that cannot be handed over; the text is a sentence."""


class State(StrEnum):
    """Where a file stands."""

    MAKING = "making"
    READY = "ready"
    CLOSED = "closed"
    REMOVED = "removed"
    NONE = "none"


@dataclass(frozen=True)
class Overview:
    """What the page of a delivery shows of its file."""

    extraction: Extraction
    state: State
    downloads: list[ExtractionDownload]

    @property
    def can_download(self) -> bool:
        return self.state in {State.READY, State.CLOSED}


def of(delivery: Delivery) -> Overview | None:
    """Gather what is known of the file of a delivery; None when it has none."""
    extraction = Extraction.objects.filter(delivery=delivery).first()
    if extraction is None:
        return None
    latest = extraction.downloads.order_by("-pk")[:_LATEST]
    return Overview(extraction, _state(extraction), list(latest))


def file_name(delivery: Delivery) -> str:
    return f"delivery-{delivery.pk}-{Channel(delivery.channel).code}.csv"


def finish_done(*, now: datetime) -> int:
    """Produce the files of which every row is written; gives how many there were.

    Ends those of deliveries that are over, too. A paused delivery waits.
    """
    produced = 0
    open_ones = Extraction.objects.filter(produced_at=None, dropped_at=None)
    for extraction in open_ones.select_related("delivery"):
        if parts.has_open(extraction.delivery):
            continue
        over = scheduling.is_over(extraction.delivery, now=now)
        if over is not None:
            drop(extraction, over, now=now)
        else:
            produced += produce(extraction, now=now)
    return produced


@transaction.atomic
def produce(extraction: Extraction, *, now: datetime) -> bool:
    """Make the file of a delivery of which every row is written, and finish it.

    Tells whether it was made: not when it is there already, or the delivery is not
    being sent.
    """
    delivery = _lock_delivery(extraction)
    extraction = _lock(extraction)
    is_sending = delivery.status == DeliveryStatus.SENDING
    if extraction.produced_at is not None or not is_sending:
        return False
    leave_out(delivery, MessageStatus.SENDING)
    _settle(delivery)
    _delete_unsent(delivery)
    extraction.row_count = extraction.rows.count()
    extraction.produced_at = now
    extraction.save(update_fields=["row_count", "produced_at"])
    lifecycle.move(delivery, DeliveryEvent.FINISH, finished_at=now)
    return True


@transaction.atomic
def drop(extraction: Extraction, status: MessageStatus, *, now: datetime) -> None:
    """End the file of a delivery that is over before it was produced."""
    delivery = _lock_delivery(extraction)
    extraction = _lock(extraction)
    if extraction.produced_at is not None or extraction.dropped_at is not None:
        return
    _messages(delivery).filter(status=MessageStatus.SENDING).update(status=status)
    extraction.rows.all().delete()
    extraction.dropped_at = now
    extraction.save(update_fields=["dropped_at"])
    lifecycle.try_to_move(delivery, DeliveryEvent.FINISH, finished_at=now)


def hand_over(delivery: Delivery, *, by: str, now: datetime) -> Extraction:
    """Close the file of a delivery the first time, and log who gets it.

    Give its bytes with content() then. Raises ExtractionError with a sentence.
    """
    extraction = Extraction.objects.filter(delivery=delivery).first()
    if extraction is None or not _is_there(extraction):
        raise ExtractionError(_why_not(delivery, extraction))
    if extraction.closed_at is None:
        _close(extraction)
    if not extraction.sha256:
        _fingerprint(extraction)
    ExtractionDownload.objects.create(
        extraction=extraction, downloaded_at=now, downloaded_by=by
    )
    extraction.refresh_from_db()
    return extraction


def content(extraction: Extraction) -> Iterator[bytes]:
    """Give the bytes of a closed file in pieces: UTF-8 with BOM, by profile id."""
    yield (BOM + extraction_rows.line(extraction.columns)).encode()
    last = 0
    while True:
        rows = list(
            extraction.rows.filter(profile_id__gt=last)
            .order_by("profile_id")
            .values_list("profile_id", "line")[:_ROWS_AT_ONCE]
        )
        if not rows:
            return
        yield "".join(line for _id, line in rows).encode()
        last = rows[-1][0]


def write(delivery: Delivery, path: Path, *, by: str, now: datetime) -> None:
    """Hand the file over into a file, which is there whole or not at all.

    Raises ExtractionError with a sentence; before anything is handed over when nothing
    can be written there.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            for piece in content(hand_over(delivery, by=by, now=now)):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise ExtractionError(
            _("%(path)s cannot be written: %(why)s. Name another file.")
            % {"path": path, "why": error.strerror or type(error).__name__}
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def purge(*, now: datetime) -> int:
    """Remove the rows of files that were handed over long ago; gives how many files.

    That they were handed over, when, to whom and with which hash stays.
    """
    before = now - settings.EXTRACTION_RETENTION
    old = Extraction.objects.filter(closed_at__lt=before, dropped_at=None)
    count = 0
    for extraction in old:
        with transaction.atomic():
            extraction.rows.all().delete()
            extraction.dropped_at = now
            extraction.save(update_fields=["dropped_at"])
        count += 1
    return count


def leave_open_files(profile_ids: Iterable[int]) -> None:
    """Take people out of every file that was not handed over.

    Their locks are taken first: whoever hands one over now waits until we are done, or
    has closed it before.
    """
    open_ones = Extraction.objects.filter(closed_at=None, dropped_at=None)
    locked = open_ones.select_for_update(no_key=True).order_by("pk")
    ExtractionRow.objects.filter(
        extraction_id__in=list(locked.values_list("pk", flat=True)),
        profile_id__in=list(profile_ids),
    ).delete()


def leave_out(delivery: Delivery, status: MessageStatus) -> int:
    """Exclude whoever of the messages in a status must not be reached any more.

    One statement: it sees every stop that was acknowledged before it was issued. Gives
    how many there were.
    """
    within = Sql(
        f"targeted.analysis_id = {delivery.current_analysis_id:d}"
        f" AND targeted.status = {status:d}"
    )
    people = eligibility.evaluated_messages(delivery, now=slots.now(), within=within)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_MESSAGES} AS message"
            f" SET status = {MessageStatus.EXCLUDED_AFTER:d}, reasons = found.reasons"
            f" FROM ({people.text}) found"
            f" WHERE message.analysis_id = {delivery.current_analysis_id:d}"
            " AND message.profile_id = found.profile_id"
            f" AND message.status = {status:d} AND found.reasons <> 0",
            people.params,
        )
        return int(cursor.rowcount)


@transaction.atomic
def _close(extraction: Extraction) -> None:
    """Take out whoever must not be reached any more, for the last time."""
    extraction = _lock(extraction)
    if extraction.closed_at is not None:
        return
    in_flight.closing_file()
    leave_out(extraction.delivery, MessageStatus.SENT)
    _delete_unsent(extraction.delivery)
    extraction.row_count = extraction.rows.count()
    # No stop was answered between the lock and this moment.
    extraction.closed_at = slots.now()
    extraction.save(update_fields=["closed_at", "row_count"])


def _fingerprint(extraction: Extraction) -> None:
    sha256, size = hashlib.sha256(), 0
    for piece in content(extraction):
        sha256.update(piece)
        size += len(piece)
    extraction.sha256, extraction.size = sha256.hexdigest(), size
    extraction.save(update_fields=["sha256", "size"])


def _settle(delivery: Delivery) -> None:
    """Call everybody sent who has a row; there is nobody else, or it shows."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_MESSAGES} AS message SET status = CASE WHEN EXISTS"
            f" (SELECT 1 FROM {_ROWS} written WHERE written.extraction_id = %s"
            " AND written.profile_id = message.profile_id)"
            f" THEN {MessageStatus.SENT:d} ELSE {MessageStatus.FAILED:d} END"
            " WHERE message.analysis_id = %s"
            f" AND message.status = {MessageStatus.SENDING:d}",
            [delivery.pk, delivery.current_analysis_id],
        )


def _delete_unsent(delivery: Delivery) -> None:
    """Delete the rows of those who are not sent to."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {_ROWS} WHERE extraction_id = %s AND NOT EXISTS"
            f" (SELECT 1 FROM {_MESSAGES} message WHERE message.analysis_id = %s"
            f" AND message.profile_id = {_ROWS}.profile_id"
            f" AND message.status = {MessageStatus.SENT:d})",
            [delivery.pk, delivery.current_analysis_id],
        )


def _lock_delivery(extraction: Extraction) -> Delivery:
    deliveries = Delivery.objects.select_for_update(no_key=True)
    return deliveries.get(pk=extraction.delivery_id)


def _lock(extraction: Extraction) -> Extraction:
    """Lock the row that stands for the file: whoever changes it holds this."""
    return Extraction.objects.select_for_update(no_key=True).get(pk=extraction.pk)


def _messages(delivery: Delivery) -> QuerySet[Message]:
    return Message.objects.filter(analysis_id=delivery.current_analysis_id or 0)


def _state(extraction: Extraction) -> State:
    if extraction.dropped_at is not None:
        return State.REMOVED if extraction.closed_at else State.NONE
    if extraction.closed_at is not None:
        return State.CLOSED
    return State.READY if extraction.produced_at else State.MAKING


def _is_there(extraction: Extraction) -> bool:
    return _state(extraction) in {State.READY, State.CLOSED}


def _why_not(delivery: Delivery, extraction: Extraction | None) -> str:
    if extraction is None:
        why = _("it has none. Confirm a delivery by phone, direct mail, fax or push.")
    elif _state(extraction) == State.MAKING:
        why = _("it is not finished yet. Wait for the worker, or run send_deliveries.")
    elif _state(extraction) == State.REMOVED:
        why = _("it was kept for a while and then removed. Make a new delivery.")
    else:
        why = _("none was made, because it was cancelled or expired before.")
    return _("The file of delivery ‘%(delivery)s’ cannot be handed over: %(why)s") % {
        "delivery": delivery,
        "why": why,
    }


_MESSAGES: Final = Message._meta.db_table
_ROWS: Final = ExtractionRow._meta.db_table
