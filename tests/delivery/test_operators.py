import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db


def password_in(output: str) -> str:
    return output.split("Password: ")[1].split()[0]


def test_password_is_printed_once_and_opens_the_account(capsys):
    call_command("create_operator", "anna")

    account = User.objects.get(username="anna")
    assert account.check_password(password_in(capsys.readouterr().out))


def test_operator_has_every_right_of_our_apps_and_no_other():
    call_command("create_operator", "anna")

    account = User.objects.get(username="anna")
    assert account.has_perm("optout.lift_optout")
    assert account.has_perm("delivery.analyse_delivery")
    assert not account.has_perm("auth.add_user")
    assert not account.is_staff


def test_administrator_may_manage_accounts():
    call_command("create_operator", "anna", administrator=True)

    assert User.objects.get(username="anna").has_perm("auth.add_user")


def test_existing_operator_is_refused_with_the_cure():
    call_command("create_operator", "anna")

    with pytest.raises(CommandError, match="‘anna’ exists.*changepassword anna"):
        call_command("create_operator", "anna")


def test_existing_operator_is_left_alone_when_that_is_asked_for(capsys):
    call_command("create_operator", "anna")
    before = User.objects.get(username="anna").password
    capsys.readouterr()

    call_command("create_operator", "anna", if_missing=True)

    assert "Password: " not in capsys.readouterr().out
    assert User.objects.get(username="anna").password == before


def test_impossible_name_is_refused_with_its_reason():
    with pytest.raises(CommandError, match="‘a b’ cannot be the name of an operator"):
        call_command("create_operator", "a b")


def test_roles_are_groups_and_nothing_else(capsys):
    call_command("create_operator", "anna", roles=["viewer", "sender"])

    account = User.objects.get(username="anna")
    assert account.has_perm("delivery.confirm_delivery")
    assert not account.has_perm("delivery.change_delivery")
    assert not account.user_permissions.exists()
    assert not account.is_staff


def test_role_of_administrator_opens_the_records_but_no_data():
    call_command("create_operator", "anna", roles=["administrator"])

    account = User.objects.get(username="anna")
    assert (account.is_staff, account.is_superuser) == (True, False)
    assert account.has_perm("auth.change_user")
    assert not account.has_perm("profiles.view_profile")
