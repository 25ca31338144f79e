"""The promises that must never break, by their numbers (ARCHITECTURE section 8).

Promises 1, 2, 4, 5 and 6 are about sending and come with it. Each test here goes in
by the doors that files and operators use and ends with an analysis.
"""

import io
from datetime import UTC, datetime

import pytest

from delivery import analysis, audiences
from delivery.erasure import erase
from delivery.models import Delivery, Message
from optout import preferences
from optout.importing import import_profiles
from optout.models import ConsentEvent, OptOut
from optout.models.ledger import ConsentReason, ConsentSource
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Profile
from quarantine import importing as quarantine_importing
from quarantine.listing import list_address
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Reason, Status
from quarantine.release import release

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def import_file(text: str) -> None:
    import_profiles(io.BytesIO(text.encode()), now=NOW)


def import_quarantine(text: str) -> None:
    quarantine_importing.import_file(io.BytesIO(text.encode()), now=NOW)


def excluded_for() -> dict[str, str]:
    """Analyse a delivery by email to everybody: {external id: primary reason}."""
    delivery = Delivery.objects.create(
        label="Promise", channel=Channel.EMAIL, audience=audiences.everybody()
    )
    run = analysis.prepare(delivery, by="operator", now=NOW)
    messages = Message.objects.filter(analysis=run).select_related("profile")
    return {
        each.profile.external_id: each.primary_reason.code if each.reasons else ""
        for each in messages
    }


def opted_out(external_id: str, channel: int = Channel.EMAIL) -> Profile:
    profile = Profile.objects.get(external_id=external_id)
    preferences.opt_out(
        profile, channel, by="operator", source=ConsentSource.OPERATOR, now=NOW
    )
    return profile


@pytest.mark.parametrize("spelling", ["Gone@EXAMPLE.com", "  gone@example.com "])
def test_promise_3_quarantine_holds_whichever_profile_brings_the_address(spelling, db):
    import_quarantine(
        "channel,address,status,reason\nemail,gone@example.com,quarantine,"
    )

    import_file(f"external_id,email\nA,{spelling}\nB,{spelling}\nC,new@example.com")

    assert excluded_for() == {
        "A": "quarantined_address",
        "B": "quarantined_address",
        "C": "",
    }


def test_promise_7_no_import_ends_an_opt_out(db):
    import_file("external_id,email\nA,a@example.com")
    opted_out("A")

    import_file("external_id,email,no_email,no_contact\nA,a@example.com,0,no")
    import_file("external_id,email,no_email\nA,new@example.com,false")

    assert excluded_for() == {"A": "opted_out_channel"}


def test_promise_7_no_release_ends_an_opt_out(db):
    import_file("external_id,email\nA,a@example.com")
    opted_out("A")
    row = list_address(
        Channel.EMAIL,
        "a@example.com",
        Status.QUARANTINE,
        reason=Reason.LISTED,
        note="x",
        by="x",
        now=NOW,
    )

    release([row], by="x", note="x", may_release_denylisted=True, now=NOW)

    assert excluded_for() == {"A": "opted_out_channel"}


def test_promise_7_opting_in_to_a_channel_leaves_the_opt_out_from_all(db):
    import_file("external_id,email\nA,a@example.com")
    profile = opted_out("A", ANY_CHANNEL)
    opted_out("A")

    preferences.opt_in(
        profile,
        Channel.EMAIL,
        by="operator",
        source=ConsentSource.OPERATOR,
        reason=ConsentReason.SIGNED_FORM,
        note="The form of 14 January.",
        now=NOW,
    )

    assert excluded_for() == {"A": "opted_out_any"}


def test_promise_8_one_change_is_one_row_of_the_ledger(db):
    import_file("external_id,email,no_email\nA,a@example.com,yes")
    import_file("external_id,email,no_email\nA,a@example.com,yes")
    opted_out("A")
    opted_out("A", ANY_CHANNEL)

    assert OptOut.objects.count() == 2
    assert sorted(ConsentEvent.objects.values_list("channel", flat=True)) == [
        ANY_CHANNEL,
        Channel.EMAIL,
    ]


@pytest.mark.parametrize("weaker", ["valid", "allowlisted", "erroneous", "quarantine"])
def test_promise_9_the_stricter_state_wins_in_either_order(weaker, db):
    header = "channel,address,status,reason\n"
    rows = [f"email,a@example.com,{weaker},\n", "email,A@example.com,denylisted,\n"]
    import_quarantine(header + "".join(rows))
    import_quarantine(header + "".join(reversed(rows)))
    import_quarantine(header + rows[0])

    assert QuarantinedAddress.objects.get().status == Status.DENYLISTED


def test_promise_10_an_erased_address_is_never_mailable_again(db):
    import_file("external_id,email,mobile\nA,a@example.com,+46701740605")
    erase(Profile.objects.get(), by="operator", reason="The person asked.", now=NOW)

    import_file("external_id,email\nA,A@EXAMPLE.COM\nB, a@example.com")
    import_quarantine("channel,address,status,reason\nemail,a@example.com,valid,")

    assert excluded_for() == {"A": "denylisted_address", "B": "denylisted_address"}
    row = QuarantinedAddress.objects.get(channel=Channel.EMAIL)
    result = release([row], by="x", note="x", may_release_denylisted=True, now=NOW)
    assert (result.released, sum(result.refused.values())) == (0, 1)
    assert not QuarantinedAddress.objects.exclude(address="").exists()
