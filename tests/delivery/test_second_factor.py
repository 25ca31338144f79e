"""The second factor at sign-in, as a person meets it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from delivery.models import ConsoleAction, RecoveryCode

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
VERIFY = "/console/account/second-factor/"
SET_UP = "/console/account/second-factor/set-up/"


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def code_now(device: TOTPDevice) -> str:
    """Give what the telephone shows."""
    totp = TOTP(device.bin_key)
    totp.time = datetime.now(UTC).timestamp()
    return f"{totp.token():06}"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def codes(operator: User, clock) -> list[str]:
    """Set the second factor of the operator up; gives the recovery codes."""
    client = signed_in(operator)
    client.get(SET_UP)
    page = client.post(SET_UP, {"code": code_now(TOTPDevice.objects.get())})
    clock.shift(timedelta(minutes=1))
    return re.findall(r'class="code">([a-z2-7-]{19})<', page.text)


def test_secret_is_shown_as_a_picture_without_style(operator: User) -> None:
    page = signed_in(operator).get(SET_UP)
    assert "<svg" in page.text
    assert "style=" not in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_setting_up_needs_a_right_code_and_gives_ten_recovery_codes(
    operator: User, codes: list[str]
) -> None:
    assert len(set(codes)) == 10
    assert TOTPDevice.objects.get().confirmed
    kept = RecoveryCode.objects.values_list("hash", flat=True)
    assert not any(code.replace("-", "") in hash for code in codes for hash in kept)


def test_wrong_first_code_turns_nothing_on(operator: User) -> None:
    page = signed_in(operator).post(SET_UP, {"code": "000000"})
    assert "The code is not right." in page.text
    assert not TOTPDevice.objects.get().confirmed


def test_nothing_answers_before_the_code(operator: User, codes: list[str]) -> None:
    client = signed_in(operator)
    for path in ("/console/", "/console/profiles/", "/console/admin/", SET_UP):
        answer = client.get(path)
        assert answer.headers["Location"].startswith(f"{VERIFY}?next=")
        assert client.post(path).headers["Location"] == VERIFY
    page = client.get(VERIFY).text
    assert 'aria-label="Main"' not in page


def test_code_of_the_telephone_opens_the_page_that_was_asked_for(
    operator: User, codes: list[str]
) -> None:
    client = signed_in(operator)
    code = code_now(TOTPDevice.objects.get())
    answer = client.post(f"{VERIFY}?next=/console/profiles/", {"code": code})
    assert answer.headers["Location"] == "/console/profiles/"
    assert client.get("/console/profiles/").status_code == 200


@pytest.mark.parametrize(
    "url", ["https://evil.example/console/", "//evil.example", "/u/x", "javascript:x"]
)
def test_code_never_leads_elsewhere(operator: User, codes: list[str], url: str) -> None:
    code = code_now(TOTPDevice.objects.get())
    answer = signed_in(operator).post(f"{VERIFY}?next={url}", {"code": code})
    assert answer.headers["Location"] == "/console/"


def test_code_is_good_once(operator: User, codes: list[str]) -> None:
    code = code_now(TOTPDevice.objects.get())
    assert signed_in(operator).post(VERIFY, {"code": code}).status_code == 302
    assert signed_in(operator).post(VERIFY, {"code": code}).status_code == 200


def test_recovery_code_is_good_once_in_any_writing(
    operator: User, codes: list[str]
) -> None:
    client = signed_in(operator)
    assert client.post(VERIFY, {"code": codes[0].upper()}).status_code == 302
    assert client.get("/console/").status_code == 200
    again = signed_in(operator).post(VERIFY, {"code": codes[0]})
    assert "The code is not right." in again.text
    assert RecoveryCode.objects.filter(used_at__isnull=False).count() == 1


def test_recovery_code_of_somebody_else_is_not_good(
    operator: User, onlooker: User, codes: list[str]
) -> None:
    TOTPDevice.objects.create(user=onlooker, name="x", confirmed=True)
    answer = signed_in(onlooker).post(VERIFY, {"code": codes[0]})
    assert answer.status_code == 200


def test_wrong_codes_make_even_the_right_one_wait(
    operator: User, codes: list[str], clock
) -> None:
    client = signed_in(operator)
    for _ in range(6):
        client.post(VERIFY, {"code": "000000"})
        clock.shift(timedelta(seconds=40))
    device = TOTPDevice.objects.get()
    device.throttling_failure_count = 9
    device.throttling_failure_timestamp = datetime.now(UTC)
    device.save()
    page = client.post(VERIFY, {"code": code_now(device)})
    assert "there were several wrong ones. Try again after 12:" in page.text

    clock.shift(timedelta(minutes=5))
    assert client.post(VERIFY, {"code": code_now(device)}).status_code == 302


@override_settings(SECOND_FACTOR="required")
def test_required_factor_is_set_up_before_anything_else(operator: User, clock) -> None:
    client = signed_in(operator)
    answer = client.get("/console/profiles/")
    assert answer.headers["Location"].startswith(f"{SET_UP}?next=")
    client.get(SET_UP)
    client.post(SET_UP, {"code": code_now(TOTPDevice.objects.get())})
    assert client.get("/console/profiles/").status_code == 200

    page = client.post("/console/account/second-factor/off/", follow=True)
    assert "requires a second factor" in page.text
    assert TOTPDevice.objects.exists()


def test_factor_is_turned_off_where_it_is_optional(
    operator: User, codes: list[str]
) -> None:
    client = signed_in(operator)
    client.post(VERIFY, {"code": codes[0]})
    client.post("/console/account/second-factor/off/")
    assert not TOTPDevice.objects.exists()
    assert not RecoveryCode.objects.exists()


def test_new_recovery_codes_replace_the_old(operator: User, codes: list[str]) -> None:
    client = signed_in(operator)
    client.post(VERIFY, {"code": codes[0]})
    page = client.post("/console/account/recovery-codes/")
    assert RecoveryCode.objects.count() == 10
    assert codes[1] not in page.text
    assert signed_in(operator).post(VERIFY, {"code": codes[1]}).status_code == 200
    done = ConsoleAction.objects.get(action="recovery_codes")
    assert done.outcome == "done"


def test_administrator_takes_a_lost_factor_away(
    operator: User, codes: list[str]
) -> None:
    chief = signed_in(User.objects.create_superuser("chief", password="x"))
    chief.post(
        "/console/admin/auth/user/",
        {"action": "take_second_factor", "_selected_action": operator.pk},
    )
    assert not TOTPDevice.objects.exists()
    assert signed_in(operator).get("/console/").status_code == 200
    row = ConsoleAction.objects.get(action="admin:auth_user_changelist")
    assert row.about == {"step": "second_factor_reset", "accounts": [operator.pk]}


def test_secrets_are_not_in_the_records(db: None) -> None:
    chief = signed_in(User.objects.create_superuser("chief", password="x"))
    assert chief.get("/console/admin/otp_totp/totpdevice/").status_code == 404


def test_password_is_changed_by_its_owner(operator: User) -> None:
    client = signed_in(operator)
    new = "another-long-passphrase"
    client.post(
        "/console/account/password/",
        {
            "old_password": "a-long-passphrase",
            "new_password1": new,
            "new_password2": new,
        },
    )
    operator.refresh_from_db()
    assert operator.check_password(new)
    assert client.get("/console/").status_code == 200
