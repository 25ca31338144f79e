"""Deliveries from the outside: find one, make one, make and analyse one."""

from datetime import datetime

from django.utils.translation import gettext as _

from delivery import analysis, audiences
from delivery.models import Analysis, Delivery
from delivery.watching import Progress
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
    label = label.strip()
    if not label or len(label) > 200 or "\0" in label:
        raise DeliveryError(_("A label has 1 to 200 characters. Give another one."))
    audience = audiences.everybody()
    delivery = Delivery.objects.create(
        label=label, channel=channel, audience=audience, created_at=now
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
