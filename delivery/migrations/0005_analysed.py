from django.db import migrations


def say_what_is_analysed(apps, schema_editor):
    """Deliveries that were analysed before they had a status are analysed."""
    deliveries = apps.get_model("delivery", "Delivery").objects
    deliveries.filter(current_analysis__isnull=False).update(status="analysed")


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0004_sending"),
    ]

    operations = [
        migrations.RunPython(say_what_is_analysed, migrations.RunPython.noop),
    ]
