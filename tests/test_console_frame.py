"""The frame of the console: sign-in, rights, languages, error pages."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from profiles.models import Profile
from tests import factories

OPEN = {"sign_in", "sign_out", "set_language", "root"}
# Shows only what each operator may see, or is about their own account.
SIGNED_IN = {
    *("home", "account", "change_password", "help", "glossary"),
    *("second_factor", "second_factor_setup", "second_factor_off", "recovery_codes"),
}


def console_urls() -> Iterator[tuple[str, str]]:
    """List (name, path) of every door of the console but the records."""
    for prefix, pattern in walk("", get_resolver().url_patterns):
        if pattern.name and pattern.name not in OPEN | SIGNED_IN:
            yield pattern.name, prefix


def walk(
    prefix: str, patterns: list[URLPattern | URLResolver]
) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if not path.startswith("console/admin/"):
                yield from walk(path, pattern.url_patterns)
        else:
            yield path, pattern


DOORS = [
    pytest.param("/" + path.replace("<int:", "<"), id=name)
    for name, path in console_urls()
    if path.startswith("console/")
]


def filled(path: str) -> str:
    path = re.sub(r"<(\w+_id|number)>", "1", path)
    path = path.replace("<language>", "en").replace("<slug:act>", "pause")
    assert "<" not in path
    return path


@pytest.mark.parametrize("path", DOORS)
def test_door_sends_strangers_to_sign_in(client: Client, db: None, path: str) -> None:
    for answer in (client.get(filled(path)), client.post(filled(path))):
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/console/sign-in/")


@pytest.mark.parametrize("path", DOORS)
def test_door_is_closed_without_right(
    client: Client, onlooker: User, path: str
) -> None:
    client.force_login(onlooker)
    # Not there, or not by this method, is an answer too: where the right needed
    # depends on the row.
    assert client.get(filled(path)).status_code in {403, 404, 405}
    assert client.post(filled(path)).status_code in {403, 404, 405}


def test_operator_signs_in_and_sees_home(client: Client, operator: User) -> None:
    answer = client.post(
        "/console/sign-in/",
        {"username": "operator", "password": "a-long-passphrase"},
        follow=True,
    )
    assert answer.redirect_chain == [("/console/", 302)]
    assert "What needs you now" in answer.content.decode()


def test_wrong_password_is_told_at_the_form(client: Client, operator: User) -> None:
    answer = client.post(
        "/console/sign-in/", {"username": "operator", "password": "wrong"}
    )
    assert 'role="alert"' in answer.content.decode()


def test_ten_wrong_passwords_lock_the_sign_in(client: Client, operator: User) -> None:
    wrong = {"username": "operator", "password": "wrong"}
    for _attempt in range(10):
        answer = client.post("/console/sign-in/", wrong)
    assert answer.status_code == 429
    assert "Sign-in is locked" in answer.content.decode()


def test_sign_out_takes_a_post(client: Client, operator: User) -> None:
    client.force_login(operator)
    assert client.get("/console/sign-out/").status_code == 405
    assert client.post("/console/sign-out/").status_code == 302
    assert client.get("/console/").status_code == 302


def test_root_leads_to_the_console(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/console/"


def test_forms_need_the_csrf_token(operator: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)
    answer = client.post("/console/sign-out/")
    assert answer.status_code == 403
    assert "The form is too old" in answer.content.decode()


def test_language_is_switched_by_post(client: Client, operator: User) -> None:
    client.force_login(operator)
    client.post("/console/language/", {"language": "sv", "next": "/console/"})
    assert '<html lang="sv">' in client.get("/console/").content.decode()


def test_navigation_shows_only_what_may_be_opened(
    client: Client, onlooker: User
) -> None:
    client.force_login(onlooker)
    page = client.get("/console/").content.decode()
    assert 'aria-current="page">Home' in page
    assert "/console/profiles/" not in page
    assert "/console/quarantine/" not in page


def test_navigation_marks_the_open_section(client: Client, operator: User) -> None:
    client.force_login(operator)
    page = client.get("/console/quarantine/add/").content.decode()
    assert 'href="/console/quarantine/" aria-current="true"' in page


def test_navigation_is_grouped_and_shows_no_empty_group(
    client: Client, onlooker: User
) -> None:
    codes = ["view_service", "view_delivery"]
    onlooker.user_permissions.set(Permission.objects.filter(codename__in=codes))
    client.force_login(onlooker)
    sections = client.get("/console/").context["sections"]
    assert [(str(each.group), str(each.title)) for each in sections] == [
        ("", "Home"),
        ("Sending", "Deliveries"),
        ("Sending", "Reports"),
        ("Setting up", "Services"),
    ]


def test_records_carry_the_frame(client: Client, db: None) -> None:
    client.force_login(User.objects.create_superuser("chief", password="x"))
    page = client.get("/console/admin/auth/user/").content.decode()
    assert 'href="/console/admin/auth/user/" aria-current="page">Accounts' in page
    assert 'href="/console/profiles/">Profiles' in page
    assert "admin/js/theme.js" not in page


@pytest.mark.parametrize(
    "path", ["/console/", "/console/profiles/", "/console/quarantine/", "/nowhere"]
)
def test_page_has_one_heading_and_no_inline_code(
    client: Client, operator: User, path: str
) -> None:
    client.force_login(operator)
    answer = client.get(path)
    page = answer.content.decode()
    assert page.count("<h1") == 1
    assert "style=" not in page
    assert "<style" not in page
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert len(answer.content) < 100_000


def test_home_is_cheap(
    client: Client, operator: User, django_assert_max_num_queries: object
) -> None:
    for number in range(7):
        factories.make_delivery(label=f"Delivery {number}")
    client.force_login(operator)
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        page = client.get("/console/").content.decode()
    assert "Not analysed yet" in page


def test_home_counts_people_and_protections(
    client: Client,
    operator: User,
    opted_out_profile: object,
    quarantined_profile: object,
) -> None:
    client.force_login(operator)
    figures = client.get("/console/").context["figures"]
    assert (figures.profiles.number, figures.profiles.is_estimate) == (2, False)
    assert figures.opt_outs.number == 1
    assert figures.quarantined.number == 1


def test_fault_is_answered_in_the_frame(client: Client, operator: User) -> None:
    client.force_login(operator)
    answer = client.get("/console/profiles/999999999/")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def test_records_use_the_same_sign_in(client: Client, onlooker: User) -> None:
    answer = client.get("/console/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/console/sign-in/")
    client.force_login(onlooker)
    assert client.get("/console/admin/", follow=True).status_code == 403


def test_records_of_stories_are_read_only(
    client: Client, opted_out_profile: object
) -> None:
    administrator = User.objects.create_superuser("chief", password="x")
    client.force_login(administrator)
    for model in (
        "optout/optout",
        "optout/consentevent",
        "optout/consentevidence",
        "quarantine/quarantinedaddress",
        "quarantine/quarantineevent",
        "delivery/delivery",
    ):
        assert client.get(f"/console/admin/{model}/").status_code == 200
        assert client.get(f"/console/admin/{model}/add/").status_code == 403


def test_profile_is_edited_in_the_records_but_not_deleted(
    client: Client, opted_in_profile: object
) -> None:
    administrator = User.objects.create_superuser("chief", password="x")
    client.force_login(administrator)
    address = f"/console/admin/profiles/profile/{opted_in_profile.pk}/"  # type: ignore[attr-defined]
    assert client.get(address + "change/").status_code == 200
    assert client.post(address + "delete/").status_code == 403


def test_postal_address_is_not_edited_apart_from_its_digest(
    client: Client, opted_in_profile: Profile
) -> None:
    client.force_login(User.objects.create_superuser("chief", password="x"))
    page = f"/console/admin/profiles/profile/{opted_in_profile.pk}/change/"
    client.post(page, {"first_name": "Eva", "street": "Elsewhere 1"})
    opted_in_profile.refresh_from_db()
    assert opted_in_profile.street == ""
    assert 'name="street"' not in client.get(page).content.decode()


def test_home_tells_who_has_no_rights(client: Client, onlooker: User) -> None:
    client.force_login(onlooker)

    page = client.get("/console/").text

    assert "Your account has no rights yet." in page
    assert "All is as it should be" not in page
