"""The one definition of eligibility against the oracle, and mutants of its SQL."""

import os
from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from delivery import eligibility
from delivery.eligibility import RULES, OneMessage
from delivery.states import ExclusionReason
from profiles.models import Address, Profile
from quarantine.models import BlockedDomain, QuarantinedAddress
from tests.delivery import oracle
from tests.delivery.machine import EligibilityMachine
from tests.delivery.stage import NOW, PLANS, crowded

EXAMPLES = int(os.environ.get("ORACLE_EXAMPLES", "30"))
MACHINE = settings(
    max_examples=EXAMPLES,
    stateful_step_count=20,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
CROWDS = range(40)
# The same, those first that hold what is rare: looked through when one is enough.
TELLING = sorted(CROWDS, key=lambda seed: seed not in (0, 1, 7, 21, 22, 25))
LOCAL = ExclusionReason.DUPLICATE_ADDRESS.bit - 1


def at_the_gate(plan, stage, delivery) -> dict[int, tuple[int, int]]:
    """Give {profile id: (oracle's local bits, the gate's)} where they differ."""
    expected = oracle.analyse(stage.world, plan)
    preferred = Address.objects.filter(channel=plan.channel, is_preferred=True)
    moment = f"'{connection.ops.adapt_datetimefield_value(NOW)}'"
    differing = {}
    for profile_id, digest in preferred.values_list("profile_id", "digest"):
        written = str(digest) if connection.vendor == "postgresql" else digest.hex
        message = OneMessage(f"{profile_id:d}", f"'{written}'", moment)
        with connection.cursor() as cursor:
            query = eligibility.evaluated_one(delivery, message)
            cursor.execute(f"SELECT reasons FROM ({query}) outcome")
            found = cursor.fetchone()[0]
        if profile_id in expected and found != expected[profile_id] & LOCAL:
            differing[profile_id] = (expected[profile_id] & LOCAL, found)
    return differing


@pytest.mark.parametrize("seed", CROWDS)
def test_gate_agrees_with_the_oracle(seed, db):
    """Of each profile of a crowd, about the address that it has."""
    stage = crowded(seed)

    found = [at_the_gate(plan, stage, stage.make_delivery(plan)) for plan in PLANS]

    assert found == [{}] * len(PLANS)


def test_analysis_and_explanation_agree_with_the_oracle(db):
    run_state_machine_as_test(EligibilityMachine, settings=MACHINE)


@pytest.mark.parametrize("seed", CROWDS)
def test_analysis_of_a_crowd_agrees_with_the_oracle(seed, db):
    stage = crowded(seed)

    assert [stage.disagreement(plan) for plan in PLANS] == [{}] * len(PLANS)


def mutated_rule(reason: ExclusionReason, condition: str):
    """Replace the condition of one rule."""
    return tuple(
        replace(rule, condition=condition) if rule.reason == reason else rule
        for rule in RULES
    )


def without_rule(reason: ExclusionReason):
    return mutated_rule(reason, "1 = 0")


REASON = ExclusionReason
RULE_MUTANTS = {
    "no address is passed over": without_rule(REASON.ADDRESS_NOT_SPECIFIED),
    "bad address is passed over": without_rule(REASON.BAD_QUALITY_ADDRESS),
    "bad address by NULL logic": mutated_rule(
        REASON.BAD_QUALITY_ADDRESS, "COALESCE(address.is_deliverable, 1 = 0) = (1 = 0)"
    ),
    "opt-out of everything is passed over": without_rule(REASON.OPTED_OUT_ANY),
    "opt-out of the channel is passed over": without_rule(REASON.OPTED_OUT_CHANNEL),
    "not subscribed is passed over": without_rule(REASON.NOT_SUBSCRIBED),
    "erroneous counts as quarantined": mutated_rule(
        REASON.QUARANTINED_ADDRESS, "known.status IN (2, 3)"
    ),
    "at most quarantined": mutated_rule(
        REASON.QUARANTINED_ADDRESS, "known.status <= 3"
    ),
    "denylisted counts as quarantined too": mutated_rule(
        REASON.QUARANTINED_ADDRESS, "known.status >= 3"
    ),
    "denylisted is passed over": without_rule(REASON.DENYLISTED_ADDRESS),
    "allowlist does not pass the block list": mutated_rule(
        REASON.SUPPRESSED_ADDRESS, "blocked.domain IS NOT NULL"
    ),
    "block list by NULL logic": mutated_rule(
        REASON.SUPPRESSED_ADDRESS, "blocked.domain IS NOT NULL AND known.status <> 1"
    ),
    "shared opt-out needs both ends": mutated_rule(
        REASON.OPTED_OUT_OTHER_PROFILE,
        "shared.first_id <> profiles_profile.id"
        " AND shared.last_id <> profiles_profile.id",
    ),
    "own opt-out counts as another's": mutated_rule(
        REASON.OPTED_OUT_OTHER_PROFILE, "shared.first_id IS NOT NULL"
    ),
}
JOIN_MUTANTS = {
    "any channel means this channel": (
        "opted_out_any",
        "any_out.channel = {any_channel}",
        "any_out.channel = {channel}",
    ),
    "opt-out of any channel counts": (
        "opted_out_channel",
        "channel_out.channel = {channel}",
        "1 = 1",
    ),
    "opt-out joins inside": ("opted_out_channel", "LEFT JOIN", "JOIN"),
    "quarantine joins inside": ("quarantine", "LEFT JOIN", "JOIN"),
    "block list without parents": (
        "blocked",
        "suffix.suffix = block.domain",
        "suffix.domain = block.domain",
    ),
    "block list matches children": (
        "blocked",
        "suffix.suffix = block.domain",
        "suffix.domain = block.domain OR suffix.domain = 'example.com'",
    ),
    "another service counts": ("subscription", "= {service}", "> 0"),
    "left services count": (
        "subscription",
        " AND subscription.unsubscribed_at IS NULL",
        "",
    ),
    "subscription lasts one moment longer": (
        "subscription",
        "expires_at > {now}",
        "expires_at >= {now}",
    ),
    "expiry does not count": (
        "subscription",
        "subscription.expires_at > {now}",
        "1 = 1",
    ),
    "expiry by NULL logic": ("subscription", "subscription.expires_at IS NULL OR ", ""),
    "subscription joins inside": ("subscription", "LEFT JOIN", "JOIN"),
    "shared opt-outs of the channel only": (
        "shared",
        "IN ({any_channel}, {channel})",
        "IN ({channel})",
    ),
    "shared opt-outs of everything only": (
        "shared",
        "IN ({any_channel}, {channel})",
        "IN ({any_channel})",
    ),
}
ORDER_MUTANTS = {
    "the youngest keeps the address": ("created_at,", "created_at DESC,"),
    "creation does not count": ("created_at,", "'',"),
    "empty external ids first": ("THEN 1 ELSE 0", "THEN 0 ELSE 1"),
    "external ids backwards": ("COLLATE {code_points}", "COLLATE {code_points} DESC"),
    "external ids do not count": ("external_id COLLATE {code_points}, ", ""),
    "ids backwards": ("profile_id", "profile_id DESC"),
}


def assert_is_caught():
    """Assert that some crowd shows the mutant, or that the database refuses it."""
    for seed in TELLING:
        stage = crowded(seed)
        try:
            with transaction.atomic():
                if any(stage.disagreement(plan) for plan in PLANS):
                    return
        except IntegrityError:
            return
        clear()
    pytest.fail("No crowd shows the difference.")


def clear():
    """Leave room for the next crowd: external ids are unique."""
    Profile.objects.update(erased_at=NOW, external_id=None)
    QuarantinedAddress.objects.all().delete()
    BlockedDomain.objects.all().delete()
    Address.objects.all().delete()


@pytest.mark.parametrize("name", RULE_MUTANTS)
def test_mutant_of_a_rule_is_caught(name, monkeypatch, db):
    monkeypatch.setattr(eligibility, "RULES", RULE_MUTANTS[name])

    assert_is_caught()


@pytest.mark.parametrize("name", JOIN_MUTANTS)
def test_mutant_of_a_join_is_caught(name, monkeypatch, db):
    join, original, mutant = JOIN_MUTANTS[name]
    assert original in eligibility.JOINS[join]
    changed = eligibility.JOINS[join].replace(original, mutant, 1)
    monkeypatch.setitem(eligibility.JOINS, join, changed)

    assert_is_caught()


@pytest.mark.parametrize("name", ORDER_MUTANTS)
def test_mutant_of_the_order_of_duplicates_is_caught(name, monkeypatch, db):
    original, mutant = ORDER_MUTANTS[name]
    assert original in eligibility.DUPLICATE_ORDER
    changed = eligibility.DUPLICATE_ORDER.replace(original, mutant, 1)
    monkeypatch.setattr(eligibility, "DUPLICATE_ORDER", changed)

    assert_is_caught()
