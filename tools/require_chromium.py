"""Refuse, in one sentence, when there is no Chromium for a target that needs it.

Usage: python tools/require_chromium.py [TARGET]
"""

import os
import shutil
import sys

if shutil.which(os.environ.get("CHROMIUM", "/usr/bin/chromium")) is None:
    target = sys.argv[1] if len(sys.argv) > 1 else "test-browser"
    sys.exit(
        f"Chromium was not found, and make {target} needs it. Install it"
        f" (apt-get install chromium) or name it: CHROMIUM=/path make {target}"
    )
