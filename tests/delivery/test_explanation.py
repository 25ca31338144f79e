"""The explanation: each rule's answer, its fact, and what would change it."""

import pytest

from delivery import analysis, audiences, explanation
from delivery.states import ExclusionReason
from profiles.channels import Channel
from quarantine.reasons import Reason, Status
from tests import factories
from tests.delivery.stage import NOW


def answer(profile, delivery, reason: ExclusionReason) -> explanation.RuleAnswer:
    explained = explanation.explain(profile, delivery, now=NOW)
    return next(each for each in explained.rules if each.reason == reason)


def everything_wrong():
    """Make a profile and a delivery for which every local rule excludes."""
    profile = factories.make_profile(email="x@mail.example.org")
    other = factories.make_profile(email="X@mail.example.org")
    for each in (profile, other):
        factories.make_opt_out(profile=each)
        factories.make_opt_out(profile=each, channel=Channel.EMAIL)
    factories.make_quarantined_address(
        value="x@mail.example.org", status=Status.DENYLISTED, reason=Reason.COMPLAINT
    )
    factories.make_blocked_domain(domain="example.org")
    return profile, factories.make_delivery(excludes_shared_opt_outs=True)


@pytest.mark.parametrize(
    ("reason", "fact"),
    [
        (ExclusionReason.OPTED_OUT_ANY, "Opted out on "),
        (ExclusionReason.OPTED_OUT_CHANNEL, "Opted out on "),
        (ExclusionReason.DENYLISTED_ADDRESS, ": Complaint."),
        (ExclusionReason.SUPPRESSED_ADDRESS, "The domain mail.example.org, or one"),
        (ExclusionReason.OPTED_OUT_OTHER_PROFILE, "Another profile with this address"),
    ],
)
def test_every_rule_that_excludes_says_why_and_what_would_help(reason, fact, db):
    profile, delivery = everything_wrong()

    given = answer(profile, delivery, reason)

    assert given.is_excluding
    assert fact in given.fact
    assert given.cure


def test_missing_and_bad_addresses_are_explained(db):
    delivery = factories.make_delivery()
    without = factories.make_profile(email=None)
    bad = factories.make_profile(email="x@-")

    missing = answer(without, delivery, ExclusionReason.ADDRESS_NOT_SPECIFIED)
    spoilt = answer(bad, delivery, ExclusionReason.BAD_QUALITY_ADDRESS)

    assert "no address on the channel Email" in missing.fact
    assert "written like this" in spoilt.fact


def test_younger_twin_is_told_of_the_older_one(db):
    factories.make_profile(external_id="A", email="anna@example.com")
    younger = factories.make_profile(external_id="B", email="ANNA@example.com")

    given = answer(
        younger, factories.make_delivery(), ExclusionReason.DUPLICATE_ADDRESS
    )

    assert given.fact == "An older profile in the target has the same address."


def test_rules_that_the_delivery_does_not_ask_for_do_not_apply(opted_in_profile):
    delivery = factories.make_delivery()

    for reason in (ExclusionReason.NOT_SUBSCRIBED, ExclusionReason.PRESSURE):
        given = answer(opted_in_profile, delivery, reason)
        assert given.answer == explanation.Answer.NOT_APPLICABLE


def test_person_outside_the_audience_is_not_targeted(opted_in_profile):
    audience = audiences.of_external_ids(["somebody-else"])
    delivery = factories.make_delivery(audience=audience)

    explained = explanation.explain(opted_in_profile, delivery, now=NOW)

    assert explained.outcome == explanation.Outcome.NOT_TARGETED
    assert explained.primary_reason is None


def test_what_was_logged_stands_beside_what_holds_now(opted_in_profile):
    delivery = factories.make_delivery()
    analysis.prepare(delivery, by="operator", now=NOW)
    factories.make_opt_out(profile=opted_in_profile)

    explained = explanation.explain(opted_in_profile, delivery, now=NOW)

    assert explained.outcome == explanation.Outcome.EXCLUDED
    assert explained.primary_reason == ExclusionReason.OPTED_OUT_ANY
    assert explained.logged.all_reasons == []


def test_every_reason_that_can_exclude_has_a_cure():
    evaluated = {reason for reason in ExclusionReason if reason in explanation.CURES}

    assert {rule.reason for rule in explanation.eligibility.RULES} < evaluated
    assert ExclusionReason.DUPLICATE_ADDRESS in evaluated
