"""Brands as operators keep them; what published pages need of them stays."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from optout.models import Brand
from optout.page_publishing import PageError
from optout.page_states import PageState


@transaction.atomic
def save(brand: Brand, *, by: str, now: datetime) -> None:
    """Save a brand as it stands. Raises PageError where a page would break."""
    check_can_save(brand)
    brand.updated_at, brand.updated_by = now, by
    brand.save()


def check_can_save(brand: Brand) -> None:
    """Raise PageError for faint colours, or when a published page loses its address."""
    faults = brand.contrast_faults()
    if faults:
        raise PageError(" ".join(faults.values()))
    published = brand.pages.filter(state=PageState.PUBLISHED) if brand.pk else None
    if published and not brand.postal_address.strip():
        raise PageError(
            _(
                "Brand “%(brand)s” needs its postal address: published pages show it."
                " Close them first, or give them another brand."
            )
            % {"brand": brand}
        )
