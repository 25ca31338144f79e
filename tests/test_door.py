"""The door of the console: time, password again, and the trail of what was done."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction
from django.test import Client, override_settings

from delivery import audit_triggers
from delivery.models import ConsoleAction
from optout.models import OptOut
from profiles.models import Profile
from quarantine.models import BlockedDomain
from tests import factories

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 5, 4, 8, tzinfo=UTC)
PASSWORD = "a-long-passphrase"


@pytest.fixture
def console(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def last() -> ConsoleAction:
    return ConsoleAction.objects.latest("pk")


def test_half_an_hour_without_a_sign_of_life_signs_out(operator: User) -> None:
    client = Client()
    with time_machine.travel(MORNING, tick=False) as clock:
        client.force_login(operator)
        clock.shift(timedelta(minutes=29))
        assert client.get("/console/profiles/").status_code == 200
        clock.shift(timedelta(minutes=29))
        assert client.get("/console/profiles/").status_code == 200
        clock.shift(timedelta(minutes=30))
        answer = client.get("/console/profiles/?q=anna", follow=True)

    [(url, _status)] = answer.redirect_chain
    assert url == "/console/sign-in/?next=%2Fconsole%2Fprofiles%2F%3Fq%3Danna"
    assert "nothing was done for 30 minutes" in answer.text


def test_pages_that_ask_by_themselves_are_no_sign_of_life(operator: User) -> None:
    client, delivery = Client(), factories.make_delivery()
    poll = f"/console/deliveries/{delivery.pk}/progress/"
    with time_machine.travel(MORNING, tick=False) as clock:
        client.force_login(operator)
        clock.shift(timedelta(minutes=20))
        client.get(poll, headers={"HX-Request": "true"})
        clock.shift(timedelta(minutes=10))
        answer = client.get(poll, headers={"HX-Request": "true"})

    assert answer.headers["HX-Redirect"] == "/console/sign-in/"


def test_twelve_hours_are_the_longest_in_any_case(operator: User) -> None:
    client = Client()
    with time_machine.travel(MORNING, tick=False) as clock:
        client.force_login(operator)
        for _ in range(35):
            clock.shift(timedelta(minutes=20))
            assert client.get("/console/").status_code == 200
        clock.shift(timedelta(minutes=20))
        assert client.get("/console/").status_code == 302


def test_dangerous_act_takes_the_password_and_loses_nothing(operator: User) -> None:
    client, domain = Client(), factories.make_blocked_domain(domain="a.example")
    act = "/console/quarantine/domains/remove/"
    with time_machine.travel(MORNING, tick=False) as clock:
        client.force_login(operator)
        clock.shift(timedelta(minutes=10))
        asked = client.post(act, {"domain": domain.domain})
        assert "Your password, please" in asked.text
        assert '<input type="hidden" name="domain" value="a.example">' in asked.text
        assert (last().action, last().outcome) == ("unblock_domain", "refused")
        assert BlockedDomain.objects.count() == 1

        wrong = client.post(act, {"domain": "a.example", "identity_password": "no"})
        assert "The password is not right." in wrong.text
        assert 'value="a.example"' in wrong.text
        assert BlockedDomain.objects.count() == 1

        done = {"domain": "a.example", "identity_password": PASSWORD}
        assert client.post(act, done).status_code == 302
        assert not BlockedDomain.objects.exists()
        assert (last().action, last().outcome) == ("unblock_domain", "done")

        factories.make_blocked_domain(domain="b.example")
        clock.shift(timedelta(minutes=9))
        client.post(act, {"domain": "b.example"})
        assert not BlockedDomain.objects.exists()


def test_what_was_typed_is_erased_with_after_the_password(operator: User) -> None:
    client, profile = Client(), factories.make_profile(external_id="P-1")
    act = f"/console/profiles/{profile.pk}/erase/"
    form = {"erase-reason": "Letter <Skåne>", "erase-confirmation": "P-1"}
    with time_machine.travel(MORNING, tick=False) as clock:
        client.force_login(operator)
        clock.shift(timedelta(minutes=11))
        asked = client.post(act, form)
        carried = dict(asked.context["carried"])
        assert carried == form
        client.post(act, carried | {"identity_password": PASSWORD})

    assert Profile.objects.get().erased_at is not None
    assert "Skåne" not in str(ConsoleAction.objects.values_list())


def test_export_takes_the_password_and_leads_to_the_file(operator: User) -> None:
    client, profile = Client(), factories.make_profile()
    file = f"/console/profiles/{profile.pk}/proof.csv"
    with time_machine.travel(MORNING, tick=False) as clock:
        client.force_login(operator)
        clock.shift(timedelta(minutes=10))
        asked = client.get(file)
        assert 'name="identity_look"' in asked.text
        thanks = client.post(
            file, {"identity_look": "1", "identity_password": PASSWORD}
        )
        assert f'href="{file}"' in thanks.text
        assert client.get(file).headers["Content-Type"].startswith("text/csv")


def test_ten_wrong_passwords_at_the_door_lock_as_at_sign_in(operator: User) -> None:
    client = Client()
    client.force_login(operator)
    for _ in range(10):
        answer = client.post(
            "/console/quarantine/domains/remove/", {"identity_password": "no"}
        )
    assert answer.status_code == 429
    assert "Sign-in is locked" in answer.text


def test_row_says_who_did_what_about_whom(console: Client, operator: User) -> None:
    profile = factories.make_profile(email="anna@example.com")
    console.post(
        f"/console/opt-outs/{profile.pk}/",
        {"boxes-channels": "0", "boxes-scope": "profile"},
        headers={"X-Forwarded-For": "203.0.113.9"},
        REMOTE_ADDR="198.51.100.77",
    )
    assert OptOut.objects.count() == 1
    row = last()
    assert (row.actor, row.actor_id) == ("operator", operator.pk)
    assert (row.action, row.outcome, row.about) == (
        *("opt_outs", "done"),
        {"profile_id": profile.pk},
    )
    assert row.network == "198.51.100.0/24"


def test_refusal_by_a_message_is_no_deed(console: Client) -> None:
    delivery = factories.make_delivery()
    console.post(f"/console/deliveries/{delivery.pk}/acts/pause/")
    assert (last().action, last().outcome) == ("delivery_act:pause", "refused")


def test_missing_right_is_recorded(client: Client, onlooker: User) -> None:
    client.force_login(onlooker)
    client.post("/console/quarantine/domains/remove/", {"domain": "a.example"})
    assert (last().actor, last().outcome) == ("onlooker", "denied")


def test_export_is_recorded_before_it_leaves_and_counted(console: Client) -> None:
    for _ in range(3):
        factories.make_profile()
    delivery = factories.make_analysed_delivery()
    answer = console.get(f"/console/deliveries/{delivery.pk}/log.csv")
    assert (last().action, last().outcome) == ("delivery_log_csv", "begun")

    content = b"".join(answer.streaming_content)

    assert (last().outcome, last().counts) == (
        "done",
        {"rows": 3, "bytes": len(content)},
    )


def test_export_that_breaks_off_is_recorded_as_failed(console: Client) -> None:
    factories.make_profile()
    delivery = factories.make_analysed_delivery()
    answer = console.get(f"/console/deliveries/{delivery.pk}/log.csv")
    next(iter(answer.streaming_content))
    # As close() does, but for the connection, which belongs to the test.
    for close in answer._resource_closers:
        close()
    assert last().outcome == "failed"


def test_page_with_full_addresses_leaves_one_row(console: Client) -> None:
    for _ in range(3):
        factories.make_profile()
    console.get("/console/profiles/")
    row = ConsoleAction.objects.get()
    assert (row.action, row.outcome, row.counts) == (
        *("profiles", "seen"),
        {"addresses": 3},
    )


def test_sign_in_and_sign_out_are_recorded(client: Client, operator: User) -> None:
    client.post("/console/sign-in/", {"username": "operator", "password": PASSWORD})
    client.post("/console/sign-out/")
    rows = ConsoleAction.objects.order_by("pk")
    assert list(rows.values_list("action", "actor", "outcome")) == [
        ("sign_in", "operator", "done"),
        ("sign_out", "operator", "done"),
    ]


def test_trail_is_read_filtered_and_downloaded(console: Client) -> None:
    console.post("/console/quarantine/domains/", {"domain": "a.example"})
    console.post("/console/quarantine/domains/remove/", {"domain": "a.example"})
    page = console.get("/console/account/actions/?action=unblock")
    assert "unblock_domain" in page.text
    assert "blocked_domains" not in page.text
    assert console.get("/console/account/actions/?since=x").status_code == 400

    file = console.get("/console/account/actions.csv?action=unblock")
    text = b"".join(file.streaming_content).decode()
    assert text.count("\r\n") == 2
    assert "a.example" not in text
    assert last().counts["rows"] == 1


def test_trail_cannot_be_changed_or_deleted(console: Client) -> None:
    console.post("/console/quarantine/domains/", {"domain": "a.example"})
    assert audit_triggers.TRAIL.missing() == []
    for statement in (
        "UPDATE delivery_consoleaction SET actor = 'x'",
        "DELETE FROM delivery_consoleaction",
    ):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_administrator_cannot_rise_above_the_role(client: Client) -> None:
    chief = User.objects.create_user("chief", password=PASSWORD, is_staff=True)
    chief.groups.add(Group.objects.get(name="administrator"))
    above = User.objects.create_superuser("above", password="x")
    client.force_login(chief)
    own = f"/console/admin/auth/user/{chief.pk}/change/"
    client.post(own, {"username": "chief", "is_superuser": "on", "groups": "5"})
    chief.refresh_from_db()
    assert not chief.is_superuser
    assert [group.name for group in chief.groups.all()] == ["administrator"]
    assert (
        client.post(f"/console/admin/auth/user/{above.pk}/change/").status_code == 403
    )
    shipped = Group.objects.get(name="viewer")
    page = f"/console/admin/auth/group/{shipped.pk}/change/"
    assert client.post(page, {"name": "viewer"}).status_code == 403


def test_administrator_lifts_the_lock_of_sign_in(operator: User) -> None:
    chief, locked = Client(), Client()
    chief.force_login(User.objects.create_superuser("above", password="x"))
    wrong = {"username": "operator", "password": "wrong"}
    for _ in range(10):
        locked.post("/console/sign-in/", wrong)
    right = {"username": "operator", "password": PASSWORD}
    assert locked.post("/console/sign-in/", right).status_code == 429

    chief.post(
        "/console/admin/auth/user/",
        {"action": "let_in_again", "_selected_action": operator.pk},
    )

    assert last().about == {"step": "lock_lifted", "accounts": [operator.pk]}
    assert locked.post("/console/sign-in/", right).status_code == 302


@override_settings(TRUSTED_PROXIES=1)
def test_lock_tells_places_apart_behind_a_proxy(operator: User) -> None:
    client = Client()
    wrong = {"username": "operator", "password": "wrong"}
    for _ in range(10):
        client.post(
            "/console/sign-in/", wrong, headers={"X-Forwarded-For": "203.0.113.9"}
        )
    right = {"username": "operator", "password": PASSWORD}
    answer = client.post(
        "/console/sign-in/", right, headers={"X-Forwarded-For": "192.0.2.4"}
    )
    assert answer.status_code == 302
