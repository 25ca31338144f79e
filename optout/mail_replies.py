"""The part of a mail that its writer wrote: without quoted mails and signatures.

In eight languages, by the lines that mail programs put before what they quote. Cutting
too much at worst sends a mail to a person; cutting too little would let our own words
("unsubscribe") count as those of the writer.
"""

import re
from typing import Final

_LONGEST: Final = 20_000  # characters that are looked at
_LONGEST_LINE: Final = 400  # of these, and only to see whether a quote begins
_SOON: Final = 5  # lines
_QUOTED: Final = re.compile(r"(?:>|&gt;|\|)")
_BEGINS_QUOTE: Final = re.compile(
    r"""(?:
        -{2,10}\s?[^-]{1,80}-{2,10}$          # -----Original Message-----
      | _{5,}$
      | (?:from|från|von|de|lähettäjä|fra|sendt|sent|skickat|gesendet|envoyé
          |enviado|lähetetty|date|datum|fecha)\s?:\s
      | .{0,200}\b(?:wrote|skrev|schrieb|écrit|escribió|kirjoitti)\b.{0,80}:$
    )""",
    re.IGNORECASE | re.VERBOSE,
)
# Some programs break the line before what they quote in two or three.
_BEGINS_LONG_QUOTE: Final = re.compile(
    r"(?:on|den|am|le|el|ti|ma|ke|to|pe|la|su)\b.{6,200}$", re.IGNORECASE
)
_ENDS_LONG_QUOTE: Final = re.compile(
    r"(?:wrote|skrev|schrieb|écrit|escribió|kirjoitti)\b.{0,80}:$", re.IGNORECASE
)
_SIGNATURE: Final = re.compile(
    r"""(?:
        --$
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
    """Give what is neither quoted nor a signature, above the quote or below it."""
    kept: list[str] = []
    lines = body[:_LONGEST].splitlines()
    looked_at = [line.strip()[:_LONGEST_LINE] for line in lines]
    place = 0
    while place < len(lines):
        line = looked_at[place]
        if _SIGNATURE.match(line):
            break
        if _begins_quote(line, looked_at[place + 1 : place + 3]):
            first = _first_marked(looked_at, place + 1)
            if first is None:
                break
            place = first
            continue
        if not _QUOTED.match(line):
            kept.append(lines[place])
        place += 1
    return "\n".join(kept).strip()


def own_subject(subject: str) -> str:
    """Give a subject that its writer made up; empty when it is that of a reply."""
    return "" if _REPLY.match(subject) else subject.strip()


def _begins_quote(line: str, following: list[str]) -> bool:
    if _BEGINS_QUOTE.match(line):
        return True
    if not _BEGINS_LONG_QUOTE.match(line):
        return False
    return any(_ENDS_LONG_QUOTE.search(each) for each in following)


def _first_marked(lines: list[str], start: int) -> int | None:
    """Find the first line with a mark of quoting soon after a quote is announced.

    None when its lines have no marks: then nobody can tell where it ends.
    """
    soon = range(start, min(start + _SOON, len(lines)))
    return next((place for place in soon if _QUOTED.match(lines[place])), None)
