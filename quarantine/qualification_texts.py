"""What servers say in words, in families that mean one thing.

Most refusals carry a code that is too coarse or wrong, and a sentence that is not. The
phrases stand in qualification_phrases.txt, in lower case and with single spaces. A
phrase of several parts counts when all of them stand in the text. Families are asked in
their order, so that a sentence in which the address is innocent (policy, rate, our own
sender) comes before one in which it is not.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quarantine.reasons import Reason, Verdict

Phrase = tuple[str, ...]
_FILE: Final = Path(__file__).with_name("qualification_phrases.txt")
_PARTS: Final = " ... "


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Phrases that mean the same, and what they make of the address.

    A strong family is believed against a code that says something else.
    """

    name: str
    verdict: Verdict
    reason: Reason
    phrases: tuple[Phrase, ...]
    is_strong: bool = False

    def is_said_in(self, words: str) -> bool:
        """Say whether one of the phrases stands in words, which are in lower case."""
        # Most phrases have one part, and most texts none of them: no generators here.
        for phrase in self.phrases:
            if phrase[0] in words and (
                len(phrase) == 1 or all(part in words for part in phrase[1:])
            ):
                return True
        return False


def _read(text: str) -> dict[str, tuple[Phrase, ...]]:
    found: dict[str, tuple[Phrase, ...]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            found[name] = ()
        elif line and not line.startswith("#"):
            found[name] += (tuple(line.split(_PARTS)),)
    return found


PHRASES: Final = _read(_FILE.read_text(encoding="utf-8"))


def _family(
    name: str, verdict: Verdict, reason: Reason, *, is_strong: bool = False
) -> Family:
    return Family(name, verdict, reason, PHRASES[name], is_strong)


OWNER: Final = _family(
    "owner_changed", Verdict.OWNER_CHANGED, Reason.OWNER_CHANGED, is_strong=True
)
NULL_MX: Final = _family(
    "null_mx", Verdict.UNSURE, Reason.INVALID_DOMAIN, is_strong=True
)
OUR_SENDER: Final = _family("our_sender", Verdict.OURS, Reason.REFUSED, is_strong=True)
AUTHENTICATION: Final = _family(
    "authentication", Verdict.OURS, Reason.REFUSED, is_strong=True
)
OUR_QUOTA: Final = _family("our_quota", Verdict.OURS, Reason.REFUSED, is_strong=True)
FULL: Final = _family("mailbox_full", Verdict.SOFT, Reason.MAILBOX_FULL, is_strong=True)
LOCAL_COMMAND: Final = _family(
    "local_command", Verdict.SOFT, Reason.NOT_DEFINED, is_strong=True
)
CLOSED_GROUP: Final = _family(
    "closed_group", Verdict.POLICY, Reason.REFUSED, is_strong=True
)
MOVED: Final = _family("moved", Verdict.HARD, Reason.USER_UNKNOWN, is_strong=True)
# Mobile carriers of Japan refuse what a person's filter refuses in these words, and
# after they took the message; they say the same where nobody is there.
CARRIER_FILTER: Final = _family(
    "carrier_filter", Verdict.SOFT, Reason.REFUSED, is_strong=True
)
UNKNOWN: Final = _family(
    "user_unknown", Verdict.HARD, Reason.USER_UNKNOWN, is_strong=True
)
DISABLED: Final = _family(
    "account_disabled", Verdict.SOFT, Reason.ACCOUNT_DISABLED, is_strong=True
)
RATE: Final = _family("rate", Verdict.TRANSIENT, Reason.UNREACHABLE)
NO_HOST: Final = _family("no_host", Verdict.UNSURE, Reason.INVALID_DOMAIN)
POLICY: Final = _family("policy", Verdict.POLICY, Reason.REFUSED)
TOO_LARGE: Final = _family("content", Verdict.CONTENT, Reason.REFUSED)
ADDRESS_REJECTED: Final = _family(
    "address_rejected", Verdict.UNSURE, Reason.USER_UNKNOWN
)
NETWORK: Final = _family("unreachable", Verdict.SOFT, Reason.UNREACHABLE)
SYSTEM: Final = _family("system", Verdict.SOFT, Reason.NOT_DEFINED)

# Asked of words that say that nobody is there: whether the server that reports it has
# looked itself, or repeats the few words that any server or filter replies with.
LOOKED_UP: Final = _family("looked_up", Verdict.HARD, Reason.USER_UNKNOWN)
TERSE: Final = _family("terse", Verdict.SOFT, Reason.USER_UNKNOWN)

# In the order in which they are asked.
FAMILIES: Final = (
    OWNER,
    NULL_MX,
    OUR_SENDER,
    AUTHENTICATION,
    OUR_QUOTA,
    FULL,
    LOCAL_COMMAND,
    CLOSED_GROUP,
    MOVED,
    CARRIER_FILTER,
    UNKNOWN,
    DISABLED,
    RATE,
    NO_HOST,
    POLICY,
    TOO_LARGE,
    ADDRESS_REJECTED,
    NETWORK,
    SYSTEM,
)
