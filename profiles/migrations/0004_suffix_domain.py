from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('profiles', '0003_erased_index'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='domainsuffix',
            index=models.Index(fields=['domain'], name='profiles_suffix_domain'),
        ),
    ]
