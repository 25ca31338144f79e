"""The commands of the analysis: what they print, and how they refuse."""

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command

from delivery.models import Analysis, Audience, Delivery
from profiles.channels import Channel
from tests import factories

REASONS = [
    "address_not_specified",
    "bad_quality_address",
    "opted_out_any",
    "opted_out_channel",
    "not_subscribed",
    "quarantined_address",
    "denylisted_address",
    "suppressed_address",
    "opted_out_other_profile",
    "filtered",
    "duplicate_address",
    "pressure",
    "control_group",
    "size_limit",
]


def output_of(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_new_delivery_is_analysed_and_printed_as_json(
    opted_in_profile, opted_out_profile
):
    figures = json.loads(
        output_of("analyse_delivery", "--new", "Spring", "--channel", "email", "--json")
    )

    delivery = Delivery.objects.get()
    assert (delivery.label, delivery.channel) == ("Spring", Channel.EMAIL)
    assert figures.pop("seconds") >= 0
    excluded = figures.pop("excluded")
    assert list(excluded) == REASONS
    assert excluded["opted_out_any"] == sum(excluded.values()) == 1
    assert figures == {"delivery": delivery.pk, "targeted": 2, "to_send": 1}


def test_delivery_is_analysed_again_by_its_id(opted_in_profile):
    delivery = factories.make_delivery(channel=Channel.SMS)

    printed = output_of("analyse_delivery", str(delivery.pk))

    assert "targeted: 1\nto_send: 0\n" in printed
    assert "address_not_specified: 1\n" in printed


def test_unknown_delivery_is_refused(db):
    for command in (["analyse_delivery"], ["export_log"]):
        with pytest.raises(CommandError, match="There is no delivery 7"):
            output_of(*command, "7")


def test_new_delivery_to_nobody_leaves_nothing_behind(db):
    with pytest.raises(CommandError, match="nobody in its audience"):
        output_of("analyse_delivery", "--new", "Spring", "--channel", "email")

    for model in (Delivery, Audience, Analysis):
        assert model.objects.count() == 0


@pytest.mark.parametrize("label", ["", "   ", "x" * 201, "a\0b"])
def test_label_that_cannot_be_is_refused(label, opted_in_profile):
    with pytest.raises(CommandError, match="1 to 200 characters"):
        output_of("analyse_delivery", "--new", label, "--channel", "email")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["1", "--new", "Spring", "--channel", "email"],
        ["--new", "Spring"],
        ["--new", "Spring", "--channel", "carrier_pigeon"],
        ["1", "--channel", "email"],
        ["one"],
    ],
)
def test_wrong_usage_is_refused(arguments, db):
    with pytest.raises(CommandError, match="Error: "):
        output_of("analyse_delivery", *arguments)


def test_log_is_ordered_by_code_point_and_has_every_reason(db):
    for external_id in ("b", "B", "Å", "a"):
        factories.make_profile(external_id=external_id, email=None)
    both = factories.make_profile(external_id="", email='x@-, "y"')
    factories.make_opt_out(profile=both)
    factories.make_opt_out(profile=both, channel=Channel.EMAIL)
    figures = json.loads(
        output_of("analyse_delivery", "--new", "X", "--channel", "email", "--json")
    )

    log = output_of("export_log", str(figures["delivery"]))

    assert log.startswith("external_id,address,outcome,reason,all_reasons,status\r\n")
    rows = list(csv.reader(io.StringIO(log, newline="")))
    assert [row[0] for row in rows[1:]] == ["", "B", "a", "b", "Å"]
    assert rows[1] == [
        "",
        'x@-, "y"',
        "excluded",
        "bad_quality_address",
        "bad_quality_address|opted_out_any|opted_out_channel",
        "excluded",
    ]


def test_log_leaves_the_reason_of_those_to_send_empty(opted_in_profile):
    output_of("analyse_delivery", "--new", "X", "--channel", "email")

    log = output_of("export_log", str(Delivery.objects.get().pk))

    assert log.splitlines()[1].startswith("opted-in,person")
    assert log.splitlines()[1].endswith(",to_send,,,ready")


def test_log_of_a_delivery_that_was_not_analysed_is_refused(db):
    delivery = factories.make_delivery()

    with pytest.raises(CommandError, match="was not analysed yet"):
        output_of("export_log", str(delivery.pk))


def test_explanation_names_the_rule_the_fact_and_the_cure(quarantined_profile):
    delivery = factories.make_delivery()

    printed = output_of("explain", "quarantined", "--delivery", str(delivery.pk))

    assert "outcome: excluded\nreason: quarantined_address\n" in printed
    assert " 6 ✗ quarantined_address Quarantine since" in printed
    assert "Release the address from quarantine with a reason" in printed
    assert len(printed.splitlines()) == 4 + len(REASONS)


def test_explanation_of_an_unknown_person_is_refused(db):
    delivery = factories.make_delivery()

    with pytest.raises(CommandError, match="There is no profile ‘nobody’"):
        output_of("explain", "nobody", "--delivery", str(delivery.pk))
