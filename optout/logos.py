"""What may be the logo of a brand: a picture, judged by its own first bytes."""

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

MOST_BYTES: Final = 200 * 1000
# Never SVG: it can hold scripts.
_KINDS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"GIF87a", "image/gif", "gif"),
    (b"GIF89a", "image/gif", "gif"),
)
EXTENSIONS: Final = {"image/webp": "webp"} | {kind: end for _, kind, end in _KINDS}


class LogoError(ValueError):
    """A file that cannot be a logo; the text is a sentence."""


@dataclass(frozen=True)
class Logo:
    data: bytes
    content_type: str


def read(data: bytes) -> Logo:
    """Judge a file by its bytes, whatever it is called. Raises LogoError."""
    if len(data) > MOST_BYTES:
        raise LogoError(
            _("The logo has %(size)d kB. Make it %(most)d kB or less.")
            % {"size": len(data) // 1000, "most": MOST_BYTES // 1000}
        )
    kind = _kind(data)
    if not kind:
        raise LogoError(
            _("The logo is no picture that is shown here. Use PNG, JPEG, WebP or GIF.")
        )
    return Logo(data, kind)


def _kind(data: bytes) -> str:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind, _end in _KINDS if data.startswith(start)), "")
