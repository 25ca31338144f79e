"""The part of a mail that its writer wrote: without quoted mails and signatures.

In eight languages, by the lines that mail programs put before what they quote. Cutting
too much at worst sends a mail to a person; cutting too little would let our own words
("unsubscribe") count as those of the writer.
"""

import re
from typing import Final

_LONGEST: Final = 20_000  # characters that are looked at
_QUOTED: Final = re.compile(r"^\s*(>|&gt;|\|)")
_BEGINS_QUOTE: Final = re.compile(
    r"""^\s*(?:
        -{2,}.*-{2,}\s*$                      # ----- Original Message -----
      | _{5,}\s*$
      | (?:from|från|von|de|lähettäjä|fra|sendt|sent|skickat|gesendet|envoyé
          |enviado|lähetetty|date|datum|fecha)\s?:\s
      | .{0,200}\b(?:wrote|skrev|schrieb|écrit|escribió|kirjoitti)\b.{0,80}:\s*$
    )""",
    re.IGNORECASE | re.VERBOSE,
)
# Some programs break the line before what they quote in two or three.
_BEGINS_LONG_QUOTE: Final = re.compile(
    r"^\s*(?:on|den|am|le|el|ti|ma|ke|to|pe|la|su)\b.{6,200}$", re.IGNORECASE
)
_ENDS_LONG_QUOTE: Final = re.compile(
    r"(?:wrote|skrev|schrieb|écrit|escribió|kirjoitti)\b.{0,80}:\s*$", re.IGNORECASE
)
_SIGNATURE: Final = re.compile(
    r"""^\s*(?:
        --\s?$
      | sent\s(?:from|via)\b | get\soutlook\sfor\b
      | skickat\sfrån\b | hämta\soutlook\b
      | von\smeinem\b | gesendet\s(?:von|mit)\b
      | envoyé\s(?:de|depuis)\b
      | enviado\sdesde\b
      | lähetetty\b
      | sendt\sfra\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_REPLY: Final = re.compile(
    r"^\s*(?:re|sv|aw|wg|fw|fwd|vs|vl|vb|tr|rv|ref|ang|antw|réf)\s?(?:\[\d+\])?\s?:",
    re.IGNORECASE,
)


def own_part(body: str) -> str:
    """Give what stands before the first quoted mail or signature."""
    kept: list[str] = []
    lines = body[:_LONGEST].splitlines()
    for place, line in enumerate(lines):
        if _ends_here(line, lines[place + 1 : place + 3]):
            break
        if not _QUOTED.match(line):
            kept.append(line)
    return "\n".join(kept).strip()


def own_subject(subject: str) -> str:
    """Give a subject that its writer made up; empty when it is that of a reply."""
    return "" if _REPLY.match(subject) else subject.strip()


def _ends_here(line: str, following: list[str]) -> bool:
    if _SIGNATURE.match(line) or _BEGINS_QUOTE.match(line):
        return True
    if not _BEGINS_LONG_QUOTE.match(line):
        return False
    return any(_ENDS_LONG_QUOTE.search(each) for each in following)
