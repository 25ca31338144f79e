"""Deliveries from the outside: find one, make one, make and analyse one."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from delivery import analysis, audiences
from delivery.models import Analysis, Delivery, DeliveryContent
from delivery.watching import Progress
from optout.models import Brand, Service
from profiles.channels import Channel


class DeliveryError(Exception):
    """A delivery that is not there or cannot be made; the text is a sentence."""


def find(delivery_id: int) -> Delivery:
    """Find a delivery by its id. Raises DeliveryError when there is none."""
    delivery = Delivery.objects.filter(pk=delivery_id).first()
    if delivery is None:
        raise DeliveryError(
            _("There is no delivery %(id)s. The console lists those there are.")
            % {"id": delivery_id}
        )
    return delivery


@transaction.atomic
def create(
    label: str,
    channel: Channel,
    *,
    service_name: str = "",
    written: Mapping[str, Any],
    now: datetime,
) -> Delivery:
    """Make a delivery to everybody with its content; `written` are fields of that.

    Raises DeliveryError with a sentence, and then keeps nothing.
    """
    service = _service(service_name, channel) if service_name else None
    delivery = Delivery.objects.create(
        label=_checked_label(label),
        channel=channel,
        audience=audiences.everybody(),
        service=service,
        is_strict=is_strict_by_default(channel),
        created_at=now,
    )
    content = DeliveryContent(delivery=delivery, **written)
    content.brand = Brand.objects.filter(is_default=True).first()
    try:
        content.clean_fields(exclude=["delivery", "brand"])
    except ValidationError as error:
        name, sentences = next(iter(error.message_dict.items()))
        raise DeliveryError(f"{name}: {sentences[0]}") from error
    content.save()
    return delivery


def is_strict_by_default(channel: int) -> bool:
    """Say whether nothing of a channel may be on its way when a stop is answered.

    Texts are: a second one after STOP is an offence. SQLite cannot promise it.
    """
    return channel == Channel.SMS and connection.vendor == "postgresql"


def read_file(path: str | None) -> str:
    """Read what somebody wrote into a file, in UTF-8; nothing without a path.

    Raises DeliveryError with a sentence.
    """
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        why = error.strerror or type(error).__name__
    except UnicodeDecodeError:
        why = _("it is not in UTF-8. Save it so")
    raise DeliveryError(
        _("The file %(path)s cannot be read: %(why)s.") % {"path": path, "why": why}
    )


def _service(name: str, channel: Channel) -> Service:
    service = Service.objects.filter(name=name).first()
    if service is None:
        raise DeliveryError(
            _("There is no service “%(name)s”. The console lists those there are.")
            % {"name": name}
        )
    if service.channel != channel:
        raise DeliveryError(
            _("“%(service)s” goes out by %(channel)s. Choose that channel.")
            % {"service": service, "channel": service.get_channel_display()}
        )
    return service


def _checked_label(label: str) -> str:
    label = label.strip()
    if not label or len(label) > 200 or "\0" in label:
        raise DeliveryError(_("A label has 1 to 200 characters. Give another one."))
    return label


def create_and_analyse(
    label: str,
    channel: Channel,
    *,
    by: str,
    now: datetime,
    progress: Progress | None = None,
) -> Analysis:
    """Make a delivery to everybody and analyse it; keeps neither when that fails.

    Raises DeliveryError for a label that cannot be, and what analysis.prepare raises.
    """
    label = _checked_label(label)
    audience = audiences.everybody()
    delivery = Delivery.objects.create(
        label=label,
        channel=channel,
        audience=audience,
        is_strict=is_strict_by_default(channel),
        created_at=now,
    )
    is_complete = False
    try:
        run = analysis.prepare(delivery, by=by, now=now, progress=progress)
        is_complete = True
    finally:
        if not is_complete:
            delivery.delete()
            audience.delete()
    return run
