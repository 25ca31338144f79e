from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connection

from optout import preferences
from optout.models import ConsentEvent, ConsentEvidence, OptOut
from optout.models.ledger import ConsentSource, Direction
from optout.preferences import ConsentError, Scope
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Profile
from tests import factories

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
EVERYTHING = [ANY_CHANNEL, *Channel.values]
pytestmark = pytest.mark.django_db


def opt_out(profile, channel=Channel.EMAIL, **fields):
    fields = {"by": "ola", "source": ConsentSource.OPERATOR, "now": NOW} | fields
    return preferences.opt_out(profile, channel, **fields)


def opt_in(profile, channel=Channel.EMAIL, **fields):
    proof = {"reason": "signed_form", "note": "Form 12"}
    fields = {"by": "ola", "source": ConsentSource.OPERATOR, "now": NOW} | (
        proof | fields
    )
    return preferences.opt_in(profile, channel, **fields)


def opt_in_that_lifts_any(profile, channel=Channel.EMAIL):
    """A sabotaged opt-in, to show that the assertion below would catch it."""
    OptOut.objects.filter(profile=profile, channel=ANY_CHANNEL).delete()
    return opt_in(profile, channel)


def flags_of(profile: Profile) -> set[int]:
    return set(profile.opt_outs.values_list("channel", flat=True))


def flags_are_independent(profile: Profile, *, lift) -> bool:
    """Opt out of everything possible; lift one channel; tell if the others stay."""
    for channel in EVERYTHING:
        opt_out(profile, channel)
    lift(profile, Channel.EMAIL)
    return flags_of(profile) == set(EVERYTHING) - {Channel.EMAIL}


@pytest.mark.parametrize("channel", EVERYTHING)
def test_opt_out_sets_one_flag_and_writes_one_ledger_row(opted_in_profile, channel):
    result = opt_out(opted_in_profile, channel, reason="asked_by_phone", delivery_id=4)

    assert result.covered == result.changed == (opted_in_profile.pk,)
    assert flags_of(opted_in_profile) == {channel}
    event = ConsentEvent.objects.get()
    assert (event.profile_id, event.channel) == (opted_in_profile.pk, channel)
    assert (event.direction, event.at, event.actor) == (Direction.OUT, NOW, "ola")
    assert (event.reason, event.delivery_id) == ("asked_by_phone", 4)


def test_promise_8_opting_out_again_writes_nothing(opted_in_profile):
    opt_out(opted_in_profile)

    result = opt_out(opted_in_profile)

    assert result.changed == ()
    assert ConsentEvent.objects.count() == OptOut.objects.count() == 1


def test_ledger_row_holds_the_digest_of_the_preferred_address(opted_in_profile):
    address = opted_in_profile.addresses.get()
    factories.make_address(
        profile=opted_in_profile, value="old@example.com", is_preferred=False
    )

    opt_out(opted_in_profile, Channel.EMAIL)
    opt_out(opted_in_profile, Channel.SMS)
    opt_out(opted_in_profile, ANY_CHANNEL)

    digests = dict(ConsentEvent.objects.values_list("channel", "address_digest"))
    assert digests == {Channel.EMAIL: address.digest, Channel.SMS: None, -1: None}


def test_note_of_an_opt_out_is_evidence(opted_in_profile):
    opt_out(opted_in_profile, note="Letter of 1 March")

    event = ConsentEvent.objects.get()
    assert ConsentEvidence.objects.get().hash == event.evidence_hash


def test_opting_out_one_of_two_profiles_leaves_the_other():
    first = factories.make_profile(email="shared@example.com")
    second = factories.make_profile(email="shared@example.com")

    opt_out(first)

    assert not flags_of(second)


@pytest.mark.parametrize("channel", [Channel.EMAIL, ANY_CHANNEL])
def test_shared_scope_covers_every_profile_with_the_address(channel):
    first = factories.make_profile(email="Shared@example.com")
    second = factories.make_profile(email=None)
    factories.make_address(
        profile=second, value="shared@EXAMPLE.com", is_preferred=False
    )
    stranger = factories.make_profile()

    result = opt_out(first, channel, scope=Scope.SHARED_ADDRESS, note="Both are me")

    assert result.changed == (first.pk, second.pk)
    assert flags_of(second) == {channel}
    assert not flags_of(stranger)
    assert ConsentEvent.objects.count() == ConsentEvidence.objects.count() == 2


def test_shared_scope_of_a_channel_ignores_addresses_of_others():
    first = factories.make_profile(sms="+46701740605")
    second = factories.make_profile(sms="+46701740605")

    by_email = opt_out(first, Channel.EMAIL, scope=Scope.SHARED_ADDRESS)
    by_any = opt_out(first, ANY_CHANNEL, scope=Scope.SHARED_ADDRESS)

    assert by_email.covered == (first.pk,)
    assert by_any.covered == (first.pk, second.pk)


def test_shared_scope_covers_hundreds_at_once(django_assert_max_num_queries):
    profiles = [factories.make_profile(email="office@example.com") for _ in range(301)]

    with django_assert_max_num_queries(30):
        result = opt_out(profiles[0], scope=Scope.SHARED_ADDRESS, note="One household")

    assert len(result.changed) == ConsentEvent.objects.count() == 301


def test_opt_in_lifts_the_flag_with_reason_and_evidence(opted_in_profile):
    opt_out(opted_in_profile)

    assert opt_in(opted_in_profile)

    assert not flags_of(opted_in_profile)
    event = ConsentEvent.objects.latest("id")
    assert (event.direction, event.reason) == (Direction.IN, "signed_form")
    assert ConsentEvidence.objects.get(hash=event.evidence_hash).text == "Form 12"


def test_opt_in_without_a_flag_writes_nothing(opted_in_profile):
    assert not opt_in(opted_in_profile)

    assert not ConsentEvent.objects.exists()
    assert not ConsentEvidence.objects.exists()


def test_opt_in_to_a_channel_never_lifts_any_other_flag(opted_in_profile):
    assert flags_are_independent(opted_in_profile, lift=opt_in)


def test_an_opt_in_that_lifted_more_would_be_caught(opted_in_profile):
    assert not flags_are_independent(opted_in_profile, lift=opt_in_that_lifts_any)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"reason": ""}, "no reason was chosen. Choose"),
        ({"reason": "because"}, "no reason was chosen. Choose"),
        ({"reason": "erasure"}, "no reason was chosen. Choose"),
        ({"note": "  "}, "no evidence was given. Write"),
        ({"source": ConsentSource.IMPORT}, "only sets opt-outs. Let an operator"),
        ({"source": ConsentSource.ERASURE}, "only sets opt-outs. Let an operator"),
    ],
)
def test_opt_in_is_refused_with_a_sentence(opted_out_profile, fields, why):
    with pytest.raises(
        ConsentError, match="Profile “opted-out” cannot be opted in"
    ) as e:
        opt_in(opted_out_profile, ANY_CHANNEL, **fields)

    assert why in str(e.value)
    assert flags_of(opted_out_profile) == {ANY_CHANNEL}
    assert not ConsentEvent.objects.exists()


def test_erased_profile_cannot_be_opted_in(opted_out_profile):
    Profile.objects.update(erased_at=NOW)

    with pytest.raises(ConsentError, match="its person was erased"):
        opt_in(opted_out_profile, ANY_CHANNEL)


@pytest.mark.django_db(transaction=True)
def test_flag_and_ledger_row_are_written_together(opted_in_profile, monkeypatch):
    def fail(events):
        raise RuntimeError("power cut")

    monkeypatch.setattr(preferences.ledger, "record_many", fail)

    with pytest.raises(RuntimeError):
        opt_out(opted_in_profile)

    assert not OptOut.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_promise_8_opt_outs_at_the_same_time_write_one_row(opted_in_profile):
    workers = 8
    barrier = Barrier(workers)

    def act(number):
        try:
            barrier.wait(timeout=10)
            return opt_out(opted_in_profile, by=f"door {number}").changed
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        changed = list(pool.map(act, range(workers)))

    assert sorted(map(len, changed)) == [0] * (workers - 1) + [1]
    assert OptOut.objects.count() == ConsentEvent.objects.count() == 1
