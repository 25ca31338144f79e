"""The analysis: figures that reconcile, runs that can be repeated and stopped."""

from datetime import UTC, datetime

import pytest

from delivery import analysis, audiences
from delivery.models import Message
from delivery.states import MessageStatus
from profiles.channels import Channel
from tests import factories

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def analysed(delivery):
    return analysis.prepare(delivery, by="operator", now=NOW)


def outcomes(delivery) -> dict[str, list[str]]:
    messages = Message.objects.filter(analysis=delivery.current_analysis)
    return {
        message.profile.external_id: [reason.code for reason in message.all_reasons]
        for message in messages.select_related("profile")
    }


def test_everybody_gets_a_message_with_every_reason(
    opted_in_profile, opted_out_profile, quarantined_profile
):
    factories.make_opt_out(profile=quarantined_profile, channel=Channel.EMAIL)
    delivery = factories.make_delivery()

    analysed(delivery)

    assert outcomes(delivery) == {
        "opted-in": [],
        "opted-out": ["opted_out_any"],
        "quarantined": ["opted_out_channel", "quarantined_address"],
    }


def test_figures_reconcile(opted_in_profile, opted_out_profile, quarantined_profile):
    run = analysed(factories.make_delivery())

    assert run.targeted_count == 3
    assert run.to_send_count == 1
    assert sum(run.excluded_counts.values()) == 2
    assert len(run.excluded_counts) == 14
    assert run.messages.filter(status=MessageStatus.READY).count() == 1


def test_empty_audience_is_refused(db):
    delivery = factories.make_delivery()

    with pytest.raises(analysis.AudienceEmpty, match="nobody in its audience"):
        analysed(delivery)

    assert analysis.last_run(delivery).status == "failed"
    assert Message.objects.count() == 0


def test_list_audience_targets_its_profiles_only(opted_in_profile):
    factories.make_profile(external_id="other")
    audience = audiences.of_external_ids(["opted-in", "unheard-of"])
    delivery = factories.make_delivery(audience=audience)

    run = analysed(delivery)

    assert outcomes(delivery) == {"opted-in": []}
    assert run.unknown_count == 1
