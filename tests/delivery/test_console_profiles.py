"""The profile pages of the console: search, the page of one, its actions."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from optout import preferences
from optout.models.ledger import ConsentSource
from profiles.channels import Channel
from profiles.models import Profile
from quarantine.models import QuarantinedAddress
from quarantine.reasons import Status
from tests import factories

LIST = "/console/profiles/"


@pytest.fixture
def anna(db: None) -> Profile:
    return factories.make_profile(
        external_id="CRM-7",
        first_name="Anna",
        last_name="von Essen",
        country="SE",
        email="anna@example.com",
        sms="070-174 06 05",
    )


@pytest.mark.parametrize(
    "text",
    [
        "CRM-7",
        "CRM",
        "anna",
        "VON ESS",
        "Anna von",
        "ANNA@example.com",
        "+46 70 174 06 05",
        "0701740605",
        " anna ",
    ],
)
def test_person_is_found_by(console: Client, anna: Profile, text: str) -> None:
    factories.make_profile(external_id="OTHER", first_name="Bo", last_name="Ek")
    found = console.get(LIST, {"q": text}).context["found"]
    assert found.profiles == [anna]


@pytest.mark.parametrize("text", ["nna", "anna@", "%", "_", "9" * 400, "''--"])
def test_person_is_not_found_by(console: Client, anna: Profile, text: str) -> None:
    answer = console.get(LIST, {"q": text})
    assert "Anna" not in answer.content.decode()


def test_search_shows_so_many_and_says_that_there_are_more(console: Client) -> None:
    for number in range(120):
        factories.make_profile(last_name=f"Berg{number}", email=None)
    answer = console.get(LIST, {"q": "berg"})
    assert len(answer.context["found"].profiles) == 100
    assert "There are more" in answer.content.decode()


def test_erased_person_is_not_found(console: Client, anna: Profile) -> None:
    anna.erased_at = timezone.now()
    anna.save()
    assert not console.get(LIST, {"q": "anna"}).context["found"].profiles


def test_newest_are_listed_without_a_question(console: Client, anna: Profile) -> None:
    newer = factories.make_profile()
    assert console.get(LIST).context["page"].rows == [newer, anna]


def test_list_is_few_queries(
    console: Client, django_assert_max_num_queries: object
) -> None:
    for _number in range(60):
        factories.make_profile()
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        console.get(LIST)
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        console.get(LIST, {"q": "P-"})


def test_page_shows_addresses_with_their_state(console: Client, anna: Profile) -> None:
    factories.make_quarantined_address(value="anna@example.com")
    lines = console.get(f"{LIST}{anna.pk}/").context["lines"]
    states = [
        (line.address.channel, line.known and line.known.status) for line in lines
    ]
    assert states == [(Channel.EMAIL, Status.QUARANTINE), (Channel.SMS, None)]


def test_page_names_and_links_others_with_the_address(
    console: Client, anna: Profile
) -> None:
    other = factories.make_profile(
        external_id="CRM-8", first_name="Ann", email="Anna@example.com"
    )
    page = console.get(f"{LIST}{anna.pk}/").content.decode()
    assert f'<a href="{LIST}{other.pk}/">Ann</a>' in page


def test_history_is_one_timeline_newest_first(console: Client, anna: Profile) -> None:
    preferences.opt_out(
        anna,
        Channel.SMS,
        by="bo",
        source=ConsentSource.OPERATOR,
        reason="asked_by_phone",
        note="Rang on Monday",
    )
    console.post(f"{LIST}{anna.pk}/quarantine/", {"quarantine-note": "Moved"})
    history = console.get(f"{LIST}{anna.pk}/").context["timeline"].entries
    assert [entry.what for entry in history][-4:] == [
        "Opted out: SMS",
        "Address added",
        "Address added",
        "Profile created",
    ]
    assert history[-4].details == ["Operator", "bo", "The person asked by telephone"]
    assert history[-4].note == "Rang on Monday"
    assert {entry.note for entry in history[:2]} == {"Moved"}


def test_all_addresses_are_quarantined_in_one_action(
    console: Client, anna: Profile
) -> None:
    answer = console.post(
        f"{LIST}{anna.pk}/quarantine/", {"quarantine-note": "Moved"}, follow=True
    )
    assert "2 addresses are in quarantine now." in answer.content.decode()
    rows = QuarantinedAddress.objects.all()
    assert {row.status for row in rows} == {Status.QUARANTINE}


def test_quarantine_of_all_asks_for_a_reason(console: Client, anna: Profile) -> None:
    answer = console.post(f"{LIST}{anna.pk}/quarantine/", {"quarantine-note": " "})
    assert "Nothing was quarantined: write why" in answer.content.decode()
    assert not QuarantinedAddress.objects.exists()


def test_erasing_needs_the_typed_confirmation(console: Client, anna: Profile) -> None:
    answer = console.post(
        f"{LIST}{anna.pk}/erase/",
        {"erase-reason": "Letter 5", "erase-confirmation": "crm-7"},
    )
    assert "Nothing was erased: this is not CRM-7." in answer.content.decode()
    anna.refresh_from_db()
    assert anna.erased_at is None


def test_person_is_erased_and_the_page_says_so(console: Client, anna: Profile) -> None:
    answer = console.post(
        f"{LIST}{anna.pk}/erase/",
        {"erase-reason": "Letter 5", "erase-confirmation": "CRM-7"},
        follow=True,
    )
    page = answer.content.decode()
    assert "This person was erased on" in page
    assert "anna@example.com" not in page
    assert 'name="boxes-channels"' not in page


@pytest.mark.parametrize(
    ("action", "right"),
    [("quarantine", "add_quarantinedaddress"), ("erase", "erase_profile")],
)
def test_action_needs_its_right(
    client: Client, operator: User, anna: Profile, action: str, right: str
) -> None:
    operator.user_permissions.remove(Permission.objects.get(codename=right))
    client.force_login(operator)
    assert client.post(f"{LIST}{anna.pk}/{action}/").status_code == 403
    assert (
        f"{LIST}{anna.pk}/{action}/"
        not in client.get(f"{LIST}{anna.pk}/").content.decode()
    )


@pytest.mark.parametrize(
    ("action", "right"),
    [("quarantine", "add_quarantinedaddress"), ("erase", "erase_profile")],
)
def test_action_alone_shows_nobody(
    client: Client, onlooker: User, anna: Profile, action: str, right: str
) -> None:
    onlooker.user_permissions.add(Permission.objects.get(codename=right))
    client.force_login(onlooker)
    assert client.post(f"{LIST}{anna.pk}/{action}/").status_code == 403


def test_viewer_sees_the_flags_but_no_boxes(
    client: Client, onlooker: User, opted_out_profile: Profile
) -> None:
    onlooker.user_permissions.add(Permission.objects.get(codename="view_profile"))
    client.force_login(onlooker)
    page = client.get(f"{LIST}{opted_out_profile.pk}/").content.decode()
    assert "Every channel" in page
    assert 'name="boxes-channels"' not in page


def test_panel_explains_a_delivery(console: Client, opted_out_profile: Profile) -> None:
    delivery = factories.make_delivery(label="Spring")
    answer = console.get(f"{LIST}{opted_out_profile.pk}/", {"delivery": delivery.pk})
    page = answer.content.decode()
    assert "Delivery “Spring” would not reach this person" in page
    assert answer.context["explanation"].delivery == delivery


def test_unknown_delivery_is_told_at_the_field(console: Client, anna: Profile) -> None:
    answer = console.get(f"{LIST}{anna.pk}/", {"delivery": "999"})
    assert "Select a valid choice" in answer.content.decode()


def test_page_is_few_queries(
    console: Client, anna: Profile, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        factories.make_address(
            profile=anna, value=f"old{number}@example.com", is_preferred=False
        )
        factories.make_profile(email="anna@example.com")
    preferences.opt_out(anna, 0, by="bo", source=ConsentSource.OPERATOR, note="Rang")
    console.post(f"{LIST}{anna.pk}/quarantine/", {"quarantine-note": "Moved"})
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        console.get(f"{LIST}{anna.pk}/")
