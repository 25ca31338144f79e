"""What an enhanced status code or a reply code says of an address, as a table.

Codes of RFC 3463 and the IANA registry of enhanced status codes, and those that large
providers made for themselves. `CODES` is of class 5; what class 4 makes of it is in
quarantine.qualification.
"""

from dataclasses import dataclass
from typing import Final

from quarantine.qualification_texts import Family
from quarantine.reasons import Reason, Verdict

EVERY_FAMILY: Final = frozenset(Family)
NO_FAMILY: Final[frozenset[Family]] = frozenset()
# Authentication that is missing is our fault, whatever the code of the refusal.
_AUTHENTICATION: Final = frozenset({Family.AUTHENTICATION})
_ADDRESS: Final = frozenset(
    {
        Family.OWNER_CHANGED,
        Family.USER_UNKNOWN,
        Family.DOMAIN_UNKNOWN,
        Family.MAILBOX_FULL,
        Family.ACCOUNT_DISABLED,
    }
)


@dataclass(frozen=True, slots=True)
class CodeRule:
    """What some codes mean.

    `codes` are written without their class, such as `1.1`, `7.20-27`, or `3.*` for
    what no other rule of the subject names. `texts` are the families of phrases that
    are asked first; `is_vague` means that the code says nothing, so that the next
    source is asked before this rule's own answer is taken.
    """

    codes: str
    meaning: str
    verdict: Verdict
    reason: Reason
    weight: int = 1
    texts: frozenset[Family] = NO_FAMILY
    is_vague: bool = False


CODES: Final = (
    CodeRule(
        "1.1 1.3",
        "no such mailbox, or an address that cannot be one",
        Verdict.HARD,
        Reason.USER_UNKNOWN,
    ),
    CodeRule("1.6", "moved, not forwarded", Verdict.HARD, Reason.USER_UNKNOWN),
    CodeRule(
        "1.351",
        "recipient unknown to the server behind (Microsoft)",
        Verdict.HARD,
        Reason.USER_UNKNOWN,
    ),
    CodeRule(
        "1.2 4.4 4.310",
        "no such host or domain",
        Verdict.UNSURE,
        Reason.INVALID_DOMAIN,
    ),
    CodeRule(
        "1.10",
        "domain takes no mail (null MX); at Microsoft, no such recipient",
        Verdict.UNSURE,
        Reason.INVALID_DOMAIN,
        texts=frozenset({Family.USER_UNKNOWN}),
    ),
    CodeRule("1.4", "ambiguous address", Verdict.UNSURE, Reason.USER_UNKNOWN),
    CodeRule(
        "1.0 1.5",
        "something with the address",
        Verdict.SOFT,
        Reason.NOT_DEFINED,
        texts=EVERY_FAMILY,
        is_vague=True,
    ),
    CodeRule(
        "1.7 1.8 1.20 1.90",
        "our sender address is bad, or has sent too much",
        Verdict.OURS,
        Reason.REFUSED,
    ),
    CodeRule("1.9", "relay cannot carry the message", Verdict.CONTENT, Reason.REFUSED),
    CodeRule(
        "1.*",
        "something else with the address",
        Verdict.SOFT,
        Reason.NOT_DEFINED,
        texts=EVERY_FAMILY,
        is_vague=True,
    ),
    CodeRule(
        "2.1",
        "mailbox disabled, or receiving too fast: the text says which",
        Verdict.UNSURE,
        Reason.UNREACHABLE,
        texts=_ADDRESS | {Family.RATE},
    ),
    CodeRule(
        "2.2", "mailbox full for good", Verdict.SOFT, Reason.MAILBOX_FULL, weight=2
    ),
    CodeRule("2.3", "too big for the mailbox", Verdict.CONTENT, Reason.REFUSED),
    CodeRule(
        "2.4",
        "list cannot be expanded",
        Verdict.SOFT,
        Reason.UNREACHABLE,
        texts=_ADDRESS,
    ),
    CodeRule(
        "2.121-122",
        "recipient receives too much at once (Microsoft)",
        Verdict.TRANSIENT,
        Reason.UNREACHABLE,
    ),
    CodeRule(
        "2.*",
        "something with the mailbox",
        Verdict.SOFT,
        Reason.NOT_DEFINED,
        texts=EVERY_FAMILY,
        is_vague=True,
    ),
    CodeRule("3.4", "too big for the system", Verdict.CONTENT, Reason.REFUSED),
    CodeRule(
        "3.0",
        "something with the mail system",
        Verdict.TRANSIENT,
        Reason.UNREACHABLE,
        texts=EVERY_FAMILY,
        is_vague=True,
    ),
    CodeRule("3.*", "mail system at fault", Verdict.TRANSIENT, Reason.UNREACHABLE),
    CodeRule("4.5", "our quota, or congestion", Verdict.OURS, Reason.REFUSED),
    CodeRule(
        "4.7 4.316",
        "gave up after days",
        Verdict.SOFT,
        Reason.UNREACHABLE,
        texts=_ADDRESS,
    ),
    CodeRule(
        "4.1",
        "host does not answer; at Microsoft, recipient not in the directory",
        Verdict.TRANSIENT,
        Reason.UNREACHABLE,
        texts=frozenset({Family.NOT_IN_DIRECTORY}),
    ),
    CodeRule(
        "4.0",
        "something with the network",
        Verdict.TRANSIENT,
        Reason.UNREACHABLE,
        texts=EVERY_FAMILY,
        is_vague=True,
    ),
    CodeRule(
        "4.*", "network or routing at fault", Verdict.TRANSIENT, Reason.UNREACHABLE
    ),
    CodeRule(
        "5.0",
        "something with the dialogue",
        Verdict.SOFT,
        Reason.NOT_DEFINED,
        texts=EVERY_FAMILY,
        is_vague=True,
    ),
    CodeRule("5.*", "our side of the dialogue", Verdict.OURS, Reason.REFUSED),
    CodeRule("6.*", "content or its conversion", Verdict.CONTENT, Reason.REFUSED),
    CodeRule(
        "7.17-18",
        "mailbox or domain has another owner now (RFC 7293)",
        Verdict.OWNER_CHANGED,
        Reason.OWNER_CHANGED,
    ),
    CodeRule("7.13", "account disabled", Verdict.SOFT, Reason.ACCOUNT_DISABLED),
    CodeRule(
        "7.3-8 7.10-12 7.14",
        "encryption or signing in, ours to mend",
        Verdict.OURS,
        Reason.REFUSED,
    ),
    CodeRule(
        "7.20-27 7.29-30 7.32 7.57 7.64 7.509 7.515",
        "SPF, DKIM, DMARC, TLS or reverse DNS of ours",
        Verdict.OURS,
        Reason.REFUSED,
    ),
    CodeRule("7.16", "too big for its priority", Verdict.CONTENT, Reason.REFUSED),
    CodeRule(
        "7.*",
        "refused by policy",
        Verdict.POLICY,
        Reason.REFUSED,
        texts=_AUTHENTICATION,
    ),
    CodeRule(
        "0.*",
        "says nothing",
        Verdict.SOFT,
        Reason.NOT_DEFINED,
        texts=EVERY_FAMILY,
        is_vague=True,
    ),
)

# Reply codes (RFC 5321 section 4.2.3, RFC 7504, RFC 4954) that say something alone.
REPLIES: Final = (
    CodeRule(
        "556 521",
        "domain takes no mail",
        Verdict.UNSURE,
        Reason.INVALID_DOMAIN,
    ),
    CodeRule(
        "530 534 535 538 523 524 525",
        "signing in or encryption, ours to mend",
        Verdict.OURS,
        Reason.REFUSED,
    ),
)


def rule_of(code: str) -> CodeRule | None:
    """Give the rule of an enhanced code of class 4 or 5, such as `5.1.1`."""
    parts = code.split(".")
    if len(parts) != 3 or parts[0] not in {"4", "5"}:
        return None
    subject, detail = parts[1].lstrip("0") or "0", parts[2].lstrip("0") or "0"
    found = _EXACT.get(f"{subject}.{detail}") or _EXACT.get(f"{subject}.*")
    return found or _EXACT["0.*"]


def rule_of_reply(reply_code: int) -> CodeRule | None:
    """Give the rule of a reply code that says something alone."""
    return _REPLIES.get(str(reply_code))


def each_code(rule: CodeRule) -> list[str]:
    """List the codes of a rule one by one; `3.*` stays as it is."""
    codes = []
    for code in rule.codes.split():
        subject, _, details = code.rpartition(".")
        first, _, last = details.partition("-")
        if not last:
            codes.append(code)
            continue
        codes += [f"{subject}.{each}" for each in range(int(first), int(last) + 1)]
    return codes


_EXACT: Final = {code: rule for rule in CODES for code in each_code(rule)}
_REPLIES: Final = {code: rule for rule in REPLIES for code in each_code(rule)}
