"""Refuse, in one sentence, when there is no Chromium for the browser tests."""

import os
import shutil
import sys

if shutil.which(os.environ.get("CHROMIUM", "/usr/bin/chromium")) is None:
    sys.exit(
        "Chromium was not found, and these tests need it. Install it"
        " (apt-get install chromium) or name it: CHROMIUM=/path make test-browser"
    )
