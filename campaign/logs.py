"""What log lines leave out."""

import logging
import re
from typing import Final

# Whoever reads a log must not be able to stop somebody's messages with it.
_LINK: Final = re.compile(r"/(u|stop|p|c|page/[^/\s]+)/[^\s\"']+")


class WithoutTokens(logging.Filter):
    """Cut the token out of every public link, in lines above DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.DEBUG:
            text = record.getMessage()
            record.msg, record.args = _LINK.sub(r"/\1/…", text), ()
        return True
