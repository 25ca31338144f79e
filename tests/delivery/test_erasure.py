from datetime import UTC, datetime
from io import StringIO

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection

from delivery import erasure
from delivery.models import Analysis, Audience, AudienceEntry, Message
from delivery.states import MessageStatus
from optout import preferences
from optout.models import ConsentEvent, ConsentEvidence, OptOut
from optout.models.ledger import ConsentSource
from profiles.addresses import parse
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address, Profile
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Reason, Status
from tests import factories

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Profile:
    profile = factories.make_profile(
        external_id="A-1",
        email="anna@example.com",
        sms="+46701740605",
        first_name="Anna",
        last_name="Berg",
        birth_date="1980-01-01",
        city="Umeå",
        attributes={"shoe": "38"},
    )
    factories.make_address(profile=profile, value="old@example.com", is_preferred=False)
    return profile


def erase(profile: Profile) -> erasure.Erasure:
    return erasure.erase(profile, by="ola", reason="Art. 17, letter 9", now=NOW)


def log_message(profile: Profile, *, address: str) -> Message:
    analysis = Analysis.objects.create(delivery=factories.make_delivery())
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE delivery_message_{analysis.pk} PARTITION OF"
                f" delivery_message FOR VALUES IN ({analysis.pk})"
            )
    return Message.objects.create(
        analysis=analysis,
        profile=profile,
        status=MessageStatus.READY,
        address=address,
        digest=parse(Channel.EMAIL, address).digest,
    )


def test_promise_10_erased_address_stays_denylisted_on_a_new_profile(anna):
    erase(anna)

    factories.make_profile(external_id="new", email="ANNA@Example.com")

    held = QuarantinedAddress.objects.filter(
        digest__in=Address.objects.values("digest"), channel=Channel.EMAIL
    )
    assert [(row.status, row.reason) for row in held] == [(Status.DENYLISTED, "erased")]


def test_every_address_is_denylisted_and_none_is_readable(anna):
    digests = set(anna.addresses.values_list("digest", flat=True))

    result = erase(anna)

    assert (result.addresses, result.denylisted) == (3, 3)
    rows = QuarantinedAddress.objects.all()
    assert {row.digest for row in rows} == digests
    assert {(row.status, row.address, row.domain) for row in rows} == {
        (Status.DENYLISTED, "", "")
    }
    assert not Address.objects.exists()


def test_every_field_of_the_profile_is_emptied(anna):
    erase(anna)

    anna.refresh_from_db()
    assert (anna.erased_at, anna.external_id, anna.attributes) == (NOW, None, {})
    empty = Profile()
    fields = {field.name for field in Profile._meta.concrete_fields}
    for name in fields - erasure.KEPT_FIELDS:
        assert getattr(anna, name) == getattr(empty, name), name


def test_erasure_opts_out_of_everything_in_the_ledger(anna):
    erase(anna)

    assert OptOut.objects.get().channel == ANY_CHANNEL
    event = ConsentEvent.objects.get()
    assert (event.source, event.reason, event.actor) == ("erasure", "erasure", "ola")
    assert ConsentEvidence.objects.get(hash=event.evidence_hash).text.startswith("Art")


def test_evidence_is_blanked_but_its_hash_and_why_it_was_erased_stay(anna):
    preferences.opt_out(
        anna, 0, by="ola", source=ConsentSource.OPERATOR, note="Anna Berg rang"
    )
    before = ConsentEvidence.objects.get().hash

    assert erase(anna).evidence == 1

    texts = dict(ConsentEvidence.objects.values_list("hash", "text"))
    assert texts.pop(before) == ""
    assert list(texts.values()) == ["Art. 17, letter 9"]


@pytest.mark.parametrize("status", Status)
def test_known_address_keeps_the_stronger_protection_without_its_text(anna, status):
    factories.make_quarantined_address(
        value="anna@example.com", status=status, error_text="550 anna@example.com"
    )

    erase(anna)

    row = QuarantinedAddress.objects.get(
        digest=parse(Channel.EMAIL, "anna@example.com").digest
    )
    assert (row.status, row.reason) == (Status.DENYLISTED, Reason.ERASED)
    assert row.address == row.error_text == row.domain == ""


def test_sending_logs_of_all_analyses_lose_the_address(anna):
    other = factories.make_profile(email="bo@example.com")
    messages = [log_message(anna, address="anna@example.com") for _ in range(2)]
    theirs = log_message(other, address="bo@example.com")

    assert erase(anna).messages == 2

    assert {Message.objects.get(pk=m.pk).address for m in messages} == {""}
    assert Message.objects.get(pk=theirs.pk).address == "bo@example.com"


def test_person_leaves_every_audience(anna):
    for _ in range(2):
        audience = Audience.objects.create(kind="external_ids")
        for external_id in ("A-1", "B-2"):
            AudienceEntry.objects.create(audience=audience, external_id=external_id)

    assert erase(anna).audience_entries == 2

    assert set(AudienceEntry.objects.values_list("external_id", flat=True)) == {"B-2"}


def test_log_of_the_console_forgets_the_name(anna, operator):
    LogEntry.objects.create(
        user=operator,
        content_type=ContentType.objects.get_for_model(Profile),
        object_id=str(anna.pk),
        object_repr="Anna Berg",
        action_flag=CHANGE,
    )

    erase(anna)

    assert LogEntry.objects.get().object_repr == ""


def test_erased_person_cannot_be_opted_in(anna):
    erase(anna)

    with pytest.raises(preferences.ConsentError, match="was erased"):
        preferences.opt_in(
            anna,
            ANY_CHANNEL,
            by="ola",
            source=ConsentSource.OPERATOR,
            reason="mistake",
            note="Oops",
        )


def test_erasing_again_changes_nothing(anna):
    erase(anna)

    assert erase(anna) == erasure.Erasure(0, 0, 0, 0, 0, 0)

    assert Profile.objects.get().erased_at == NOW
    assert ConsentEvent.objects.count() == 1


def test_erasure_needs_a_reason(anna):
    with pytest.raises(erasure.ErasureError, match="no reason was given"):
        erasure.erase(anna, by="ola", reason=" ", now=NOW)

    assert Address.objects.count() == 3


def test_command_prints_what_it_did(anna):
    output = StringIO()

    call_command("erase_profile", "A-1", "--reason", "Art. 17", stdout=output)

    assert output.getvalue().splitlines() == [
        "opt_outs: 1",
        "addresses: 3",
        "denylisted: 3",
        "evidence: 0",
        "messages: 0",
        "audience_entries: 0",
    ]


@pytest.mark.parametrize("external_id", ["unknown", "", "a-1"])
def test_command_refuses_an_unknown_external_id(anna, external_id):
    with pytest.raises(CommandError, match="no profile with external id") as error:
        call_command("erase_profile", external_id, "--reason", "Art. 17")

    assert error.value.returncode == 1
    assert not OptOut.objects.exists()
