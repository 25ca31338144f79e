from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction

from delivery import analysis, erasure, explanation
from delivery.states import ExclusionReason
from optout import subscriptions
from optout.models import ConsentEvent, OptOut, Service, Subscription
from optout.models.ledger import ConsentSource, Direction
from optout.preferences import ConsentError
from profiles.channels import Channel
from tests import factories

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def profile():
    return factories.make_profile()


@pytest.fixture
def service() -> Service:
    return factories.make_service(name="news")


def subscribe(profile, service, **fields):
    fields = {"by": "", "source": ConsentSource.LANDING_PAGE, "now": NOW} | fields
    return subscriptions.subscribe(profile, service, **fields)


def unsubscribe(profile, service, **fields):
    fields = {"by": "", "source": ConsentSource.ONE_CLICK, "now": NOW} | fields
    return subscriptions.unsubscribe(profile, service, **fields)


def is_subscribed(profile, service, now=NOW) -> bool:
    own = Subscription.objects.current(now)
    return own.filter(profile=profile, service=service).exists()


def excluded(profile, service, now=NOW) -> dict[str, int]:
    delivery = factories.make_delivery(service=service)
    run = analysis.prepare(delivery, by="tests", now=now)
    return {code: count for code, count in run.excluded_counts.items() if count}


def test_subscribing_writes_one_ledger_row_with_its_proof(profile, service):
    assert subscribe(
        profile, service, origin="Footer", language="sv", wording_hash="f" * 64
    )

    row = Subscription.objects.get()
    assert (row.subscribed_at, row.expires_at, row.origin) == (NOW, None, "Footer")
    event = ConsentEvent.objects.get()
    assert (event.direction, event.channel) == (Direction.IN, None)
    assert (event.service_id, event.profile_id) == (service.pk, profile.pk)
    assert event.address_digest == profile.addresses.get().digest
    assert (event.language, event.wording_hash, event.at) == ("sv", "f" * 64, NOW)


def test_promise_8_subscribing_again_is_no_news(profile, service):
    assert [subscribe(profile, service) for _ in range(3)] == [True, False, False]
    assert [unsubscribe(profile, service) for _ in range(3)] == [True, False, False]

    assert ConsentEvent.objects.count() == 2


def test_subscribing_again_begins_the_validity_anew(profile):
    service = factories.make_service(validity_days=10)
    subscribe(profile, service)
    assert subscribe(profile, service, now=NOW + timedelta(days=9))

    assert is_subscribed(profile, service, NOW + timedelta(days=18))
    assert not is_subscribed(profile, service, NOW + timedelta(days=19))
    assert ConsentEvent.objects.count() == 2


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (timedelta(days=10) - timedelta(microseconds=1), {}),
        (timedelta(days=10), {"not_subscribed": 1}),
        (timedelta(days=11), {"not_subscribed": 1}),
    ],
)
def test_expired_subscription_is_excluded_to_the_moment(profile, after, reason):
    service = factories.make_service(validity_days=10)
    subscribe(profile, service)

    assert excluded(profile, service, NOW + after) == reason


def test_leap_day_is_a_day_of_the_validity(profile):
    service = factories.make_service(validity_days=1)
    subscribe(profile, service, now=datetime(2028, 2, 28, 12, tzinfo=UTC))

    row = Subscription.objects.get()
    assert row.expires_at == datetime(2028, 2, 29, 12, tzinfo=UTC)


def test_leaving_one_service_leaves_flags_and_other_services(profile, service):
    other = factories.make_service()
    subscribe(profile, service)
    subscribe(profile, other)
    unsubscribe(profile, service)

    assert not is_subscribed(profile, service)
    assert is_subscribed(profile, other)
    assert not OptOut.objects.exists()
    assert excluded(profile, service) == {"not_subscribed": 1}
    assert excluded(profile, other) == {}
    assert excluded(profile, None) == {}


def test_promise_7_only_the_person_comes_back_by_themselves(profile, service):
    subscribe(profile, service)
    unsubscribe(profile, service)

    with pytest.raises(ConsentError, match="unsubscribed"):
        subscribe(profile, service, source=ConsentSource.IMPORT)
    with pytest.raises(ConsentError, match="no reason"):
        subscribe(profile, service, source=ConsentSource.OPERATOR)
    with pytest.raises(ConsentError, match="no evidence"):
        subscribe(profile, service, source=ConsentSource.OPERATOR, reason="signed_form")
    assert not is_subscribed(profile, service)
    assert subscribe(profile, service)
    assert is_subscribed(profile, service)


def test_operator_subscribes_again_with_reason_and_evidence(profile, service):
    unsubscribe(profile, service)
    proof = {"reason": "signed_form", "note": "Form 12"}

    assert subscribe(profile, service, source=ConsentSource.OPERATOR, **proof)
    assert ConsentEvent.objects.latest("pk").evidence_hash


def test_stop_of_somebody_who_never_subscribed_is_kept(profile, service):
    assert unsubscribe(profile, service)
    assert not unsubscribe(profile, service)

    assert not is_subscribed(profile, service)
    with pytest.raises(ConsentError):
        subscribe(profile, service, source=ConsentSource.IMPORT)


def test_erased_person_cannot_be_subscribed_and_leaves_no_subscription(
    profile, service
):
    subscribe(profile, service)
    erasure.erase(profile, by="ola", reason="Asked", now=NOW)

    assert not Subscription.objects.exists()
    with pytest.raises(ConsentError, match="erased"):
        subscribe(profile, service)


def test_explanation_says_when_and_what_would_help(profile):
    service = factories.make_service(name="news", validity_days=2)
    delivery = factories.make_delivery(service=service)

    def answer(now):
        explained = explanation.explain(profile, delivery, now=now)
        rule = explained.rules[ExclusionReason.NOT_SUBSCRIBED - 1]
        return rule.is_excluding, rule.fact

    assert answer(NOW) == (True, "Never subscribed to “News”.")
    subscribe(profile, service)
    assert answer(NOW) == (False, "")
    later = NOW + timedelta(days=2)
    assert answer(later) == (
        True,
        "The subscription to “News” expired on 2026-01-17.",
    )
    unsubscribe(profile, service)
    assert answer(NOW) == (True, "Unsubscribed from “News” on 2026-01-15.")


def test_rule_is_not_asked_of_deliveries_without_service(profile):
    delivery = factories.make_delivery()
    explained = explanation.explain(profile, delivery, now=NOW)

    assert explained.rules[4].answer == "not_applicable"


def test_database_keeps_one_row_a_person_and_service(profile, service):
    factories.make_subscription(profile=profile, service=service)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.make_subscription(profile=profile, service=service)


def test_database_refuses_odd_channels_and_validities():
    for fields in ({"channel": 7}, {"channel": -1}, {"validity_days": 0}):
        values = {"name": "odd", "label": "Odd", "channel": 0} | fields
        with pytest.raises(IntegrityError), transaction.atomic():
            Service.objects.create(**values)


def test_recipients_read_the_name_in_their_language(service):
    service.texts.create(language="sv", public_name="Brev")

    assert service.public_name_in("sv-FI") == "Brev"
    assert service.public_name_in("de") == "Letters"
    assert Service(label="Bare").pk is None
    bare = Service.objects.create(name="bare", label="Bare", channel=Channel.SMS)
    assert bare.public_name_in("en") == "Bare"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_stops_at_once_leave_one_ledger_row(profile, service):
    subscribe(profile, service)
    together = Barrier(4)

    def stop(_number: int) -> bool:
        together.wait()
        try:
            return unsubscribe(profile, service)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(stop, range(4))) == 1
    assert ConsentEvent.objects.filter(direction=Direction.OUT).count() == 1
