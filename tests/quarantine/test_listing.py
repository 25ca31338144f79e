from datetime import UTC, datetime

import pytest

from profiles.addresses import parse
from profiles.channels import Channel
from quarantine import listing
from quarantine.models import BlockedDomain, QuarantinedAddress, QuarantineEvent
from quarantine.reasons import Reason, Status
from quarantine.transitions import QuarantineError
from tests import factories

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def put(value, status, *, channel=Channel.EMAIL, reason=Reason.NONE, country=""):
    return listing.list_address(
        channel,
        value,
        status,
        country=country,
        reason=reason,
        note="Asked by letter",
        by="ola",
        now=NOW,
    )


def block(domain):
    return listing.block_domain(domain, note="Spam trap", by="ola", now=NOW)


@pytest.mark.parametrize("status", Status)
def test_operator_lists_an_address(status):
    row = put("Anna@Example.com", status, reason=Reason.REFUSED)

    assert (row.status, row.reason, row.updated_by) == (status, "refused", "ola")
    assert row.error_text == "Asked by letter"
    event = QuarantineEvent.objects.get()
    assert (event.event, event.note) == (f"listed_{status.code}", "Asked by letter")


def test_reason_is_listed_when_none_is_chosen():
    assert put("a@example.com", Status.QUARANTINE).reason == Reason.LISTED


def test_editing_changes_status_and_reason_of_the_same_row():
    row = put("a@example.com", Status.QUARANTINE)

    edited = listing.relist_address(
        row,
        Status.ERRONEOUS,
        reason=Reason.MAILBOX_FULL,
        note="",
        by="eva",
        now=NOW,
    )

    assert edited.pk == row.pk
    assert (edited.status, edited.reason) == (Status.ERRONEOUS, "mailbox_full")


def test_denylisted_address_is_released_not_edited():
    put("a@example.com", Status.DENYLISTED)

    with pytest.raises(QuarantineError, match="Release it first"):
        put("A@EXAMPLE.COM", Status.VALID)


def test_national_number_is_read_with_the_country():
    row = put("070-174 06 05", Status.DENYLISTED, channel=Channel.SMS, country="SE")

    assert row.digest == parse(Channel.SMS, "+46701740605").digest


@pytest.mark.parametrize(
    ("channel", "value"),
    [(Channel.EMAIL, "nobody"), (Channel.SMS, "070-174 06 05"), (Channel.EMAIL, " ")],
)
def test_unreadable_address_is_refused(channel, value):
    with pytest.raises(QuarantineError, match="Check its spelling"):
        put(value, Status.QUARANTINE, channel=channel)


def test_reason_erased_cannot_be_chosen():
    with pytest.raises(QuarantineError, match="by erasing a person only"):
        put("a@example.com", Status.DENYLISTED, reason=Reason.ERASED)


def test_all_addresses_of_a_profile_are_quarantined_in_one_go():
    profile = factories.make_profile(email="a@example.com", sms="+46701740605")
    factories.make_address(profile=profile, value="old@example.com", is_preferred=False)
    factories.make_quarantined_address(
        value="old@example.com", status=Status.DENYLISTED, reason=Reason.COMPLAINT
    )

    assert (
        listing.quarantine_all_addresses(profile, by="ola", note="Deceased", now=NOW)
        == 3
    )

    statuses = dict(QuarantinedAddress.objects.values_list("address", "status"))
    assert statuses == {
        "a@example.com": Status.QUARANTINE,
        "+46701740605": Status.QUARANTINE,
        "old@example.com": Status.DENYLISTED,
    }


def test_profile_without_address_has_nothing_to_quarantine():
    profile = factories.make_profile(email=None, first_name="Bo")

    with pytest.raises(QuarantineError, match="“Bo” has no address"):
        listing.quarantine_all_addresses(profile, by="ola", note="", now=NOW)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("example.com", "example.com"),
        (" Mail.EXAMPLE.com. ", "mail.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_blocked_domain_is_stored_as_lower_case_a_label(typed, stored):
    assert block(typed).domain == stored


@pytest.mark.parametrize(
    "typed", ["", ".", "a b.com", "a@example.com", "http://x.com", "-x.com", "a..b"]
)
def test_nonsense_is_not_blocked(typed):
    with pytest.raises(QuarantineError, match="is not a domain"):
        block(typed)
    assert not BlockedDomain.objects.exists()


def test_blocking_twice_changes_nothing():
    assert block("example.com") == block("EXAMPLE.com")
    assert QuarantineEvent.objects.count() == 1


def test_unblocked_domain_leaves_only_history():
    block("example.com")

    listing.unblock_domain("Example.com", note="Cleaned", by="eva", now=NOW)

    assert not BlockedDomain.objects.exists()
    events = QuarantineEvent.objects.order_by("id")
    assert [(event.event, event.note, event.actor) for event in events] == [
        ("domain_blocked", "example.com: Spam trap", "ola"),
        ("domain_unblocked", "example.com: Cleaned", "eva"),
    ]


def test_domain_that_is_not_blocked_cannot_be_unblocked():
    with pytest.raises(QuarantineError, match=r"“example\.com” is not blocked"):
        listing.unblock_domain("example.com", note="", by="eva", now=NOW)
