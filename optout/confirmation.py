"""Double opt-in: who types an address asks, who owns the mailbox answers.

1. `signing_up.ask` keeps what was typed as a sign-up and has a mail sent.
2. `confirm` subscribes, once, within 72 hours, unless the person opted out meanwhile:
   the link of an old mail is dead then (promise 7). Until then no profile is touched.
3. `refuse` forgets the sign-up and asks that mailbox never again.

Both steps are kept as evidence: when it was asked for, where, what was read, which
mail, when it was confirmed (BGH I ZR 164/09; OLG Munich 29 U 1682/12).
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import Enum
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from optout import limiting, page_submission, subscriptions, tokens
from optout.models import (
    ConsentEvent,
    LandingPageVersion,
    Service,
    SignUp,
    SignUpMailbox,
)
from optout.models.ledger import ConsentSource, Direction
from optout.page_content import OnSeveral
from optout.planned_changes import reconciled
from optout.tokens import Link, Purpose
from profiles import adding
from profiles.addresses import ParsedAddress, digest, parse
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Profile
from quarantine.models import QuarantinedAddress
from quarantine.reasons import EXCLUDING, Status

ASK_EVERY: Final = timedelta(hours=24)
LIFETIME: Final = tokens.LIFETIMES[Purpose.CONFIRMATION]
# What a page may write of a new person.
FIELDS: Final = frozenset(
    {"first_name", "last_name", "language", "country", "postcode", "city"}
)


class Outcome(Enum):
    """What became of pressing the button in a confirmation."""

    CONFIRMED = "confirmed"
    ALREADY = "already"
    OVERTAKEN = "overtaken"
    SEVERAL = "several"
    GONE = "gone"


def mailbox_of(address: ParsedAddress) -> UUID:
    """Give the key of a mailbox: one for all the spellings that may be one person's."""
    return digest(Channel.EMAIL, limiting.mailbox_of(address.canonical))


def url_of(sign_up: SignUp) -> str:
    """Give the address of the page that asks the owner of the mailbox."""
    # A sign-up is no profile yet: its own id stands in the place of one.
    link = Link(sign_up.pk, Channel.EMAIL, sign_up.requested_at, digest=sign_up.digest)
    token = tokens.make(link, Purpose.CONFIRMATION)
    return f"{settings.PUBLIC_BASE_URL}{reverse('confirmation', args=[token])}"


def find(link: Link) -> SignUp | None:
    """Find the sign-up that a confirmation link is about."""
    return _of(link).first()


def _of(link: Link) -> "QuerySet[SignUp]":
    if link.digest is None:
        return SignUp.objects.none()
    return SignUp.objects.filter(pk=link.profile_id, digest=link.digest)


def services_of(sign_up: SignUp) -> list[Service]:
    """List the services of a sign-up that are still there and open."""
    rows = Service.objects.filter(pk__in=sign_up.service_ids, is_open=True)
    return list(rows.prefetch_related("texts"))


def subjects_of(sign_up: SignUp) -> list[str]:
    """Say what a sign-up is for, in the language at hand; nothing when it is gone."""
    language = translation.get_language() or ""
    names = [each.public_name_in(language) for each in services_of(sign_up)]
    version = _version_of(sign_up)
    if names or version is None or sign_up.service_ids:
        return names
    return [version.read().texts_in(language).title]


def _version_of(sign_up: SignUp) -> LandingPageVersion | None:
    versions = LandingPageVersion.objects.select_related("page")
    return versions.filter(pk=sign_up.landing_page_version_id or 0).first()


def state_of(sign_up: SignUp) -> Outcome | None:
    """Say why a sign-up can no longer be confirmed; None when it can."""
    return _meant(sign_up)[0]


def _meant(sign_up: SignUp) -> tuple[Outcome | None, list[Profile]]:
    """Give what stands against a sign-up, else whom it is about; none: a new person.

    Of several who carry the address the page says who is meant; the product's own page
    of a service means the oldest.
    """
    if sign_up.confirmed_at is not None:
        return Outcome.ALREADY, []
    if not subjects_of(sign_up):
        return Outcome.GONE, []
    if _is_overtaken(sign_up):
        return Outcome.OVERTAKEN, []
    version = _version_of(sign_up)
    on_several = version.read().on_several if version else OnSeveral.OLDEST
    carriers = list(adding.carriers_of(sign_up.digest).values_list("pk", "created_at"))
    ids = reconciled(carriers, on_several)
    if carriers and not ids:
        return Outcome.SEVERAL, []
    profiles = Profile.objects.in_bulk(ids)
    return None, [profiles[each] for each in ids]


@transaction.atomic
def confirm(link: Link, *, now: datetime) -> tuple[Outcome, Profile | None]:
    """Do what was asked for on the page, now that the owner of the mailbox agrees."""
    sign_up = _of(link).select_for_update().first()
    if sign_up is None:
        return Outcome.GONE, None
    state, meant = _meant(sign_up)
    if state is not None:
        return state, None
    profile = _carry_out(sign_up, meant, now=now)
    # The ledger and its evidence say it all; what was typed is no longer needed.
    sign_up.confirmed_at, sign_up.address = now, ""
    sign_up.fields, sign_up.submission = {}, {}
    sign_up.save(update_fields=["confirmed_at", "address", "fields", "submission"])
    return Outcome.CONFIRMED, profile


def _carry_out(sign_up: SignUp, meant: list[Profile], *, now: datetime) -> Profile:
    """Write what was asked for, for whom the page means or for a new profile.

    Gives the first of them: the one whose choices the visitor is shown.
    """
    address = parse(Channel.EMAIL, sign_up.address)
    version = _version_of(sign_up)
    if version is None:
        fields = _fields_of(sign_up)
        profile = meant[0] if meant else adding.add(address, fields=fields, now=now)
        _subscribe(profile, sign_up, now=now)
        return profile
    submission = page_submission.from_json(sign_up.submission)
    note = _evidence(sign_up, now=now)

    def sent_by(profile_id: int) -> page_submission.Sent:
        link = Link(profile_id, Channel.EMAIL, sign_up.requested_at)
        return page_submission.Sent(
            version, submission, link, sign_up.language, now, note=note
        )

    if not meant:
        return page_submission.carry_out_as_new(address, sent_by(0))
    for profile in meant:
        page_submission.carry_out(profile, sent_by(profile.pk))
    return meant[0]


def _subscribe(profile: Profile, sign_up: SignUp, *, now: datetime) -> None:
    for service in services_of(sign_up):
        subscriptions.subscribe(
            profile,
            service,
            by="",
            source=ConsentSource.LANDING_PAGE,
            origin=sign_up.origin,
            note=_evidence(sign_up, now=now),
            language=sign_up.language,
            wording_hash=sign_up.wording_hash,
            landing_page_version_id=sign_up.landing_page_version_id,
            now=now,
        )


@transaction.atomic
def refuse(link: Link, *, now: datetime) -> None:
    """Forget a sign-up that was somebody else's, and never ask this mailbox again."""
    sign_up = find(link)
    if sign_up is None or sign_up.confirmed_at is not None:
        return
    mailbox = mailbox_of(parse(Channel.EMAIL, sign_up.address))
    SignUpMailbox.objects.filter(mailbox=mailbox).update(blocked_at=now)
    SignUp.objects.filter(digest=sign_up.digest, confirmed_at__isnull=True).delete()


def purge(*, now: datetime) -> int:
    """Delete sign-ups that can no longer be confirmed; gives how many.

    Mailboxes that were asked long ago are forgotten as well, but those that said no.
    """
    old = SignUp.objects.filter(requested_at__lt=now - LIFETIME)
    count, _rows = old.delete()
    SignUpMailbox.objects.filter(
        asked_at__lt=now - ASK_EVERY, blocked_at__isnull=True
    ).delete()
    return count


def claim_mail(sign_up_id: int, *, message_id: str, now: datetime) -> SignUp | None:
    """Give the sign-up whose mail is to be sent now, once; None when there is none.

    An address in quarantine is not written to.
    """
    sign_up = SignUp.objects.filter(pk=sign_up_id, mailed_at__isnull=True).first()
    if sign_up is None or _is_quarantined(sign_up, EXCLUDING):
        return None
    claimed = SignUp.objects.filter(pk=sign_up_id, mailed_at__isnull=True).update(
        mailed_at=now, message_id=message_id
    )
    return sign_up if claimed else None


def _fields_of(sign_up: SignUp) -> dict[str, str]:
    fields = {"language": sign_up.language} | sign_up.fields
    return {
        name: str(text)[: Profile._meta.get_field(name).max_length]  # type: ignore[union-attr]
        for name, text in fields.items()
        if name in FIELDS
    }


def _evidence(sign_up: SignUp, *, now: datetime) -> str:
    return _(
        "Asked for on %(asked)s by the page “%(page)s”, mail %(mail)s; confirmed from"
        " that mail on %(confirmed)s."
    ) % {
        "asked": sign_up.requested_at.isoformat(timespec="seconds"),
        "page": sign_up.origin,
        "mail": sign_up.message_id or "–",
        "confirmed": now.isoformat(timespec="seconds"),
    }


def _is_overtaken(sign_up: SignUp) -> bool:
    """Say whether the person opted out since, or complained about us."""
    owners = Profile.objects.filter(addresses__digest=sign_up.digest)
    of_them = Q(profile_id__in=owners.values("pk")) | Q(address_digest=sign_up.digest)
    scope = Q(channel__in=[ANY_CHANNEL, Channel.EMAIL]) | Q(
        service_id__in=sign_up.service_ids
    )
    is_stop = Q(of_them, scope, direction=Direction.OUT)
    # A merge may have brought any stop.
    is_merge = Q(other_profile_id__in=owners.values("pk"))
    stops = ConsentEvent.objects.filter(
        is_stop | is_merge, at__gte=sign_up.requested_at
    )
    return stops.exists() or _is_quarantined(sign_up, [Status.DENYLISTED])


def _is_quarantined(sign_up: SignUp, statuses: Collection[Status]) -> bool:
    rows = QuarantinedAddress.objects.filter(
        channel=Channel.EMAIL, digest=sign_up.digest, status__in=statuses
    )
    return rows.exists()
