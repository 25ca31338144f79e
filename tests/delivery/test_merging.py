"""Merging two profiles of one person: what stays, what gets stricter, what is kept."""

from datetime import date

import pytest
from django.db import connection

from delivery import analysis, eligibility, erasure, merging, proof
from delivery.models import Message
from delivery.states import ExclusionReason
from optout import preferences, subscriptions
from optout.ledger import evidence_hash
from optout.models import ConsentEvent, ConsentEvidence, OptOut, Subscription
from optout.models.ledger import ConsentReason, ConsentSource, Direction
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address, Profile
from tests import factories
from tests.delivery.merging_stage import DAY, NOW, addresses, flags, merge, opt_out


def test_opt_outs_of_both_stop_the_one_that_lives_on(keep, lose):
    opt_out(keep, Channel.SMS)
    opt_out(lose, Channel.SMS)
    opt_out(lose, Channel.EMAIL)
    opt_out(lose, ANY_CHANNEL)

    merge(keep, lose)

    assert flags(keep) == [ANY_CHANNEL, Channel.EMAIL, Channel.SMS]


@pytest.mark.parametrize(
    ("kept", "lost", "expected"),
    [
        ({}, {}, (None, None)),
        ({"unsubscribed_at": NOW}, {}, (None, NOW)),
        ({}, {"unsubscribed_at": NOW}, (None, NOW)),
        ({"unsubscribed_at": NOW}, {"unsubscribed_at": NOW - DAY}, (None, NOW - DAY)),
        ({"expires_at": NOW}, {"expires_at": NOW + DAY}, (NOW, None)),
        ({"expires_at": NOW + DAY}, {"expires_at": NOW}, (NOW, None)),
        ({}, {"expires_at": NOW}, (NOW, None)),
        ({"expires_at": NOW}, {}, (NOW, None)),
        ({"expires_at": NOW}, {"unsubscribed_at": NOW}, (NOW, NOW)),
        (None, {"unsubscribed_at": NOW}, (None, NOW)),
        ({"expires_at": NOW}, None, (NOW, None)),
        (None, {}, None),
    ],
)
def test_stricter_subscription_wins(keep, lose, kept, lost, expected):
    service = factories.make_service()
    for profile, fields in ((keep, kept), (lose, lost)):
        if fields is not None:
            factories.make_subscription(profile=profile, service=service, **fields)

    merge(keep, lose)

    rows = Subscription.objects.values_list("profile", "expires_at", "unsubscribed_at")
    assert list(rows) == ([] if expected is None else [(keep.pk, *expected)])


@pytest.mark.parametrize("email", ["l@example.com", None])
def test_subscription_comes_along_where_it_goes_to_the_same_mailbox(email, db):
    keep = factories.make_profile(external_id="K", email=email)
    lose = factories.make_profile(external_id="L", email="L@example.com")
    factories.make_subscription(profile=lose, service=factories.make_service())

    merge(keep, lose)

    assert Subscription.objects.get().profile_id == keep.pk


def test_addresses_move_and_the_preferred_ones_stay(keep, lose):
    factories.make_address(profile=lose, value="K@example.com", is_preferred=False)
    factories.make_address(profile=lose, value="+46701740605", channel=Channel.SMS)

    merge(keep, lose)

    assert addresses(keep) == [
        ("k@example.com", True),
        ("l@example.com", False),
        ("+46701740605", True),
    ]
    assert addresses(lose) == []


def test_empty_fields_are_filled_and_others_stay(db):
    keep = factories.make_profile(
        first_name="Anna", country="SE", attributes={"level": "gold", "shoe": ""}
    )
    lose = factories.make_profile(
        first_name="Ann",
        last_name="Ek",
        birth_date=date(1980, 5, 1),
        street="Gata 1",
        city="Umeå",
        country="SE",
        attributes={"level": "tin", "shoe": "38", "hat": "7"},
    )

    merge(keep, lose)

    keep.refresh_from_db()
    assert (keep.name, keep.birth_date) == ("Anna Ek", date(1980, 5, 1))
    assert (keep.street, keep.city, keep.country) == ("Gata 1", "Umeå", "SE")
    assert keep.attributes == {"level": "gold", "shoe": "38", "hat": "7"}


@pytest.mark.parametrize("kept", [{"city": "Lund"}, {"country": "NO"}])
def test_no_postal_address_is_made_of_two(kept, db):
    keep = factories.make_profile(**kept)
    lose = factories.make_profile(street="Gata 1", city="Umeå", country="SE")

    merge(keep, lose)

    keep.refresh_from_db()
    now = {"street": keep.street, "city": keep.city, "country": keep.country}
    assert now == {"street": "", "city": "", "country": ""} | kept


def test_what_goes_is_an_empty_row_that_says_where(keep, lose):
    lose.first_name = "Lo"
    lose.save()

    merge(keep, lose)

    lose.refresh_from_db()
    assert (lose.merged_into_id, lose.erased_at, lose.name) == (keep.pk, NOW, "")
    assert list(Profile.objects.not_erased()) == [keep]


def test_ledger_gets_one_row_and_keeps_the_others(keep, lose):
    opt_out(lose, Channel.EMAIL)
    before = list(ConsentEvent.objects.values())

    merge(keep, lose)

    *rest, row = ConsentEvent.objects.order_by("pk")
    assert [vars_of(each) for each in rest] == before
    assert (row.direction, row.profile_id, row.other_profile_id, row.actor) == (
        Direction.MERGE,
        lose.pk,
        keep.pk,
        "ola",
    )
    assert row.evidence_hash == evidence_hash(lose.pk, "One person, letter 9")


def vars_of(event: ConsentEvent) -> dict:
    return {each.attname: getattr(event, each.attname) for each in event._meta.fields}


def test_profile_merged_twice_is_one_step_from_who_lives_on(keep, lose):
    last = factories.make_profile(external_id="Z", email="z@example.com")
    merge(keep, lose)
    merge(last, keep)

    assert set(Profile.objects.values_list("pk", "merged_into_id")) == {
        (lose.pk, last.pk),
        (keep.pk, last.pk),
        (last.pk, None),
    }


@pytest.mark.parametrize("case", ["erased", "merged", "itself", "reason"])
def test_merge_is_refused(keep, lose, case):
    reason = "" if case == "reason" else "x"
    if case == "erased":
        erasure.erase(lose, by="ola", reason="asked", now=NOW)
    if case == "merged":
        merge(factories.make_profile(), lose)
    if case == "itself":
        lose = keep
    sentences = {
        "erased": "the person of one was erased. Nothing can undo that.",
        "merged": "“L” was merged already. Search for it again.",
        "itself": "they are one profile already. Choose another one.",
        "reason": "Nothing was merged: write why these two are one person",
    }

    for pair in ((keep, lose), (lose, keep)):
        with pytest.raises(merging.MergeError, match=sentences[case]):
            merging.merge(*pair, by="ola", reason=reason, now=NOW)


def test_preview_writes_nothing(keep, lose):
    opt_out(lose, Channel.EMAIL)
    planned = merging.plan(keep, lose)

    assert [each.channel for each in planned.new_opt_outs] == [Channel.EMAIL]
    assert [each.is_preferred for each in planned.addresses] == [False]
    assert flags(keep) == [] and addresses(lose) == [("l@example.com", True)]


def test_profile_that_goes_is_in_no_target_and_its_messages_are_stopped(keep, lose):
    delivery = factories.make_analysed_delivery()
    merge(keep, lose)
    analysis.prepare(delivery, by="ola", now=NOW)
    delivery.refresh_from_db()

    rows = Message.objects.filter(analysis=delivery.current_analysis_id)
    assert list(rows.values_list("profile_id", "reasons")) == [(keep.pk, 0)]


def test_proof_has_the_ledger_of_both_and_agrees(keep, lose):
    service = factories.make_service(name="news")
    how = {"by": "ola", "source": ConsentSource.OPERATOR}
    subscriptions.subscribe(lose, service, now=NOW - 3 * DAY, **how)
    opt_out(lose, Channel.EMAIL, NOW - 2 * DAY)
    opt_out(keep, Channel.SMS, NOW - DAY)
    merge(keep, lose)
    preferences.opt_in(
        keep,
        Channel.SMS,
        reason=ConsentReason.SIGNED_FORM,
        note="The form",
        now=NOW,
        **how,
    )

    made = proof.of(keep, now=NOW)

    assert [row.direction for row in made.rows] == [
        "Opt-in",
        "Opt-out",
        "Opt-out",
        "Merge",
        "Opt-in",
    ]
    assert made.rows[3].what == f"profile {lose.pk} into profile {keep.pk}"
    standing = [(each.what, each.is_out) for each in made.standing]
    assert standing == [("Email", True), ("SMS", False)]
    assert made.is_sound


def test_proof_says_when_an_opt_out_was_lost_in_a_merge(keep, lose):
    opt_out(lose, Channel.EMAIL)
    merge(keep, lose)
    OptOut.objects.filter(profile=keep).delete()

    assert not proof.of(keep, now=NOW).is_sound


@pytest.mark.parametrize("asked", ["K", "L"])
def test_erasing_covers_both(keep, lose, asked):
    delivery = factories.make_analysed_delivery()
    merge(keep, lose)

    erasure.erase(
        Profile.objects.get(external_id=asked), by="ola", reason="Letter 10", now=NOW
    )

    rows = Profile.objects.values_list("external_id", "erased_at", "merged_into_id")
    assert set(rows) == {(None, NOW, None), (None, NOW, keep.pk)}
    assert flags(keep) == [ANY_CHANNEL]
    texts = ConsentEvidence.objects.exclude(text="").values_list("text", flat=True)
    assert list(texts) == ["Letter 10"]
    logged = Message.objects.filter(analysis=delivery.current_analysis_id)
    assert {each.address for each in logged} == {""}
    assert not Address.objects.exists()


def test_gate_sees_no_address_of_the_profile_that_went(keep, lose):
    delivery = factories.make_analysed_delivery()
    message = Message.objects.get(analysis=delivery.current_analysis_id, profile=lose)
    merge(keep, lose)
    one = eligibility.OneMessage("%(profile)s", "%(digest)s", "%(now)s")
    with connection.cursor() as cursor:
        cursor.execute(
            eligibility.evaluated_one(delivery, one),
            {
                "profile": lose.pk,
                "digest": (
                    message.digest
                    if connection.vendor == "postgresql"
                    else message.digest.hex
                ),
                "now": connection.ops.adapt_datetimefield_value(NOW),
            },
        )
        assert cursor.fetchone()[-1] == ExclusionReason.ADDRESS_NOT_SPECIFIED.bit
