"""Finding addresses in what other systems write."""

import re
from typing import Final

ADDRESS: Final = (
    r"(?:\"[^\"\n@]{1,64}\"|[^\s<>\"'()\[\],;:@=]"
    r"[^\s<>\"'()\[\],;:@]{0,127})@[A-Za-z0-9\u0080-\uffff]"
    r"[A-Za-z0-9.\u0080-\uffff_-]{0,252}"
)
_ADDRESS: Final = re.compile(ADDRESS)
_TYPE: Final = re.compile(r"^\s*[A-Za-z0-9-]{1,20}\s*;\s*")
# RFC 6533 section 3: what is not ASCII, written in ASCII.
_ESCAPED: Final = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_LONGEST: Final = 320

# Who sends reports, and is never whom they are about.
DAEMONS: Final = frozenset(
    {
        "mailer-daemon",
        "mailer_daemon",
        "mailerdaemon",
        "mdaemon",
        "postmaster",
        "post_master",
        "poostmaster",
        "mail-daemon",
        "maildaemon",
        "mailer",
        "mail-system",
        "mailsystem",
        "no-reply",
        "noreply",
        "bounce",
        "bounces",
        "auto-reply",
        "microsoftexchange",
    }
)


def clean(value: str) -> str:
    """Give the address of a report's field, without type, brackets and comments."""
    value = _TYPE.sub("", value.strip()[: 2 * _LONGEST])
    value = _ESCAPED.sub(_unescaped, value)
    found = _ADDRESS.search(value)
    if found:
        return tidy(found[0])
    # Some systems name a mailbox of their own, or write `user at example.com`.
    value = re.sub(r"\s*\(.*", "", value).strip("<>\"' \t")
    return value[:_LONGEST] if value and " " not in value else ""


def tidy(address: str) -> str:
    """Take off what stood around an address in a text."""
    return address.strip("<>\"'`*-").rstrip(".:_")[:_LONGEST]


def find_all(text: str) -> list[str]:
    """List the addresses of a text, each once, in their order."""
    found = (tidy(each) for each in _ADDRESS.findall(text[: 16 * 1024]))
    return list(dict.fromkeys(each for each in found if each))


def is_daemon(address: str) -> bool:
    """Say whether an address is one that systems write from."""
    local = address.partition("@")[0].lower()
    return local in DAEMONS or local.startswith(("mailer-daemon", "postmaster"))


def _unescaped(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if 0x20 < number < 0x110000 else ""
