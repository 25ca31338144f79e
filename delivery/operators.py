"""Accounts of the people who work in the console."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from delivery.roles import Role

OUR_APPS = ("profiles", "quarantine", "optout", "delivery")
PASSWORD_BYTES = 15


class OperatorError(ValueError):
    """An account that cannot be made."""


class OperatorExists(OperatorError):
    """There is an account of that name."""


@dataclass(frozen=True)
class NewOperator:
    username: str
    password: str = field(repr=False)


@transaction.atomic
def create(
    username: str, *, is_administrator: bool = False, roles: Collection[Role] = ()
) -> NewOperator:
    """Make an account with a password made for it, and the rights of its roles.

    Without a role it has every right of our apps; an administrator may also do all
    else. Raises OperatorExists when the name is taken and OperatorError when it
    cannot be a name.
    """
    check_can_create(username)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user = User.objects.create_user(
        username,
        password=password,
        # The records, where accounts are managed, open to staff only.
        is_staff=is_administrator or Role.ADMINISTRATOR in roles,
        is_superuser=is_administrator,
    )
    user.groups.set(Group.objects.filter(name__in=roles))
    if not roles:
        rights = Permission.objects.filter(content_type__app_label__in=OUR_APPS)
        user.user_permissions.set(rights)
    return NewOperator(username, password)


def check_can_create(username: str) -> None:
    """Raise OperatorError, with a sentence, unless the name is free and possible."""
    if User.objects.filter(username=username).exists():
        raise OperatorExists(
            _(
                "Operator ‘%(name)s’ exists. Set a new password with:"
                " .venv/bin/python manage.py changepassword %(name)s"
            )
            % {"name": username}
        )
    try:
        User(username=username).clean_fields(exclude=["password"])
    except ValidationError as error:
        raise OperatorError(
            _("‘%(name)s’ cannot be the name of an operator: %(reason)s")
            % {"name": username, "reason": " ".join(error.messages)}
        ) from error
