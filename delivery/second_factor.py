"""The second factor at sign-in: a code of the telephone, or a recovery code.

The secret is a TOTP device of django-otp (RFC 6238), which also counts wrong codes and
makes whoever types them wait, twice as long each time. Recovery codes are ours: 80
random bits each, kept as hashes, each good once.
"""

import base64
import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

import django_otp
import segno
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from delivery.models import RecoveryCode

CODE_COUNT: Final = 10
_CODE_BYTES: Final = 10
_DIGITS: Final = 6
_STEP: Final = "second_factor_step"
# The next code of the telephone takes longer anyway.
_SHORT_WAIT: Final = timedelta(seconds=10)


class SecondFactorError(Exception):
    """A code that was not accepted; the text is a sentence."""


def missing_step(request: HttpRequest) -> str:
    """Name the page that stands between somebody and the console; empty: none."""
    if _STEP not in request.__dict__:
        request.__dict__[_STEP] = _step(request.user)
    return str(request.__dict__[_STEP])


def is_on(user: User) -> bool:
    """Say whether an account has a second factor."""
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def unused_codes(user: User) -> int:
    """Count the recovery codes that are left."""
    return user.recovery_codes.filter(used_at__isnull=True).count()


def pending(user: User) -> Any:
    """Give the secret that is being set up; the same one until it is confirmed."""
    name = user.get_username()[:64]
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    return device or TOTPDevice.objects.create(user=user, name=name, confirmed=False)


def set_up(request: HttpRequest, user: User, text: str, *, now: datetime) -> list[str]:
    """Turn the pending secret on when the code shows that the telephone has it.

    It replaces the one before. Gives fresh recovery codes. Raises SecondFactorError.
    """
    device = pending(user)
    _check(device, text, is_right=device.verify_token(_digits(text)))
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
        device.confirmed = True
        device.save()
        codes = make_recovery_codes(user, now=now)
    _pass(request, device)
    return codes


def verify(request: HttpRequest, user: User, text: str, *, now: datetime) -> None:
    """Let somebody in who types a code of the telephone or a recovery code.

    Raises SecondFactorError, with how long to wait after several wrong ones.
    """
    with transaction.atomic():
        devices = TOTPDevice.objects.select_for_update()
        device = devices.filter(user=user, confirmed=True).first()
        if device is None:
            return
        is_allowed, _why = device.verify_is_allowed()
        is_right = is_allowed and _is_right(device, text, now=now)
    _check(device, text, is_right=is_right)
    _pass(request, device)


def make_recovery_codes(user: User, *, now: datetime) -> list[str]:
    """Make recovery codes, to be shown once; those before are no longer good."""
    codes = [_code() for _number in range(CODE_COUNT)]
    with transaction.atomic():
        user.recovery_codes.all().delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(user=user, hash=_hash(user, code), created_at=now)
            for code in codes
        )
    return codes


@transaction.atomic
def reset(user: User) -> None:
    """Take the second factor and its recovery codes from an account."""
    TOTPDevice.objects.filter(user=user).delete()
    user.recovery_codes.all().delete()


def picture(device: Any) -> SafeString:
    """Draw the secret for the camera of a telephone; no style, as our policy wants."""
    drawn = segno.make(device.config_url, micro=False)
    # Only numbers of our own are in it.
    return mark_safe(drawn.svg_inline(scale=5, border=4, light="#fff", dark="#000"))


def secret_of(device: Any) -> str:
    """Write the secret for those who type it, in groups of four."""
    text = base64.b32encode(device.bin_key).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _step(user: User | AnonymousUser) -> str:
    # Given by the middleware of django-otp; before it ran, nobody has passed.
    is_verified = getattr(user, "is_verified", None)
    if not user.is_authenticated or (is_verified and is_verified()):
        return ""
    if is_on(user):
        return "second_factor"
    return "second_factor_setup" if settings.SECOND_FACTOR == "required" else ""


def _is_right(device: Any, text: str, *, now: datetime) -> bool:
    digits = _digits(text)
    if len(digits) == _DIGITS and len(text.strip()) < 2 * _DIGITS:
        return bool(device.verify_token(digits))
    # One statement: of two who type one code at once, one gets in.
    unused = RecoveryCode.objects.filter(
        user=device.user, hash=_hash(device.user, text), used_at__isnull=True
    )
    if unused.update(used_at=now):
        device.throttle_reset()
        return True
    device.throttle_increment()
    return False


def _check(device: Any, text: str, *, is_right: bool) -> None:
    if is_right:
        return
    is_allowed, why = device.verify_is_allowed()
    sentence = _("The code is not right. Wait for the next one and type that.")
    if not is_allowed and why["locked_until"] - timezone.now() > _SHORT_WAIT:
        sentence = _(
            "The code was not taken: there were several wrong ones. Try again after"
            " %(time)s (UTC)."
        ) % {"time": why["locked_until"].strftime("%H:%M:%S")}
    raise SecondFactorError(sentence)


def _pass(request: HttpRequest, device: Any) -> None:
    request.session.cycle_key()
    django_otp.login(request, device)
    request.__dict__.pop(_STEP, None)


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isascii() and letter.isdigit())


def _code() -> str:
    text = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _hash(user: User, code: str) -> str:
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(f"{user.pk}:{plain}".encode()).hexdigest()
