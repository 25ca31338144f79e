"""The gate: what may start, what may not, and that each condition is needed.

Every test here that says "does not start" has a twin below: the same gate with one
condition taken out of its statement, through which the message would go.
"""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from delivery import eligibility, erasure, gate, lifecycle
from delivery.models import Delivery, Message, Part
from delivery.states import ExclusionReason, MessageStatus
from optout import preferences, subscriptions
from optout.models.ledger import ConsentSource
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address, DomainSuffix
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Source, Status
from tests import factories
from tests.delivery.sending_stage import leased, make_sending, status_of

pytestmark = pytest.mark.django_db


def opt_out(profile, channel):
    preferences.opt_out(
        profile, channel, by="t", source=ConsentSource.OPERATOR, now=timezone.now()
    )


def set_status(profile, status):
    address = Address.objects.get(profile=profile)
    QuarantinedAddress.objects.create(
        channel=address.channel,
        digest=address.digest,
        status=status,
        source=Source.OPERATOR,
    )


def block_domain(profile):
    address = Address.objects.get(profile=profile)
    DomainSuffix.objects.get_or_create(suffix=address.domain, domain=address.domain)
    factories.make_blocked_domain(domain=address.domain)


def opt_out_twin(profile):
    address = Address.objects.get(profile=profile)
    twin = factories.make_profile(external_id="B", email=address.value.upper())
    opt_out(twin, Channel.EMAIL)


ACTS = {
    "opted out of everything": (
        lambda p: opt_out(p, ANY_CHANNEL),
        ExclusionReason.OPTED_OUT_ANY,
    ),
    "opted out of the channel": (
        lambda p: opt_out(p, Channel.EMAIL),
        ExclusionReason.OPTED_OUT_CHANNEL,
    ),
    "quarantined": (
        lambda p: set_status(p, Status.QUARANTINE),
        ExclusionReason.QUARANTINED_ADDRESS,
    ),
    "denylisted": (
        lambda p: set_status(p, Status.DENYLISTED),
        ExclusionReason.DENYLISTED_ADDRESS,
    ),
    "blocked domain": (block_domain, ExclusionReason.SUPPRESSED_ADDRESS),
    "opted out on another profile": (
        opt_out_twin,
        ExclusionReason.OPTED_OUT_OTHER_PROFILE,
    ),
    "address gone": (
        lambda p: Address.objects.filter(profile=p).delete(),
        ExclusionReason.ADDRESS_NOT_SPECIFIED,
    ),
    "address found bad": (
        lambda p: Address.objects.filter(profile=p).update(is_deliverable=False),
        ExclusionReason.BAD_QUALITY_ADDRESS,
    ),
}


@pytest.fixture
def profile():
    return factories.make_profile(external_id="A", email="a@example.com")


def passed(opened, message):
    """Ask the gate about one message."""
    passages = opened.let_pass([message], now=timezone.now())
    return passages.get(message.profile_id)


def pass_gate(delivery, profile, act=lambda profile: None):
    opened, _part, messages = leased(delivery)
    act(profile)
    return passed(opened, messages[profile.pk])


def test_eligible_message_starts(profile):
    delivery = make_sending()

    passage = pass_gate(delivery, profile)

    assert passage is not None and passage.may_start and passage.number == 1
    assert status_of(delivery, profile) == MessageStatus.SENDING


@pytest.mark.parametrize("name", ACTS)
def test_message_is_excluded_after_the_analysis(name, profile):
    act, reason = ACTS[name]
    delivery = make_sending(excludes_shared_opt_outs=True)

    passage = pass_gate(delivery, profile, act)

    assert passage is not None and not passage.may_start
    assert passage.reasons & reason.bit
    message = Message.objects.get(profile_id=profile.pk)
    assert message.status == MessageStatus.EXCLUDED_AFTER
    assert reason in message.all_reasons
    assert message.attempt_count == 0


@pytest.mark.parametrize("name", ACTS)
def test_every_rule_is_needed_at_the_gate(name, profile, monkeypatch):
    """The sabotage twin: without its rule the gate would let the message start."""
    act, reason = ACTS[name]
    rules = tuple(rule for rule in eligibility.RULES if rule.reason != reason)
    delivery = make_sending(excludes_shared_opt_outs=True)
    monkeypatch.setattr(eligibility, "RULES", rules)

    passage = pass_gate(delivery, profile, act)

    assert passage is not None
    assert not passage.reasons & reason.bit


def test_erased_person_is_excluded_for_all_that_applies(profile):
    delivery = make_sending()

    passage = pass_gate(
        delivery,
        profile,
        lambda p: erasure.erase(p, by="t", reason="asked", now=timezone.now()),
    )

    assert passage is not None and not passage.may_start
    assert passage.reasons & ExclusionReason.OPTED_OUT_ANY.bit
    assert passage.reasons & ExclusionReason.ADDRESS_NOT_SPECIFIED.bit


def test_ended_subscription_excludes_from_its_service(profile):
    service = factories.make_service()
    factories.make_subscription(profile=profile, service=service)
    delivery = make_sending(service=service)

    passage = pass_gate(
        delivery,
        profile,
        lambda p: subscriptions.unsubscribe(
            p, service, by="t", source=ConsentSource.OPERATOR, now=timezone.now()
        ),
    )

    assert passage is not None
    assert passage.reasons == ExclusionReason.NOT_SUBSCRIBED.bit


@pytest.mark.parametrize(
    ("left", "may_start"), [(timedelta(0), False), (timedelta(minutes=1), True)]
)
def test_subscription_ends_at_the_very_moment(profile, left, may_start):
    service = factories.make_service()
    row = factories.make_subscription(profile=profile, service=service)
    delivery = make_sending(service=service)
    row.expires_at = timezone.now() + left
    row.save()

    passage = pass_gate(delivery, profile)

    assert passage is not None and passage.may_start is may_start


def test_message_keeps_the_address_it_was_made_for(profile):
    """Another address preferred since changes nothing for this delivery."""
    delivery = make_sending()
    opened, _part, messages = leased(delivery)
    Address.objects.filter(profile=profile).update(is_preferred=False)
    other = factories.make_address(profile=profile, value="new@example.com")
    QuarantinedAddress.objects.create(
        channel=other.channel,
        digest=other.digest,
        status=Status.QUARANTINE,
        source=Source.OPERATOR,
    )

    passage = passed(opened, messages[profile.pk])

    assert passage is not None and passage.may_start


STOPS = {
    "paused": lambda delivery, part: lifecycle.pause(delivery),
    "cancelled": lambda delivery, part: lifecycle.cancel(delivery, now=timezone.now()),
    "expired": lambda delivery, part: Delivery.objects.update(
        expires_at=timezone.now() - timedelta(seconds=1)
    ),
    "part taken over": lambda delivery, part: Part.objects.filter(pk=part.pk).update(
        slot=None
    ),
    "analysed anew": lambda delivery, part: Delivery.objects.update(
        current_analysis=None
    ),
    "not leased": lambda delivery, part: Message.objects.update(
        status=MessageStatus.READY
    ),
    "begun already": lambda delivery, part: Message.objects.update(
        status=MessageStatus.SENDING
    ),
}
CONDITIONS = {
    "paused": " AND delivery.status = 'sending'",
    "cancelled": " AND delivery.status = 'sending'",
    "expired": " AND delivery.expires_at > {now}",
    "part taken over": " AND part.slot_id = {slot}",
    "analysed anew": " AND delivery.current_analysis_id = message.analysis_id",
    "not leased": " AND message.status = 2",
    "begun already": " AND message.status = 2",
}


@pytest.mark.parametrize("name", STOPS)
def test_gate_decides_nothing(name, profile):
    delivery = make_sending()
    opened, part, messages = leased(delivery)
    STOPS[name](delivery, part)
    before = Message.objects.get(profile_id=profile.pk).status

    assert passed(opened, messages[profile.pk]) is None

    assert Message.objects.get(profile_id=profile.pk).status == before


@pytest.mark.parametrize("name", STOPS)
def test_every_condition_is_needed_at_the_gate(name, profile, monkeypatch):
    """The sabotage twin: without its condition the message would start."""
    condition = CONDITIONS[name]
    for part_of_statement in ("_PASS", "_MAY_SEND"):
        text = getattr(gate, part_of_statement)
        monkeypatch.setattr(gate, part_of_statement, text.replace(condition, ""))
    delivery = make_sending()
    opened, part, messages = leased(delivery)
    STOPS[name](delivery, part)

    passage = passed(opened, messages[profile.pk])

    assert passage is not None and passage.may_start


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_gate_looks_at_the_moment_not_at_an_old_snapshot(profile):
    """An act that commits on another connection is seen by the next statement."""
    delivery = make_sending()
    opened, _part, messages = leased(delivery)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(
                "INSERT INTO optout_optout (profile_id, channel, opted_out_at)"
                " VALUES (%s, 0, now())",
                [profile.pk],
            )
    finally:
        other.close()

    passage = passed(opened, messages[profile.pk])

    assert passage is not None and not passage.may_start


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_gate_that_would_wait_for_a_row_gives_up(profile, monkeypatch):
    monkeypatch.setattr(gate, "_TRIES", 2)
    delivery = make_sending()
    opened, _part, messages = leased(delivery)
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("UPDATE delivery_message SET address = 'x'")
        with pytest.raises(gate.GateStuck):
            passed(opened, messages[profile.pk])
        other.rollback()
    finally:
        other.close()

    passage = passed(opened, messages[profile.pk])

    assert passage is not None and passage.may_start
