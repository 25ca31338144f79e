from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class OptoutConfig(AppConfig):
    name = "optout"
    verbose_name = _("Opt-outs")

    def ready(self) -> None:
        from optout import checks, page_triggers, triggers  # noqa: F401

        post_migrate.connect(triggers.LEDGER.install_after_migrate, sender=self)
        post_migrate.connect(page_triggers.install_after_migrate, sender=self)
