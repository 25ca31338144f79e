"""The life of a delivery: the table holds, and its door is the only one."""

import pytest
from django.utils import timezone

from delivery import analysis, confirming, lifecycle
from delivery.confirming import ConfirmationRefused
from delivery.lifecycle import TABLE, DeliveryEvent, LifecycleError
from delivery.models import Delivery, DeliveryContent
from delivery.states import DeliveryStatus
from tests import factories
from tests.delivery.sending_stage import HTML, make_confirmed

pytestmark = pytest.mark.django_db
ENDED = {DeliveryStatus.FINISHED, DeliveryStatus.CANCELLED}


def make_analysed(**fields) -> Delivery:
    factories.make_profile()
    delivery = factories.make_analysed_delivery(**fields)
    DeliveryContent.objects.create(
        delivery=delivery, subject="Hi", html=HTML, has_address_in_content=True
    )
    return delivery


def test_every_state_has_a_row_and_ends_where_nothing_follows():
    assert set(TABLE) == set(DeliveryStatus)
    assert {state for state, events in TABLE.items() if not events} == ENDED


def test_nothing_is_sent_that_was_not_confirmed():
    sources = {
        state for state, events in TABLE.items() if DeliveryEvent.START in events
    }
    confirmed_from = {
        state for state, events in TABLE.items() if DeliveryEvent.CONFIRM in events
    }

    assert sources == {DeliveryStatus.CONFIRMED}
    assert confirmed_from == {DeliveryStatus.ANALYSED}


@pytest.mark.parametrize("state", list(DeliveryStatus))
@pytest.mark.parametrize("event", list(DeliveryEvent))
def test_event_happens_or_is_refused_with_a_sentence(state, event):
    delivery = factories.make_delivery(status=state)

    if event in TABLE[state]:
        lifecycle.move(delivery, event)
        expected = TABLE[state][event]
    else:
        with pytest.raises(LifecycleError, match="‘Spring’ cannot"):
            lifecycle.move(delivery, event)
        expected = state

    assert Delivery.objects.get().status == expected


def test_of_two_who_change_a_delivery_one_is_told(monkeypatch):
    delivery = make_confirmed_of_one()
    refresh = Delivery.refresh_from_db

    def refreshed_too_early(self, **how):
        refresh(self, **how)
        Delivery.objects.update(status=DeliveryStatus.CANCELLED)

    monkeypatch.setattr(Delivery, "refresh_from_db", refreshed_too_early)

    with pytest.raises(LifecycleError, match="meanwhile"):
        lifecycle.withdraw(delivery)


def make_confirmed_of_one() -> Delivery:
    factories.make_profile()
    return make_confirmed()


def test_changed_delivery_needs_a_new_analysis():
    delivery = make_analysed()
    lifecycle.change(delivery)
    Delivery.objects.update(status=DeliveryStatus.ANALYSED)
    delivery.refresh_from_db()

    with pytest.raises(ConfirmationRefused, match="changed after the analysis"):
        confirming.confirm(delivery, by="t", now=timezone.now())

    Delivery.objects.update(status=DeliveryStatus.DRAFT)
    analysis.prepare(delivery, by="t", now=timezone.now())
    delivery.refresh_from_db()
    confirming.confirm(delivery, by="t", now=timezone.now())
    assert delivery.status == DeliveryStatus.CONFIRMED


def test_change_of_a_confirmed_delivery_takes_the_confirmation_back():
    delivery = make_confirmed_of_one()

    lifecycle.change(delivery)

    assert delivery.status == DeliveryStatus.DRAFT
    assert (delivery.confirmed_by, delivery.confirmed_at) == ("", None)


def test_analysis_that_is_stopped_leaves_the_delivery_as_it_was():
    delivery = make_analysed()

    def stop(done, total):
        raise analysis.AnalysisStopped

    with pytest.raises(analysis.AnalysisStopped):
        analysis.prepare(delivery, by="t", now=timezone.now(), progress=stop)

    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.ANALYSED


def test_errors_stop_the_confirmation_and_warnings_do_not():
    delivery = make_analysed()
    warnings = confirming.confirm(delivery, by="t", now=timezone.now())
    assert {each.code for each in warnings} >= {"not_signed"}

    other = factories.make_analysed_delivery(label="Other")
    with pytest.raises(ConfirmationRefused, match="subject is empty"):
        confirming.confirm(other, by="t", now=timezone.now())


def test_warnings_are_ticked_off_one_by_one_where_somebody_is_asked():
    delivery = make_analysed()

    with pytest.raises(ConfirmationRefused, match="DKIM"):
        confirming.confirm(delivery, by="t", now=timezone.now(), accepted=[])

    codes = [finding.code for finding in confirming.review(delivery)]
    confirming.confirm(delivery, by="t", now=timezone.now(), accepted=codes)
    assert delivery.status == DeliveryStatus.CONFIRMED


def test_delivery_to_nobody_is_not_confirmed():
    profile = factories.make_profile()
    factories.make_opt_out(profile=profile)
    delivery = factories.make_analysed_delivery()

    with pytest.raises(ConfirmationRefused, match="nobody"):
        confirming.confirm(delivery, by="t", now=timezone.now())


def test_recipients_without_a_value_are_counted():
    factories.make_profile(first_name="Anna", attributes={"size": "M"})
    factories.make_profile(first_name="")
    delivery = factories.make_analysed_delivery()
    html = (
        f"{HTML}{{{{ profile.attributes.size }}}}"
        '{{ profile.last_name | default: "you" }}'
    )
    DeliveryContent.objects.create(delivery=delivery, subject="Hi", html=html)

    found = [f.sentence for f in confirming.review(delivery) if "value" in f.sentence]

    assert found == [
        "1 recipient has no value for “profile.attributes.size”. Give the field a"
        " default.",
        "1 recipient has no value for “profile.first_name”. Give the field a default.",
    ]
