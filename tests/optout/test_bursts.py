"""Bursts of opt-outs: found in the ledger, and reversed as a batch."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from delivery import erasure
from optout import bursts, ledger, preferences, reversing, subscriptions
from optout.models import (
    Burst,
    ConsentEvent,
    ConsentEvidence,
    OptOut,
    Service,
    Subscription,
)
from optout.models.bursts import BurstState
from optout.models.ledger import ConsentReason, ConsentSource, Direction
from optout.reversing import BurstError, Decision
from profiles.channels import Channel
from quarantine.reasons import Reason, Status
from tests import factories

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
FRAUD = Decision(by="ola", reason="not_theirs", note="A scanner of example.org.")
PRESSED = ConsentSource.LANDING_PAGE


def event(
    seconds: float, *, delivery_id: int | None = 7, source: str = PRESSED, **fields
) -> None:
    about = {"direction": Direction.OUT, "channel": Channel.EMAIL} | fields
    ConsentEvent.objects.create(
        at=NOW + timedelta(seconds=seconds),
        profile_id=about.pop("profile_id", 1),
        delivery_id=delivery_id,
        source=source,
        **about,
    )


def run(count: int, *, start: float = 0, gap: float = 0.5, **fields) -> None:
    for number in range(count):
        event(start + number * gap, **fields)


def found() -> list[tuple[int, float, float, int]]:
    bursts.detect(LATER)
    return [
        (
            burst.delivery_id,
            (burst.began_at - NOW).total_seconds(),
            (burst.ended_at - NOW).total_seconds(),
            burst.count,
        )
        for burst in Burst.objects.order_by("delivery_id", "began_at")
    ]


@pytest.mark.parametrize(
    ("count", "gap", "is_burst"),
    [
        (20, 10 / 19, True),
        (19, 0.1, False),
        (20, 10.2 / 19, False),
        (20, 0, True),
        (100, 60, False),
    ],
)
def test_twenty_opt_outs_within_ten_seconds_are_a_burst(count, gap, is_burst):
    run(count, gap=gap)
    assert len(found()) == is_burst


def test_a_burst_holds_what_is_dense_and_nothing_else():
    event(-8)
    run(30, gap=0.2)
    event(60)
    assert found() == [(7, 0, 5.8, 30)]


def test_bursts_apart_are_two_and_each_delivery_has_its_own():
    run(20)
    run(25, start=100)
    run(20, start=3, delivery_id=8)
    assert found() == [(7, 0, 9.5, 20), (7, 100, 112, 25), (8, 3, 12.5, 20)]


def test_opt_outs_of_two_deliveries_make_no_burst_together():
    run(15)
    run(15, delivery_id=8)
    assert found() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"delivery_id": None},
        {"source": ConsentSource.IMPORT},
        {"source": ConsentSource.OPERATOR},
        {"source": ConsentSource.MAILTO},
        {"direction": Direction.IN},
        {"start": -8 * 24 * 3600},
    ],
)
def test_only_recent_opt_outs_by_public_links_are_watched(fields):
    run(30, **fields)
    assert found() == []


def test_looking_again_flags_nothing_twice():
    run(20)
    assert (bursts.detect(LATER), bursts.detect(LATER)) == (1, 0)


def test_a_burst_that_goes_on_grows_while_nobody_decided():
    run(20)
    found()
    run(20, start=10)
    assert found() == [(7, 0, 19.5, 40)]


def test_what_follows_a_decision_is_flagged_anew_when_it_is_a_burst():
    run(20)
    found()
    reversing.dismiss(Burst.objects.get(), FRAUD, now=LATER)
    event(10)
    assert len(found()) == 1
    run(19, start=10.5)
    assert found() == [(7, 0, 9.5, 20), (7, 10, 19.5, 20)]


def test_command_says_what_it_flagged():
    out = StringIO()
    run(20, start=(datetime.now(UTC) - NOW).total_seconds() - 60)
    call_command("detect_bursts", stdout=out)
    assert out.getvalue() == "1 new burst was flagged.\n"


def stopped(count: int = 20, **fields) -> list:
    """Stop so many people by a link of one delivery, and flag that."""
    profiles = [factories.make_profile() for _ in range(count)]
    for profile in profiles:
        preferences.opt_out(
            profile, Channel.EMAIL, by="", source=PRESSED, delivery_id=7, now=NOW
        )
    bursts.detect(LATER)
    return profiles


def reverse(decision: Decision = FRAUD) -> int:
    return reversing.reverse(Burst.objects.get(), decision, now=LATER)


def test_reversing_lifts_each_with_a_row_and_its_evidence():
    profiles = stopped()
    assert reverse() == 20
    assert not OptOut.objects.exists()
    rows = ConsentEvent.objects.filter(direction=Direction.IN, at=LATER)
    assert {row.profile_id for row in rows} == {profile.pk for profile in profiles}
    assert {(row.source, row.actor, row.reason, row.delivery_id) for row in rows} == {
        (ConsentSource.OPERATOR, "ola", ConsentReason.NOT_THEIRS, 7)
    }
    hashes = set(ConsentEvidence.objects.values_list("hash", flat=True))
    assert {row.evidence_hash for row in rows} == hashes
    burst = Burst.objects.get()
    assert (burst.state, burst.reversed_count) == (BurstState.REVERSED, 20)
    assert (burst.decided_by, burst.note) == ("ola", FRAUD.note)


def test_what_something_followed_is_not_reversed():
    first, second, *_others = stopped()
    preferences.opt_in(
        first,
        Channel.EMAIL,
        by="eva",
        source=ConsentSource.OPERATOR,
        reason="mistake",
        note="Letter",
        now=NOW + timedelta(minutes=1),
    )
    preferences.opt_out(second, Channel.SMS, by="eva", source=ConsentSource.OPERATOR)
    assert reverse() == 18
    assert set(OptOut.objects.values_list("profile_id", flat=True)) == {second.pk}


def test_who_complained_stays_out():
    first, second, *_others = stopped()
    for profile, channel in ((first, Channel.EMAIL), (second, Channel.EMAIL)):
        factories.make_quarantined_address(
            value=profile.addresses.get(channel=channel).value,
            status=Status.DENYLISTED,
            reason=Reason.COMPLAINT,
        )
    assert reverse() == 18
    assert OptOut.objects.filter(profile__in=[first, second]).count() == 2


def test_erased_people_stay_out():
    first, *_others = stopped()
    erasure.erase(first, by="ola", reason="asked", now=NOW)
    assert reverse() == 19
    assert OptOut.objects.filter(profile=first, channel=Channel.EMAIL).exists()


def test_merged_people_stay_out():
    first, second, *_others = stopped()
    event(60, profile_id=first.pk, other_profile_id=second.pk, direction=2)
    assert reverse() == 18
    assert OptOut.objects.filter(profile__in=[first, second]).count() == 2


def test_subscriptions_come_back_only_to_those_who_had_one():
    service = Service.objects.create(name="news", label="News", channel=Channel.EMAIL)
    profiles = [factories.make_profile() for _ in range(20)]
    subscriptions.subscribe(
        profiles[0],
        service,
        by="",
        source=PRESSED,
        now=NOW - timedelta(days=1),
    )
    for profile in profiles:
        subscriptions.unsubscribe(
            profile, service, by="", source=PRESSED, delivery_id=7, now=NOW
        )
    bursts.detect(LATER)
    assert reverse() == 1
    [current] = Subscription.objects.current(LATER)
    assert current.profile_id == profiles[0].pk


def test_a_burst_is_decided_once():
    stopped()
    reverse()
    with pytest.raises(BurstError, match="ola has decided"):
        reverse()
    with pytest.raises(BurstError, match="ola has decided"):
        reversing.dismiss(Burst.objects.get(), FRAUD, now=LATER)


@pytest.mark.parametrize(
    "decision",
    [
        Decision(by="ola", reason="not_theirs", note=" "),
        Decision(by="ola", reason="", note="x"),
        Decision(by="ola", reason="asked_by_phone", note="x"),
    ],
)
def test_reversing_needs_reason_and_evidence(decision):
    stopped()
    with pytest.raises(BurstError):
        reverse(decision)
    assert OptOut.objects.count() == 20


def test_reversing_is_all_or_nothing(monkeypatch):
    stopped()

    def fail(events):
        raise RuntimeError("power cut")

    monkeypatch.setattr(ledger, "record_many", fail)
    with pytest.raises(RuntimeError):
        reverse()
    assert OptOut.objects.count() == 20
    assert Burst.objects.get().state == BurstState.FLAGGED
