"""The exclusion log in the console: filter, search, export, explanation."""

import csv
import io

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from delivery import analysis, logs
from delivery.models import Delivery, Message
from profiles.models import Profile
from profiles.spreadsheets import spreadsheet_safe
from tests import factories


@pytest.fixture
def delivery(
    opted_in_profile: Profile, opted_out_profile: Profile, quarantined_profile: Profile
) -> Delivery:
    """Three profiles: to send, opted out, and quarantined; one is both."""
    both = factories.make_profile(external_id="both", email="both@example.com")
    factories.make_opt_out(profile=both)
    factories.make_quarantined_address(value="both@example.com")
    delivery = factories.make_delivery()
    analysis.prepare(delivery, by="operator", now=timezone.now())
    delivery.refresh_from_db()
    return delivery


def shown(console: Client, delivery: Delivery, query: str) -> set[str]:
    response = console.get(f"/console/deliveries/{delivery.pk}/log/?{query}")
    assert response.status_code == 200
    return {row.profile.external_id for row in response.context["page"].rows}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"opted-in", "opted-out", "quarantined", "both"}),
        ("outcome=to_send", {"opted-in"}),
        ("outcome=excluded", {"opted-out", "quarantined", "both"}),
        ("reason=quarantined_address", {"quarantined", "both"}),
        ("reason=quarantined_address&counts=first", {"quarantined"}),
        ("reason=opted_out_any&counts=first", {"opted-out", "both"}),
        ("reason=duplicate_address", set()),
        ("outcome=to_send&reason=opted_out_any", set()),
        ("q=quarantined", {"quarantined"}),
        ("q=Gone@Example.COM", {"quarantined"}),
        ("q=nobody@example.com", set()),
    ],
)
def test_log_is_filtered(
    console: Client, delivery: Delivery, query: str, expected: set[str]
) -> None:
    assert shown(console, delivery, query) == expected


def test_unknown_reason_is_refused_with_a_sentence(
    console: Client, delivery: Delivery
) -> None:
    response = console.get(f"/console/deliveries/{delivery.pk}/log/?reason=weather")

    assert response.status_code == 400
    assert "weather is not one of the available choices." in response.text


def test_log_of_an_unanalysed_delivery_is_empty(console: Client) -> None:
    delivery = factories.make_delivery()

    response = console.get(f"/console/deliveries/{delivery.pk}/log/")

    assert "The log is empty" in response.text


def test_log_is_paged_by_profile(console: Client, db: None) -> None:
    for _ in range(51):
        factories.make_profile()
    delivery = factories.make_delivery()
    analysis.prepare(delivery, by="operator", now=timezone.now())

    url = f"/console/deliveries/{delivery.pk}/log/"
    page_1 = console.get(f"{url}?outcome=to_send").context["page"]
    page_2 = console.get(url + page_1.older_url).context["page"]

    assert "outcome=to_send" in page_1.older_url
    assert [len(page_1.rows), len(page_2.rows)] == [50, 1]
    assert page_2.newer_url and not page_2.older_url


def test_rows_lead_to_the_explanation(console: Client, delivery: Delivery) -> None:
    response = console.get(f"/console/deliveries/{delivery.pk}/log/?q=both")

    profile = Profile.objects.get(external_id="both")
    link = f"/console/deliveries/{delivery.pk}/explanation/?profile={profile.pk}"
    assert link in response.text


def test_export_holds_the_filtered_rows(console: Client, delivery: Delivery) -> None:
    response = console.get(
        f"/console/deliveries/{delivery.pk}/log.csv?outcome=excluded"
    )

    text = b"".join(response).decode()  # type: ignore[arg-type]
    rows = {row["external_id"]: row for row in csv.DictReader(io.StringIO(text))}
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in response["Content-Disposition"]
    assert set(rows) == {"opted-out", "quarantined", "both"}
    assert rows["both"]["reason"] == "opted_out_any"
    assert rows["both"]["all_reasons"] == "opted_out_any|quarantined_address"
    assert rows["both"]["outcome"] == "excluded"


def test_export_is_safe_in_a_spreadsheet(console: Client, db: None) -> None:
    profile = factories.make_profile(external_id="=1+1", email="+a@example.com")
    delivery = factories.make_delivery()
    analysis.prepare(delivery, by="operator", now=timezone.now())

    response = console.get(f"/console/deliveries/{delivery.pk}/log.csv")

    lines = b"".join(response).decode().splitlines()  # type: ignore[arg-type]
    assert profile.external_id == "=1+1"
    assert lines[1] == "'=1+1,'+a@example.com,to_send,,,ready"


@pytest.mark.parametrize("start", list("=+-@\t\r\n＝＋－＠"))
def test_formula_gets_an_apostrophe(start: str) -> None:
    assert spreadsheet_safe(f"{start}cmd") == f"'{start}cmd"


@pytest.mark.parametrize("cell", ["", "a=b", "anna@example.com", "1-2", "'=1"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert spreadsheet_safe(cell) == cell


def test_export_asks_for_its_own_right(
    client: Client, onlooker: User, delivery: Delivery
) -> None:
    onlooker.user_permissions.add(Permission.objects.get(codename="view_message"))
    client.force_login(onlooker)
    url = f"/console/deliveries/{delivery.pk}"

    assert client.get(f"{url}/log/").status_code == 200
    assert "log.csv" not in client.get(f"{url}/log/").text
    assert client.get(f"{url}/log.csv").status_code == 403


def test_export_of_an_unknown_filter_is_not_found(
    console: Client, delivery: Delivery
) -> None:
    url = f"/console/deliveries/{delivery.pk}/log.csv?reason=weather"

    assert console.get(url).status_code == 404


def test_export_streams_piece_by_piece(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_ROWS_AT_ONCE", 2)

    counted: list[int] = []
    rows = Message.objects.filter(analysis=delivery.current_analysis)
    pieces = list(logs.csv_of(rows, count=lambda name, number: counted.append(number)))

    assert [piece.count("\r\n") for piece in pieces] == [1, 2, 2, 0]
    assert counted == [2, 2, 0]


@pytest.mark.parametrize("query", ["external_id=both", "profile={pk}"])
def test_explanation_names_every_reason(
    console: Client, delivery: Delivery, query: str
) -> None:
    pk = Profile.objects.get(external_id="both").pk
    url = f"/console/deliveries/{delivery.pk}/explanation/?{query.format(pk=pk)}"

    response = console.get(url)

    explained = response.context["explanation"]
    assert [rule.reason.code for rule in explained.rules if rule.is_excluding] == [
        "opted_out_any",
        "quarantined_address",
    ]
    assert "Opted out of every channel" in response.text
    assert "Release the address from quarantine" in response.text


@pytest.mark.parametrize("query", ["external_id=nobody", "profile=0", "profile=x"])
def test_explanation_of_an_unknown_person_says_so(
    console: Client, delivery: Delivery, query: str
) -> None:
    response = console.get(f"/console/deliveries/{delivery.pk}/explanation/?{query}")

    assert response.status_code == 200
    assert "No profile has the external id" in response.text
