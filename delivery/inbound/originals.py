"""The header of the mail that was returned, in which tokens of ours may be."""

import re
from typing import Final

from delivery.inbound.mails import Part, header_of, walk
from delivery.inbound.meanings import OriginalMail

_MOST: Final = 64 * 1024
_FIRST_FIELD: Final = re.compile(r"^[> ]{0,4}[A-Za-z][A-Za-z-]{1,60}: ", re.MULTILINE)


def original_of(mail: Part, below: str) -> OriginalMail:
    """Read the returned header: of its own part, else what stood below the words."""
    for part in walk(mail, into_returned=True):
        if part.type in {"message/rfc822", "message/global"} and part.parts:
            return _of(part.parts[0])
        if part.type in {"text/rfc822-headers", "message/global-headers"}:
            return _of(header_of(part.text[:_MOST].encode("utf-8", "replace")))
    found = _FIRST_FIELD.search(below)
    if found is None:
        return OriginalMail()
    text = below[found.start() : found.start() + _MOST]
    if text.startswith(">"):
        text = re.sub(r"^> ?", "", text, flags=re.MULTILINE)
    return _of(header_of(text.encode("utf-8", "replace")))


def _of(header: Part) -> OriginalMail:
    return OriginalMail(
        return_path=header.first("return-path").strip(" <>")[:500],
        message_id=header.first("message-id").strip()[:500],
        list_unsubscribe=header.first("list-unsubscribe").strip()[:2_000],
        feedback_id=header.first("feedback-id").strip()[:500],
        to=header.first("to").strip()[:1_000],
        subject=header.first("subject").strip()[:500],
    )
