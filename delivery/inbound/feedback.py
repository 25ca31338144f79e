"""What the types of feedback reports mean to us (RFC 5965, 6430, 6591; providers)."""

from typing import Final

_COMPLAINTS: Final = frozenset({"", "abuse", "fraud", "virus"})
_OPT_OUTS: Final = frozenset({"opt-out", "opt-out-list"})
# About our own signatures: never against the address.
_OURS: Final = frozenset({"auth-failure", "dmarc"})


def meaning_of(kind: str) -> str:
    """Give the meaning of a feedback type; one that we do not know changes nothing.

    Providers that report a complaint without a type mean just that.
    """
    name = kind.strip().lower()
    if name in _COMPLAINTS:
        return "complaint"
    if name in _OPT_OUTS:
        return "opt_out"
    if name in _OURS:
        return "auth_failure"
    return "not_spam" if name == "not-spam" else "other"
