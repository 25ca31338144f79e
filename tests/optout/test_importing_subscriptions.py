from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from django.core.management import CommandError, call_command

from optout import importing_subscriptions
from optout.importing_subscriptions import Summary, import_file
from optout.models import ConsentEvent, Subscription
from profiles.channels import Channel
from profiles.models import Profile
from profiles.reading import FileError
from tests import factories

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
HEADER = "external_id,email,mobile,service,operation,subscribed_at,origin\n"
ZERO = dict.fromkeys(Summary.__dataclass_fields__, 0)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def news():
    return factories.make_service(name="news")


@pytest.fixture
def person() -> Profile:
    return factories.make_profile(external_id="A", email="anna@example.com")


def imported(text: str, *, header: str = HEADER, **options) -> dict[str, int]:
    """Import; give the figures that are not zero."""
    options = {"now": NOW} | options
    summary = import_file(BytesIO((header + text).encode()), **options)
    assert summary.rows == sum(
        getattr(summary, name) for name in ZERO if name != "rows"
    )
    figures = {name: getattr(summary, name) for name in ZERO}
    return {name: count for name, count in figures.items() if count}


def failures(text: str, **options) -> list[tuple[int, str]]:
    found = []
    imported(text, report=found.append, **options)
    return [(each.line, each.column) for each in found]


def test_file_subscribes_by_any_identity_and_keeps_date_and_origin(person):
    other = factories.make_profile(sms="+46701740605")
    rows = (
        "A,,,news,subscribe,2026-01-10T12:00:00+02:00,Fair\n"
        ",,+46 70 174 06 05,NEWS,1,,\n"
    )
    assert imported(rows) == {"rows": 2, "subscribed": 2}

    row = Subscription.objects.get(profile=person)
    assert row.subscribed_at == datetime(2026, 1, 10, 10, tzinfo=UTC)
    assert (row.origin, row.source, row.expires_at) == ("Fair", "import", None)
    assert Subscription.objects.get(profile=other).subscribed_at == NOW
    event = ConsentEvent.objects.get(profile_id=person.pk)
    assert (event.service_id, event.address_digest) == (
        row.service_id,
        person.addresses.get().digest,
    )


def test_same_file_again_changes_nothing(person):
    text = "A,,,news,,,\n"
    imported(text)
    assert imported(text) == {"rows": 1, "unchanged": 1}
    assert ConsentEvent.objects.count() == 1


def test_duplicates_in_a_file_are_harmless_and_the_stricter_wins(person):
    rows = "A,,,news,,,\nA,,,news,unsubscribe,,\n,ANNA@example.com,,news,,,\n"
    figures = {"rows": 3, "unsubscribed": 1, "repeated": 2}

    assert imported(rows) == figures
    assert not Subscription.objects.current(NOW).exists()


def test_promise_7_file_never_brings_back_who_unsubscribed(person):
    imported("A,,,news,,,\n")
    imported("A,,,news,0,,\n")
    newer = (NOW + timedelta(days=1)).isoformat()

    later = NOW + timedelta(days=2)
    assert imported(f"A,,,news,1,{newer},\n", now=later) == {"rows": 1, "kept": 1}
    assert not Subscription.objects.current(later).exists()


def test_a_file_that_brings_back_would_be_caught(person, monkeypatch):
    imported("A,,,news,1,,\n")
    imported("A,,,news,0,,\n")
    original = importing_subscriptions._Decisions.take

    def take(self, wanted, profile_id):
        row = self._known[profile_id, wanted.service.pk]
        row.unsubscribed_at = None
        self._changed.append(row)
        return original(self, wanted, profile_id)

    monkeypatch.setattr(importing_subscriptions._Decisions, "take", take)
    imported("A,,,news,1,,\n")

    assert Subscription.objects.current(NOW).exists()


def test_only_a_newer_date_renews_what_is_over(person):
    factories.make_service(name="short", validity_days=10)
    imported("A,,,short,1,2026-01-01,\n", now=datetime(2026, 1, 2, tzinfo=UTC))

    assert imported("A,,,short,1,,\n") == {"rows": 1, "kept": 1}
    assert imported("A,,,short,1,2026-01-01,\n") == {"rows": 1, "kept": 1}
    assert imported("A,,,short,1,2026-01-14,\n") == {"rows": 1, "renewed": 1}
    row = Subscription.objects.get()
    assert row.expires_at == datetime(2026, 1, 24, tzinfo=UTC)


def test_oldest_profile_of_an_address_is_meant(person):
    older = factories.make_profile(
        email="anna@example.com", created_at=datetime(2020, 1, 1, tzinfo=UTC)
    )
    imported(",Anna@Example.com,,news,,,\n")
    assert Subscription.objects.get().profile == older


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("B,,,news,,,", "external_id"),
        (",b@example.com,,news,,,", "email"),
        (",,,news,,,", "external_id"),
        ("A,,,,,,", "service"),
        ("A,,,letters,,,", "service"),
        ("A,,,news,join,,", "operation"),
        ("A,,,news,,yesterday,", "subscribed_at"),
        ("A,,,news,,2026-01-16,", "subscribed_at"),
        (f"A,,,news,,,{'x' * 201}", "origin"),
        ("A,,,news,,,\0", ""),
    ],
)
def test_bad_row_fails_alone(person, row, column):
    factories.make_profile(external_id="C")
    found = failures(f"{row}\nC,,,news,,,\n")

    assert [line for line, _column in found] == [2]
    assert column in found[0][1]
    assert Subscription.objects.get().profile.external_id == "C"


def test_rows_without_a_service_mean_the_one_given(person, news):
    header = "external_id;subscribed_at\n"
    with pytest.raises(FileError, match="service"):
        imported("A;\n", header=header)
    assert imported("A;\n", header=header, service=news) == {
        "rows": 1,
        "subscribed": 1,
    }


def test_dry_run_counts_and_writes_nothing(person):
    figures = imported("A,,,news,,,\nB,,,news,,,\n", is_dry_run=True)

    assert figures == {"rows": 2, "subscribed": 1, "failed": 1}
    assert not Subscription.objects.exists()
    assert not ConsentEvent.objects.exists()


def test_batches_commit_whole_and_statements_do_not_follow_the_rows(
    person, monkeypatch, django_assert_max_num_queries
):
    for number in range(30):
        factories.make_profile(external_id=f"N{number}", email=f"n{number}@example.org")
    rows = "".join(f"N{number},,,news,,,\n" for number in range(30))
    with django_assert_max_num_queries(16):
        assert imported(rows)["subscribed"] == 30
    monkeypatch.setattr(importing_subscriptions, "BATCH_ROWS", 7)
    assert imported(rows.replace("news,,", "news,0,"))["unsubscribed"] == 30


def test_command_names_the_service_that_is_missing(person, tmp_path, capsys):
    path = tmp_path / "subscriptions.csv"
    path.write_text("external_id\nA\n")
    with pytest.raises(CommandError, match="Known are: news"):
        call_command("import_subscriptions", str(path), service="letters")

    call_command("import_subscriptions", str(path), service="News", json=True)
    assert '"subscribed": 1' in capsys.readouterr().out


def test_channel_of_the_service_decides_the_digest_of_the_proof(person):
    factories.make_service(name="texts", channel=Channel.SMS)
    imported("A,,,texts,,,\n")
    assert ConsentEvent.objects.get().address_digest is None
