"""Taking what somebody sent from a landing page without a link of their own.

Whoever types an address has not shown that it is theirs (docs/decisions/0010). So a
way out mails the links of the address, and a way in asks its mailbox to confirm. A
page may do without that for people whom we do not know; what it answers is the same
for everybody.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from optout import asking, limiting, page_submission, signing_up
from optout.asking import Answer
from optout.models import LandingPageVersion, Service
from optout.models.pages import PageType
from optout.page_submission import Sent
from optout.planned_changes import Submission
from optout.tokens import Link
from profiles import adding
from profiles.addresses import ParsedAddress, parse
from profiles.channels import Channel

_STOPPING = frozenset({Channel.EMAIL, Channel.SMS})


@dataclass(frozen=True)
class Visit:
    """Who sends from where: the page, its language, the network."""

    version: LandingPageVersion
    language: str
    network: str
    now: datetime


def receive(submission: Submission, visit: Visit) -> Answer:
    """Take what a stranger sent; gives what they are told."""
    page = visit.version.page
    if page.is_way_out or page.type == PageType.PREFERENCES:
        return asking.ask(
            submission.address,
            network=visit.network,
            channels=_STOPPING,
            now=visit.now,
        )
    if not limiting.allow(limiting.REQUESTS_OF_NETWORK, visit.network, now=visit.now):
        return Answer.TOO_OFTEN
    address = parse(Channel.EMAIL, submission.address)
    if not address.is_deliverable:
        return Answer.NOT_AN_ADDRESS
    if visit.version.read().has_double_opt_in or not _take_at_once(
        address, submission, visit
    ):
        signing_up.ask(_request(submission, visit), now=visit.now)
    return Answer.TAKEN


@transaction.atomic
def _take_at_once(address: ParsedAddress, submission: Submission, visit: Visit) -> bool:
    """Write it for somebody whom we do not know; says whether that was so."""
    if adding.oldest_with(address) is not None:
        return False
    link = Link(0, Channel.EMAIL, visit.now)
    sent = Sent(visit.version, submission, link, visit.language, visit.now)
    page_submission.carry_out_as_new(address, sent)
    return True


def _request(submission: Submission, visit: Visit) -> signing_up.Request:
    content = visit.version.read()
    wanted = submission.services or frozenset(
        content.services if len(content.services) == 1 else ()
    )
    services = Service.objects.filter(pk__in=wanted & frozenset(content.services))
    return signing_up.Request(
        address=submission.address,
        services=list(services),
        language=visit.language,
        origin=str(visit.version.page)[:200],
        landing_page_version_id=visit.version.pk,
        wording_hash=visit.version.wording_hashes.get(visit.language, ""),
        submission=page_submission.as_json(submission),
    )
