from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QuarantineConfig(AppConfig):
    name = "quarantine"
    verbose_name = _("Quarantine")

    def ready(self) -> None:
        from quarantine import checks  # noqa: F401
