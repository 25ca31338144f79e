"""Why (not) contacted, for a day that is over: what is known, and what is not."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from delivery import merging, past_explanation
from delivery.explanation import Answer
from delivery.models import Analysis, Delivery
from delivery.states import ExclusionReason
from optout import preferences, subscriptions
from optout.models import Subscription
from optout.models.ledger import ConsentReason, ConsentSource
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Profile
from quarantine.models import QuarantineEvent
from quarantine.reasons import Source, Status
from tests import factories

MORNING = datetime(2026, 1, 15, 8, tzinfo=UTC)
DAY = timedelta(days=1)
HOW = {"by": "bo", "source": ConsentSource.OPERATOR}


@pytest.fixture
def anna(db: None) -> Profile:
    return factories.make_profile(external_id="A", email="anna@example.com")


def analysed(at: datetime, **fields: object) -> Delivery:
    delivery = factories.make_analysed_delivery(now=at, **fields)
    Analysis.objects.filter(delivery=delivery).update(finished_at=at)
    return Delivery.objects.get(pk=delivery.pk)


def rules(
    profile: Profile, delivery: Delivery, day: date
) -> dict[str, tuple[Answer | None, Answer | None, str]]:
    found = past_explanation.explain(profile, delivery, day)
    return {
        rule.reason.code: (rule.logged, rule.rebuilt, rule.fact) for rule in found.rules
    }


def opt_out(profile: Profile, channel: int, at: datetime) -> None:
    preferences.opt_out(profile, channel, now=at, **HOW)


def test_opt_outs_are_those_of_the_end_of_the_day(anna):
    delivery = factories.make_delivery()
    opt_out(anna, Channel.EMAIL, MORNING)
    opt_out(anna, ANY_CHANNEL, MORNING + DAY)
    preferences.opt_in(
        anna,
        Channel.EMAIL,
        reason=ConsentReason.SIGNED_FORM,
        note="The form",
        now=MORNING + 2 * DAY,
        **HOW,
    )

    found = {
        days: [
            rules(anna, delivery, (MORNING + days * DAY).date())[code][1]
            for code in ("opted_out_any", "opted_out_channel")
        ]
        for days in (-1, 0, 1, 2)
    }

    out, through = Answer.EXCLUDED, Answer.PASSED
    assert found == {
        -1: [through, through],
        0: [through, out],
        1: [out, out],
        2: [out, through],
    }


def test_fact_names_the_row_of_the_ledger(anna):
    opt_out(anna, Channel.EMAIL, MORNING)
    row = anna.opt_outs.get()
    told = rules(anna, factories.make_delivery(), MORNING.date())
    assert row.channel == Channel.EMAIL
    assert told["opted_out_channel"][2].startswith("Ledger, row ")
    assert told["opted_out_channel"][2].endswith(" of 2026-01-15.")
    assert told["opted_out_any"][2] == "The ledger has no change until then."


def test_state_of_the_address_is_that_of_the_day(anna):
    delivery = factories.make_delivery()
    for days, status in ((0, Status.QUARANTINE), (1, Status.DENYLISTED), (2, None)):
        QuarantineEvent.objects.create(
            channel=Channel.EMAIL,
            digest=anna.addresses.get().digest,
            at=MORNING + days * DAY,
            event="x",
            to_status=status,
            source=Source.OPERATOR,
        )

    found = [
        [
            rules(anna, delivery, (MORNING + days * DAY).date())[code][1] == "excluded"
            for code in ("quarantined_address", "denylisted_address")
        ]
        for days in (-1, 0, 1, 2)
    ]

    assert found == [[False, False], [True, False], [False, True], [False, False]]


def test_what_nothing_keeps_is_said_to_be_known_for_now_only(anna):
    told = rules(anna, factories.make_delivery(), MORNING.date())
    unknown = (None, None, "Not kept: can be answered for now only.")
    for code in ("address_not_specified", "bad_quality_address", "suppressed_address"):
        assert told[code] == unknown
    assert told["duplicate_address"] == unknown


def test_log_of_the_analysis_answers_every_rule(anna):
    opt_out(anna, Channel.EMAIL, MORNING)
    delivery = analysed(MORNING)
    preferences.opt_in(
        anna,
        Channel.EMAIL,
        reason=ConsentReason.SIGNED_FORM,
        note="x",
        now=MORNING + 2 * DAY,
        **HOW,
    )

    told = rules(anna, delivery, (MORNING + 3 * DAY).date())

    assert told["opted_out_channel"][:2] == (Answer.EXCLUDED, Answer.PASSED)
    assert told["suppressed_address"][0] == Answer.PASSED
    assert told["duplicate_address"][0] == Answer.NOT_APPLICABLE
    assert told["quarantined_address"][2] == "Of the address in the log."


def test_log_of_a_later_analysis_says_nothing(anna):
    delivery = analysed(MORNING + DAY)
    found = past_explanation.explain(anna, delivery, MORNING.date())
    assert found.is_later and found.message is None
    assert {rule.logged for rule in found.rules} == {None}


def test_log_says_nothing_of_rules_that_were_changed_since(anna):
    delivery = analysed(MORNING)
    Delivery.objects.update(version=9)
    delivery.refresh_from_db()
    found = past_explanation.explain(anna, delivery, MORNING.date())
    assert found.message is not None
    assert {rule.logged for rule in found.rules} == {None}


def test_subscription_is_that_of_the_day_unless_its_end_is_not_kept(anna):
    service = factories.make_service(name="news", validity_days=2)
    delivery = factories.make_delivery(service=service)
    subscriptions.subscribe(anna, service, now=MORNING, **HOW)

    def answers() -> list[Answer | None]:
        days = [(MORNING + number * DAY).date() for number in (-1, 0, 2)]
        return [rules(anna, delivery, day)["not_subscribed"][1] for day in days]

    assert answers() == [Answer.EXCLUDED, Answer.PASSED, Answer.EXCLUDED]
    subscriptions.subscribe(anna, service, now=MORNING + 5 * DAY, **HOW)
    assert answers() == [Answer.EXCLUDED, None, None]
    assert Subscription.objects.count() == 1


def test_log_of_a_profile_that_was_merged_is_read(anna):
    other = factories.make_profile(external_id="B", email="b@example.com")
    opt_out(other, Channel.EMAIL, MORNING)
    anna.addresses.all().delete()
    delivery = analysed(MORNING)
    merging.merge(other, anna, by="bo", reason="Same", now=MORNING + DAY)

    found = past_explanation.explain(other, delivery, MORNING.date())

    assert found.message is not None
    assert found.message.primary_reason in (
        ExclusionReason.OPTED_OUT_CHANNEL,
        ExclusionReason.ADDRESS_NOT_SPECIFIED,
    )


def test_page_answers_for_a_day(client: Client, operator: User, anna):
    client.force_login(operator)
    opt_out(anna, Channel.EMAIL, MORNING)
    delivery = analysed(MORNING)
    query = {"delivery": delivery.pk, "on": "2026-01-15"}

    page = client.get(f"/console/profiles/{anna.pk}/", query).content.decode()

    assert "“Spring” at the end of 2026-01-15" in page
    assert "says: Excluded (Opted out of this channel)" in page
    assert "Would not reach" not in page


@pytest.mark.parametrize("day", ["1900-01-01", "tomorrow"])
def test_day_that_nobody_knows_is_refused(client, operator, anna, day):
    client.force_login(operator)
    if day == "tomorrow":
        day = (timezone.localdate() + DAY).isoformat()
    query = {"delivery": factories.make_delivery().pk, "on": day}
    page = client.get(f"/console/profiles/{anna.pk}/", query).content.decode()
    assert "Nobody knows anything of this day. Choose one that has begun." in page
