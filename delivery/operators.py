"""Accounts of the people who work in the console."""

import secrets
from dataclasses import dataclass, field

from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

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
def create(username: str, *, is_administrator: bool) -> NewOperator:
    """Make an account with every right of our apps and a password made for it.

    An administrator may also manage accounts. Raises OperatorExists when the name is
    taken and OperatorError when it cannot be a name.
    """
    check_can_create(username)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user = User.objects.create_user(
        username,
        password=password,
        is_staff=is_administrator,
        is_superuser=is_administrator,
    )
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label__in=OUR_APPS)
    )
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
