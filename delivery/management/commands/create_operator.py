from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from delivery import operators
from delivery.roles import Role


class Command(BaseCommand):
    help = "Create an operator with a fresh password, which is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME")
        parser.add_argument(
            "--administrator",
            action="store_true",
            help="may also manage accounts and see the records in the admin site",
        )
        parser.add_argument(
            "--role",
            action="append",
            dest="roles",
            default=[],
            choices=[role.value for role in Role],
            help="what the account may do; several are allowed",
        )
        parser.add_argument(
            "--if-missing",
            action="store_true",
            help="an account that exists is left as it is, and that is no failure",
        )

    def handle(self, *, username: str, **options: Any) -> None:
        try:
            account = operators.create(
                username,
                is_administrator=options["administrator"],
                roles=[Role(name) for name in options["roles"]],
            )
        except operators.OperatorExists as error:
            if not options["if_missing"]:
                raise CommandError(str(error)) from error
            self.stdout.write(str(error))
            return
        except operators.OperatorError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            _("Operator: %(name)s   Password: %(password)s   (shown only now)")
            % {"name": account.username, "password": account.password}
        )
