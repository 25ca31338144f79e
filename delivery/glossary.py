"""The words of the field that the console uses, each with what it means here.

Pages name them by `{% terms %}`; docs/glossary.md has more, for those who write code.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class UnknownTerm(LookupError):
    """A word that the glossary does not have."""


@dataclass(frozen=True)
class Term:
    """One word; `name` is its anchor on the page, the same in every language."""

    name: str
    word: Promise
    meaning: Promise


TERMS: Final = (
    Term(
        "allowlisted",
        _("allowlisted"),
        _(
            "Status of an address that bounces and blocked domains cannot hold back."
            " A complaint or STOP can."
        ),
    ),
    Term(
        "analysis",
        _("analysis"),
        _(
            "The run that decides for everybody in the target: to send, or excluded"
            " and why. It sends nothing and can be repeated."
        ),
    ),
    Term(
        "audience",
        _("audience"),
        _(
            "Whom a delivery is meant for: everybody, a list of external ids, or"
            " those who meet conditions."
        ),
    ),
    Term(
        "audit-trail",
        _("audit trail"),
        _(
            "Who did what in the console, when and about whom. Rows are added, never"
            " changed or removed."
        ),
    ),
    Term(
        "blocked-domain",
        _("blocked domain"),
        _(
            "A domain that no delivery writes to, nor to its sub-domains. An address"
            " there is called suppressed."
        ),
    ),
    Term(
        "bounce",
        _("bounce"),
        _(
            "What a mail server says when it could not deliver a message. Its error"
            " is hard, soft or ignored."
        ),
    ),
    Term(
        "burst",
        _("burst of opt-outs"),
        _(
            "Many opt-outs of one delivery within seconds, as programs make them that"
            " open every link. They hold until somebody decides."
        ),
    ),
    Term(
        "complaint",
        _("complaint"),
        _(
            "A person marked a message as unwanted in their mail program. The address"
            " is denylisted at once."
        ),
    ),
    Term(
        "confirm",
        pgettext_lazy("glossary", "confirm"),
        _(
            "To declare an analysed delivery ready. It takes a right of its own and"
            " the password; sending begins at the contact date."
        ),
    ),
    Term(
        "control-group",
        _("control group"),
        _("Profiles that are kept out of a delivery to measure its effect."),
    ),
    Term(
        "control-rule",
        _("control rule"),
        _(
            "A question asked of content, sender and links. An error keeps a delivery"
            " from being confirmed, a warning does not."
        ),
    ),
    Term(
        "delivery",
        pgettext_lazy("glossary", "delivery"),
        _("One message to one audience, on one channel."),
    ),
    Term(
        "denylisted",
        _("denylisted"),
        _(
            "Status of an address whose owner complained, answered STOP or was"
            " erased: never written to."
        ),
    ),
    Term(
        "double-opt-in",
        _("double opt-in"),
        _(
            "A mail asks the owner of the address to confirm before anything starts,"
            " so that nobody can sign up somebody else."
        ),
    ),
    Term(
        "erasure",
        _("erasure"),
        _(
            "Deleting what is known of a person, in a way that keeps them"
            " unreachable for ever."
        ),
    ),
    Term(
        "erroneous",
        _("erroneous"),
        _(
            "Status of an address with errors that are not enough for quarantine"
            " yet. It still gets messages."
        ),
    ),
    Term(
        "evidence",
        pgettext_lazy("glossary", "evidence"),
        _(
            "What shows that a person wanted a change: a date, a letter, a call. It"
            " is kept with the change and can be erased."
        ),
    ),
    Term(
        "exclusion",
        _("exclusion"),
        _(
            "Leaving somebody in the target out of a delivery, with its reason in the"
            " log. The first reason in the order of the rules is the one counted."
        ),
    ),
    Term(
        "extraction",
        _("extraction"),
        _(
            "The file of a delivery by phone, direct mail, fax or push, for whoever"
            " reaches the people."
        ),
    ),
    Term(
        "hard-bounce",
        _("hard bounce"),
        _(
            "The server says that it will never work, as for a mailbox that does not"
            " exist. The address goes to quarantine."
        ),
    ),
    Term(
        "ignored",
        pgettext_lazy("glossary", "ignored"),
        _(
            "Said of an answer that tells nothing about the address, such as an"
            " absence note or a fault on our side. It counts for nothing."
        ),
    ),
    Term(
        "incident",
        _("incident"),
        _(
            "Many addresses of one domain that failed together, mostly because their"
            " provider had trouble. They are released together."
        ),
    ),
    Term(
        "landing-page",
        _("landing page"),
        _(
            "A public page on which people change what they get. Links in our"
            " messages lead there."
        ),
    ),
    Term(
        "lane",
        pgettext_lazy("glossary", "lane"),
        _(
            "The mail to one recipient domain, while that domain asks us to slow down"
            " or its people complain. It waits; other mail does not."
        ),
    ),
    Term(
        "ledger",
        _("ledger"),
        _(
            "The list of every change of consent. Rows are added, never changed or"
            " removed; the proof of a person’s consent is read from it."
        ),
    ),
    Term(
        "merge",
        pgettext_lazy("glossary", "merge"),
        _(
            "To make one profile of two of the same person. The stricter state wins"
            " and the ledger is kept."
        ),
    ),
    Term(
        "opt-out",
        _("opt-out"),
        _(
            "A person does not want to be reached, on one channel or on any. It"
            " belongs to the person, and every delivery obeys it at once."
        ),
    ),
    Term(
        "part",
        pgettext_lazy("glossary", "part"),
        _(
            "Some of the messages of a delivery, which one worker at a time takes in"
            " hand. What a stopped worker leaves is taken up by another."
        ),
    ),
    Term(
        "preferred-address",
        _("preferred address"),
        _("The one address of a person on a channel that deliveries use."),
    ),
    Term("profile", pgettext_lazy("glossary", "profile"), _("A person that we know.")),
    Term(
        "proof",
        pgettext_lazy("glossary", "proof"),
        _("A delivery sent to colleagues, who look at it before it is confirmed."),
    ),
    Term(
        "provisional",
        pgettext_lazy("glossary", "provisional"),
        _(
            "Said of the quarantine of many addresses of a domain that failed"
            " together. It excludes like any other, and one decision discards it."
        ),
    ),
    Term(
        "quarantine",
        pgettext_lazy("glossary", "quarantine"),
        _(
            "Addresses that are not written to, because mail to them fails or"
            " somebody said so. It belongs to the address, whoever has it."
        ),
    ),
    Term(
        "release",
        pgettext_lazy("glossary", "release"),
        _("To take an address out of quarantine, with a reason that is kept."),
    ),
    Term(
        "service",
        pgettext_lazy("glossary", "service"),
        _(
            "What people subscribe to, such as a weekly letter. A delivery of a"
            " service reaches its subscribers only."
        ),
    ),
    Term(
        "soft-bounce",
        _("soft bounce"),
        _(
            "It may work later, as with a full mailbox. The message is tried again;"
            " when errors go on for long, the address goes to quarantine."
        ),
    ),
    Term(
        "stop",
        _("STOP"),
        _(
            "The word that ends messages by SMS; START lifts it. Sent to us, it acts"
            " by itself."
        ),
    ),
    Term(
        "strict",
        pgettext_lazy("glossary", "strict"),
        _(
            "Said of a delivery: nothing is on its way to a person any more when"
            " their stop is answered. So it is for SMS."
        ),
    ),
    Term(
        "subscription",
        _("subscription"),
        _("A person’s consent to one service, for ever or until a day."),
    ),
    Term(
        "target",
        pgettext_lazy("glossary", "target"),
        _("The profiles of an audience, before anybody is excluded."),
    ),
    Term(
        "triage",
        _("triage"),
        _(
            "Reading, by a person, what came in and no rule understands. A clock"
            " runs: whoever asks to stop must be stopped in time."
        ),
    ),
    Term(
        "typology",
        _("typology"),
        _(
            "A set of rules of your own about who is excluded, such as a filter or a"
            " limit on how many messages a person gets."
        ),
    ),
    Term(
        "validity",
        _("validity"),
        _("How long after its contact date a delivery is sent; the rest expires."),
    ),
    Term(
        "verp",
        _("VERP"),
        _(
            "A sender address of its own for each message. A bounce that comes back"
            " to it says by that which message failed, and cannot be forged."
        ),
    ),
)
_BY_NAME: Final = {term.name: term for term in TERMS}


def find(name: str) -> Term:
    """Give a term by its name. Raises UnknownTerm."""
    try:
        return _BY_NAME[name]
    except KeyError as error:
        raise UnknownTerm(
            f"The glossary has no “{name}”: add it to delivery/glossary.py."
        ) from error


def in_order() -> list[Term]:
    """List all by their words in the language of the page."""
    return sorted(TERMS, key=lambda term: str(term.word).casefold())
