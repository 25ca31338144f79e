"""The mistakes that the checker must find: each undoes one thing that keeps a promise.

Applied to the processes of a soak, never to anything else.
"""

from collections.abc import Callable

from django.db import connection
from django.db.backends.signals import connection_created

from delivery import (
    eligibility,
    erasure,
    extraction,
    gate,
    parts,
    sending,
    slots,
)
from delivery.channels import extraction as extraction_channel
from delivery.models import Slot
from delivery.states import ExclusionReason, MessageStatus
from optout import importing, ledger
from optout.models import OptOut
from profiles import in_flight
from quarantine import transitions
from quarantine.reasons import Event, Status


def decided_at_the_lease() -> None:
    """Whoever was eligible when the part was taken is sent to."""
    gate._PASS = gate._PASS.replace("outcome.reasons = 0", "outcome.reasons >= 0")


def listed_passed_over() -> None:
    """The gate forgets the rules on quarantined and denylisted addresses."""
    listed = {ExclusionReason.QUARANTINED_ADDRESS, ExclusionReason.DENYLISTED_ADDRESS}
    eligibility.RULES = tuple(
        rule for rule in eligibility.RULES if rule.reason not in listed
    )


def doubtful_taken_for_sent() -> None:
    """What a dead worker had in hand counts as sent, and what it had leased too."""

    def settle(part, slot_id, *, now):
        in_hand = (MessageStatus.SENDING, MessageStatus.LEASED)
        parts.messages_of(part).filter(status__in=in_hand).update(
            status=MessageStatus.SENT
        )

    parts._settle_doubtful = settle


def living_taken_for_dead() -> None:
    """A slot counts as dead when it is a while old, as with leases by time."""

    def dead_ones(own):
        others = Slot.objects.exclude(pk=own.pk).filter(parts__is_done=False)
        yield from others.values_list("pk", flat=True).distinct()

    slots.dead_ones = dead_ones
    sending.IDLE = 0.01


def nothing_held_on_the_wire() -> None:
    """Strict deliveries hold no lock while a message is on its way."""
    in_flight._keys = lambda profile_ids, digests: []


def commits_not_waited_for() -> None:
    """An opt-out is acknowledged before it is on disk."""

    def relax(sender, connection, **how):
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")

    connection_created.connect(relax, weak=False)
    connection.close()


def change_recorded_twice() -> None:
    """Each opt-out leaves two rows in the ledger."""
    record = ledger.record_change

    def twice(statement, parameters, *, event):
        event_id = record(statement, parameters, event=event)
        if event_id is not None:
            event.pk = None
            event.save(force_insert=True)
        return event_id

    ledger.record_change = twice


def file_lifts_stops() -> None:
    """A file that says nothing of an opt-out ends it."""
    apply_rows = importing.import_profiles

    def lifting(source, **how):
        keys = [line.split(b",")[0].decode() for line in source.getvalue().split()]
        summary = apply_rows(source, **how)
        OptOut.objects.filter(profile__external_id__in=keys).delete()
        return summary

    importing.import_profiles = lifting


def last_file_wins() -> None:
    """A file that lists addresses makes of them what it says, weaker or not."""
    for state in transitions.STATES:
        for event, status in (
            (Event.IMPORT_VALID, Status.VALID),
            (Event.IMPORT_ALLOWLISTED, Status.ALLOWLISTED),
        ):
            transitions.TABLE[state, event] = status


def erased_forgotten() -> None:
    """Erasing a person forgets their addresses without denylisting them."""
    erasure._denylist_addresses = lambda profile, *, by, now: 0


def nobody_asked_at_assembly() -> None:
    """A file has everybody who was eligible when their row was written."""
    extraction.leave_out = lambda delivery, status: 0


def stops_answered_while_closing() -> None:
    """A file is closed slowly, and whoever stops meanwhile is answered at once."""
    in_flight.closing_file = lambda: None
    leave_out = extraction.leave_out

    def slowly(delivery, status):
        count = leave_out(delivery, status)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.5)")
        return count

    extraction.leave_out = slowly


def row_not_unique() -> None:
    """A person may have several rows, and nobody looks whether there is one."""
    write = extraction_channel._WRITE.partition(" ON CONFLICT")[0]
    extraction_channel._WRITE = write
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE delivery_extractionrow"
            " DROP CONSTRAINT IF EXISTS delivery_extractionrow_pkey"
        )
    connection.close()

    def settle(part, slot_id, *, now):
        doubtful = parts.messages_of(part).filter(status=MessageStatus.SENDING)
        doubtful.update(status=MessageStatus.READY)

    parts._settle_doubtful = settle


def doubtful_left_behind() -> None:
    """What a dead worker had in hand stays as it is."""
    parts._settle_doubtful = lambda part, slot_id, *, now: None


MISTAKES: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (
        decided_at_the_lease,
        listed_passed_over,
        doubtful_taken_for_sent,
        living_taken_for_dead,
        nothing_held_on_the_wire,
        commits_not_waited_for,
        change_recorded_twice,
        file_lifts_stops,
        last_file_wins,
        erased_forgotten,
        nobody_asked_at_assembly,
        stops_answered_while_closing,
        row_not_unique,
        doubtful_left_behind,
    )
}


def apply(name: str) -> None:
    """Make one mistake in this process; none without a name."""
    if name:
        MISTAKES[name]()
