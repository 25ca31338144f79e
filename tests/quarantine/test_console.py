"""The quarantine pages of the console."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from profiles.channels import Channel
from quarantine.models import BlockedDomain, QuarantinedAddress, QuarantineEvent
from quarantine.reasons import Reason, Status
from tests import factories

LIST = "/console/quarantine/"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def only_with(user: User, *rights: str) -> None:
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))


@pytest.fixture
def listed(db: None) -> dict[str, QuarantinedAddress]:
    make = factories.make_quarantined_address
    return {
        "anna": make(value="anna@example.com"),
        "bo": make(
            value="bo@mail.example.org",
            status=Status.DENYLISTED,
            reason=Reason.COMPLAINT,
        ),
        "sms": make(
            value="+46701740605",
            channel=Channel.SMS,
            status=Status.ERRONEOUS,
            reason=Reason.UNREACHABLE,
        ),
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"anna", "bo", "sms"}),
        ("?channel=1", {"sms"}),
        ("?status=4", {"bo"}),
        ("?reason=user_unknown", {"anna"}),
        ("?domain=example.org", {"bo"}),
        ("?domain=ample.org", set()),
        ("?text=ANNA@Example.com", {"anna"}),
        ("?text=bo@", {"bo"}),
        ("?text=070-174 06 05", {"sms"}),
        ("?text=070-174 06 05&channel=0", set()),
        ("?status=3&reason=complaint", set()),
        ("?status=nonsense", {"anna", "bo", "sms"}),
    ],
)
def test_list_is_filtered(
    console: Client,
    listed: dict[str, QuarantinedAddress],
    query: str,
    found: set[str],
) -> None:
    lines = console.get(LIST + query).context["lines"]
    assert {line.row for line in lines} == {listed[name] for name in found}


def test_list_goes_on_page_by_page(console: Client) -> None:
    for number in range(120):
        factories.make_quarantined_address(
            value=f"person{number}@example.com",
            updated_at=NOON - timedelta(minutes=number // 7),
        )
    seen: list[int] = []
    url = "?channel=0"
    while url:
        page = console.get(LIST + url).context["page"]
        seen += [row.pk for row in page.rows]
        url, back = page.older_url, page.newer_url
    assert len(seen) == len(set(seen)) == 120

    page = console.get(LIST + back).context["page"]
    assert [row.pk for row in page.rows] == seen[50:100]


def test_unreadable_place_gives_the_first_page(
    console: Client, listed: dict[str, QuarantinedAddress]
) -> None:
    for place in ("nonsense", "x~y", "2026-01-01~zz", "~", "2026~99999999999999999999"):
        assert console.get(LIST, {"after": place}).status_code == 200


def test_list_is_few_queries(
    console: Client, django_assert_max_num_queries: object
) -> None:
    for number in range(60):
        factories.make_quarantined_address(value=f"person{number}@example.com")
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        console.get(LIST)


def test_address_is_added_by_hand(console: Client) -> None:
    answer = console.post(
        LIST + "add/",
        {
            "channel": 0,
            "address": " Gone@Example.com ",
            "status": Status.DENYLISTED,
            "reason": "listed",
            "note": "Asked by letter",
        },
    )
    row = QuarantinedAddress.objects.get()
    assert answer.headers["Location"] == f"{LIST}{row.pk}/"
    assert (row.status, row.domain) == (Status.DENYLISTED, "example.com")
    event = QuarantineEvent.objects.get()
    assert (event.note, event.actor) == ("Asked by letter", "operator")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"address": "not an address"}, "Check its spelling"),
        ({"address": ""}, "This field is required"),
        ({"status": "9"}, "9 is not one of the available choices"),
        ({"channel": "7"}, "7 is not one of the available choices"),
        ({"reason": "erased"}, "erased is not one of the available choices"),
        ({"address": "nul\0@example.com"}, "Null characters are not allowed"),
    ],
)
def test_bad_input_is_told_and_nothing_written(
    console: Client, fields: dict[str, str], sentence: str
) -> None:
    good = {"channel": "0", "address": "a@example.com", "status": "3", "reason": ""}
    answer = console.post(LIST + "add/", {**good, **fields})
    assert sentence in answer.content.decode()
    assert not QuarantinedAddress.objects.exists()


def test_status_is_edited_and_history_kept(
    console: Client, listed: dict[str, QuarantinedAddress]
) -> None:
    address = f"{LIST}{listed['anna'].pk}/"
    console.post(address, {"status": 4, "reason": "complaint", "note": "Rang us"})
    listed["anna"].refresh_from_db()
    assert listed["anna"].status == Status.DENYLISTED
    page = console.get(address).content.decode()
    assert "Quarantine → Denylisted" in page
    assert "Rang us" in page


def test_denylisted_address_is_not_weakened_by_an_edit(
    console: Client, listed: dict[str, QuarantinedAddress]
) -> None:
    answer = console.post(
        f"{LIST}{listed['bo'].pk}/", {"status": 0, "reason": "", "note": "Moved"}
    )
    assert "Release it first" in answer.content.decode()
    listed["bo"].refresh_from_db()
    assert listed["bo"].status == Status.DENYLISTED


def test_weaker_status_needs_a_note_as_a_release_does(
    console: Client, listed: dict[str, QuarantinedAddress]
) -> None:
    weaker = {"status": 0, "reason": "", "note": " "}
    answer = console.post(f"{LIST}{listed['anna'].pk}/", weaker)
    assert "A weaker status is a release: write why" in answer.text
    listed["anna"].refresh_from_db()
    assert listed["anna"].status == Status.QUARANTINE


@pytest.mark.parametrize("door", ["add/", "{pk}/"])
def test_weaker_status_needs_the_right_to_release(
    client: Client,
    onlooker: User,
    listed: dict[str, QuarantinedAddress],
    door: str,
) -> None:
    rights = ["view", "add", "change"]
    only_with(onlooker, *(f"{right}_quarantinedaddress" for right in rights))
    client.force_login(onlooker)
    answer = client.post(
        LIST + door.format(pk=listed["anna"].pk),
        {"channel": 0, "address": "Anna@example.com", "status": 0, "reason": ""},
    )
    assert "lacks the right to release" in answer.content.decode()
    listed["anna"].refresh_from_db()
    assert listed["anna"].status == Status.QUARANTINE


def test_editing_needs_the_right_to_change(
    client: Client, onlooker: User, listed: dict[str, QuarantinedAddress]
) -> None:
    only_with(onlooker, "view_quarantinedaddress")
    client.force_login(onlooker)
    address = f"{LIST}{listed['anna'].pk}/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"status": 4, "reason": ""}).status_code == 403


def test_several_are_released_and_the_rest_say_why(
    client: Client, onlooker: User, listed: dict[str, QuarantinedAddress]
) -> None:
    only_with(
        onlooker,
        *("view_quarantinedaddress", "release_quarantinedaddress"),
        *("release_many", "view_full_address"),
    )
    client.force_login(onlooker)
    answer = client.post(
        LIST + "release/",
        {"address": [row.pk for row in listed.values()], "note": "Server mended"},
        follow=True,
    )
    page = answer.content.decode()
    assert "2 addresses were released." in page
    assert "1 address was not released. The address is denylisted" in page
    statuses = {row.address: row.status for row in QuarantinedAddress.objects.all()}
    assert statuses["anna@example.com"] == Status.VALID
    assert statuses["bo@mail.example.org"] == Status.DENYLISTED


def test_denylisted_row_says_why_it_cannot_be_released(
    client: Client, onlooker: User, listed: dict[str, QuarantinedAddress]
) -> None:
    only_with(
        onlooker,
        *("view_quarantinedaddress", "release_quarantinedaddress"),
        *("release_many", "view_full_address"),
    )
    client.force_login(onlooker)
    page = client.get(LIST).content.decode()
    assert "You cannot release it" in page
    assert "Release bo@mail.example.org" not in page
    assert "Release anna@example.com" in page

    [row] = [each for each in listed.values() if each.status == Status.DENYLISTED]
    assert "The address is denylisted" in client.get(f"{LIST}{row.pk}/").text


def test_release_without_a_reason_asks_for_it(
    console: Client, listed: dict[str, QuarantinedAddress]
) -> None:
    answer = console.post(LIST + "release/", {"address": [listed["anna"].pk]})
    page = answer.content.decode()
    assert "Nothing was released: write why" in page
    assert "anna@example.com" in page
    listed["anna"].refresh_from_db()
    assert listed["anna"].status == Status.QUARANTINE


def test_release_of_nothing_says_so(console: Client) -> None:
    answer = console.post(
        LIST + "release/", {"address": "x", "note": "why"}, follow=True
    )
    assert "no address was ticked" in answer.content.decode()


def test_domain_is_blocked_and_unblocked(console: Client) -> None:
    answer = console.post(
        LIST + "domains/", {"domain": "Example.ORG", "note": "Rival"}, follow=True
    )
    assert "Domain example.org is blocked." in answer.content.decode()
    assert BlockedDomain.objects.get().created_by == "operator"

    answer = console.post(
        LIST + "domains/remove/", {"domain": "example.org"}, follow=True
    )
    assert "is no longer blocked" in answer.content.decode()
    assert not BlockedDomain.objects.exists()


@pytest.mark.parametrize(
    ("path", "domain"), [("domains/", "not a domain"), ("domains/remove/", "x.example")]
)
def test_bad_domain_is_told(console: Client, path: str, domain: str) -> None:
    answer = console.post(LIST + path, {"domain": domain}, follow=True)
    page = answer.content.decode()
    assert "is not a domain" in page or "is not blocked" in page


def test_blocking_needs_its_right(client: Client, onlooker: User) -> None:
    only_with(onlooker, "view_blockeddomain")
    client.force_login(onlooker)
    assert client.get(LIST + "domains/").status_code == 200
    answer = client.post(LIST + "domains/", {"domain": "example.org"})
    assert answer.status_code == 403


def test_release_alone_shows_no_address(
    client: Client, onlooker: User, listed: dict[str, QuarantinedAddress]
) -> None:
    only_with(onlooker, "release_quarantinedaddress")
    client.force_login(onlooker)
    answer = client.post(f"{LIST}release/", {"address": listed["anna"].pk})
    assert answer.status_code == 403


def test_carriers_are_shown_to_who_may_see_profiles(
    client: Client, onlooker: User, listed: dict[str, QuarantinedAddress]
) -> None:
    factories.make_profile(external_id="A-1", email="anna@example.com")
    page = f"{LIST}{listed['anna'].pk}/"
    client.force_login(onlooker)
    only_with(onlooker, "view_quarantinedaddress")
    assert "Profiles with this address" not in client.get(page).content.decode()
    only_with(onlooker, "view_quarantinedaddress", "view_profile")
    assert "A-1" in client.get(page).content.decode()


def test_number_that_no_row_can_have_is_passed_over(console: Client) -> None:
    answer = console.post(f"{LIST}release/", {"address": "9" * 30, "note": "Moved"})
    assert answer.headers["Location"] == LIST
