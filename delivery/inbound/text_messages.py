"""What a gateway of text messages posts, read; pure functions, no database."""

import json
from dataclasses import dataclass
from typing import Final

LONGEST_KEY: Final = 200


class TextError(ValueError):
    """Something that is no text message; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class IncomingText:
    """A text as the gateway gave it: its id, who sent it, to which of our numbers."""

    key: str
    sender: str
    text: str
    recipient: str = ""


def read(raw: bytes) -> IncomingText:
    """Read what a gateway posts. Raises TextError with a sentence."""
    fields = strings_of(raw)
    for name in ("id", "from", "text"):
        if name not in fields:
            raise TextError(f"The text message has no “{name}”. Send it as a string.")
    return IncomingText(
        fields["id"], fields["from"], fields["text"], fields.get("to", "")
    )


def strings_of(raw: bytes) -> dict[str, str]:
    """Read a JSON object and give its strings. Raises TextError with a sentence.

    Whatever it is, it has an id that can be stored.
    """
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise TextError("The body is no JSON. Send one JSON object.") from error
    if not isinstance(found, dict):
        raise TextError("The body is no JSON object. Send one JSON object.")
    strings = {name: each for name, each in found.items() if isinstance(each, str)}
    key = strings.get("id", "")
    if not key.isprintable() or not 0 < len(key) <= LONGEST_KEY:
        raise TextError(
            f"The “id” is no string of 1 to {LONGEST_KEY} printable characters."
        )
    return strings
