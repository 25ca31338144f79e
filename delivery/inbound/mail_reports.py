"""Reading one mail that came in: what it is, whose it is, and what follows.

In this order:
1. mail to an unsubscribe address stops, whatever it says;
2. a complaint denylists, an opt-out report stops: found by what it quotes of us;
3. a bounce counts, by the address that it came to;
4. an automatic reply does nothing;
5. what a person wrote stops when it unmistakably says so, else a person reads it.

Nothing here ever answers: what comes in may be forged, or answer us in turn.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from delivery.channels.outcomes import cleaned
from delivery.inbound import consequences, feedback, identity, reading, results
from delivery.inbound.identity import Found, Reported
from delivery.inbound.reading import Kind, ReadMail, Recipient
from delivery.inbound.results import Result
from delivery.models import Inbound, InboundState
from optout import keywords
from optout.keywords import MailAnswer
from optout.mail_tokens import MailLink, MailPurpose
from optout.models.ledger import ConsentSource
from profiles.addresses import parse
from profiles.channels import Channel

_REPORTS = frozenset({Kind.BOUNCE, Kind.DELAYED, Kind.DELIVERED})


def read(inbound: Inbound, *, now: datetime) -> Result:
    """Read a stored mail, and do what follows from it."""
    mail = reading.read(bytes(inbound.raw or b""))
    recipients = [inbound.recipient, *mail.arrived_at]
    unsubscribes = identity.find(recipients, MailPurpose.MAILTO)
    if unsubscribes.link is not None:
        return _stop(unsubscribes.link, "opt_out", now=now)
    if mail.kind == Kind.COMPLAINT:
        return _complaint(mail, inbound, now=now)
    if mail.kind in _REPORTS:
        found = identity.find(recipients, MailPurpose.VERP)
        return _report(mail, found, inbound, now=now)
    if unsubscribes.is_forged:
        return results.of_stranger(unsubscribes, "opt_out")
    if mail.kind == Kind.AUTO_REPLY:
        return Result(InboundState.RECORDED, "auto_reply")
    if not mail.is_human_reply:
        return Result(InboundState.RECORDED, "other")
    return _reply(mail, recipients, now=now)


def _report(mail: ReadMail, found: Found, inbound: Inbound, *, now: datetime) -> Result:
    """Follow a report on the delivery of a message, which came to its sender."""
    if found.link is None:
        return results.of_stranger(found, mail.kind)
    reported = identity.reported(found.link)
    if reported is None:
        return _of_nothing(found.link, mail.kind)
    if mail.kind == Kind.DELAYED:
        return results.of_message(reported, mail.kind, has_changed=False)
    if not reported.is_fresh(now):
        return _too_late(reported, mail.kind)
    at = inbound.received_at
    if mail.kind == Kind.DELIVERED:
        has_changed = consequences.delivered(
            reported, now=now, happened_at=at, inbound=inbound
        )
        return results.of_message(reported, mail.kind, has_changed=has_changed)
    return _bounce(mail, reported, inbound, now=now)


def _bounce(
    mail: ReadMail, reported: Reported, inbound: Inbound, *, now: datetime
) -> Result:
    if not mail.recipients:
        return results.unclear(
            results.of_message(reported, mail.kind, has_changed=False)
        )
    block = _block_of(mail, reported)
    has_changed = consequences.bounced(
        reported,
        block.qualification,
        now=now,
        happened_at=inbound.received_at,
        note=cleaned(block.diagnostic or block.reply),
        inbound=inbound,
    )
    note = _("%(verdict)s: %(reason)s") % {
        "verdict": block.qualification.verdict.label,
        "reason": block.qualification.reason.label,
    }
    result = results.of_message(
        reported, mail.kind, has_changed=has_changed, note=f"{note}."
    )
    return results.unclear(result) if block.qualification.needs_review else result


def _block_of(mail: ReadMail, reported: Reported) -> Recipient:
    """Give what is said of our recipient; of one it was forwarded to, if need be.

    Of several that are none of them the first counts: the address that is affected is
    known by the token in any case.
    """
    for block in mail.recipients:
        for name in filter(None, (block.original, block.recipient)):
            if parse(Channel.EMAIL, name).digest == reported.address.digest:
                return block
    return mail.recipients[0]


def _complaint(mail: ReadMail, inbound: Inbound, *, now: datetime) -> Result:
    """Follow a feedback report (RFC 5965): what it quotes of us says whose it is."""
    meaning = feedback.meaning_of(mail.feedback_type)
    found = _quoted(mail, now=now)
    if found.link is None:
        return results.of_stranger(found, meaning)
    if not mail.is_whole:
        return _to_be_looked_at(found.link, meaning)
    if meaning == "opt_out":
        return _stop(found.link, meaning, now=now)
    reported = identity.reported(found.link)
    if reported is None:
        return _of_nothing(found.link, meaning)
    if meaning != "complaint":
        return results.of_message(reported, meaning, has_changed=False)
    # However late: who complains wants no more mail (RFC 6650 section 5).
    has_changed = consequences.complained(
        reported, now=now, note=mail.feedback_type, inbound=inbound
    )
    return results.of_message(reported, meaning, has_changed=has_changed)


def _quoted(mail: ReadMail, *, now: datetime) -> Found:
    """Find a token of ours in the headers of the returned message, then in the report.

    Its envelope sender and its links to unsubscribe; the body quotes anybody.
    """
    names = ("return-path", "list-unsubscribe")
    texts = [value for name in names for value in mail.returned.get(name, [])]
    found = [
        identity.find(texts, MailPurpose.VERP),
        identity.find_link(texts, now=now),
        identity.find(texts, MailPurpose.MAILTO),
    ]
    authentic = next((each for each in found if each.link is not None), None)
    return authentic or Found(is_forged=any(each.is_forged for each in found))


def _reply(mail: ReadMail, recipients: list[str], *, now: datetime) -> Result:
    """Follow what a person wrote: to stop is to be obeyed, the rest is for people."""
    answer = keywords.read_mail(mail.subject, mail.body)
    if answer == MailAnswer.NOTHING:
        return Result(InboundState.RECORDED, "reply")
    link = identity.find(recipients, MailPurpose.VERP).link
    link = link or identity.link_of_message(mail.answers_to)
    if answer == MailAnswer.ACT and link is not None:
        return _stop(link, "stop", now=now)
    return Result(
        InboundState.TRIAGE,
        "stop",
        _("Somebody seems to ask that messages stop. Read it, and see who it is."),
        delivery_id=(link.delivery_id or None) if link else None,
        profile_id=link.profile_id if link else None,
        is_suspected_stop=True,
    )


def _stop(link: MailLink, meaning: str, *, now: datetime) -> Result:
    has_changed = consequences.stopped(link, source=ConsentSource.MAILTO, now=now)
    return Result(
        InboundState.APPLIED if has_changed else InboundState.RECORDED,
        meaning,
        delivery_id=link.delivery_id or None,
        profile_id=link.profile_id,
    )


def _to_be_looked_at(link: MailLink, meaning: str) -> Result:
    return Result(
        InboundState.TRIAGE,
        meaning,
        _("It is damaged, or contradicts itself: see what it means."),
        delivery_id=link.delivery_id or None,
        profile_id=link.profile_id,
        is_suspected_stop=True,
    )


def _of_nothing(link: MailLink, meaning: str) -> Result:
    return Result(
        InboundState.RECORDED,
        meaning,
        _("No message of it was ever sent."),
        delivery_id=link.delivery_id or None,
        profile_id=link.profile_id,
    )


def _too_late(reported: Reported, meaning: str) -> Result:
    return results.of_message(
        reported, meaning, has_changed=False, note=_("Too late to have an effect.")
    )
