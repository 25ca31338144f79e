"""Settings of the pictures: as installed, but with static files straight from source.

What is seen once in a thousand mails is seen in a small example, too: limits are lower.
"""

from campaign.settings import *  # noqa: F403

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
# It is only looked at for files; a folder that is missing is warned of.
STATIC_ROOT = VAR_DIR  # noqa: F405
QUARANTINE_OUTAGE_ERRORS = 20
QUARANTINE_OUTAGE_PERCENT = 5
COMPLAINT_MINIMUM = 100
