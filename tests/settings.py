"""Settings of the tests: fixed secrets and the database of DATABASE_URL."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("SECRET_KEY", "tests-only-secret-key-" + "x" * 40)
os.environ.setdefault("PUBLIC_LINK_KEYS", "1=" + "k" * 43)
os.environ.setdefault("ADDRESS_DIGEST_KEY", "tests-only-digest-key-" + "d" * 40)
os.environ["PUBLIC_BASE_URL"] = "http://localhost:8000"
os.environ["EMAIL_URL"] = "memorymail://"
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="campaign-tests-")
os.environ["DEBUG"] = "false"

from campaign.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A fresh clone has no collected files, and whitenoise warns of a missing folder.
STATIC_ROOT = Path(os.environ["VAR_DIR"])
