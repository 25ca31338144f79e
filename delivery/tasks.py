from django.utils import timezone

from delivery import analysis, preparation
from profiles.tasks_api import task


@task()
def analyse(delivery_id: int, by: str) -> str:
    """Analyse a delivery; return the sentence of a refusal, which its run keeps."""
    try:
        delivery = preparation.find(delivery_id)
        analysis.prepare(delivery, by=by, now=timezone.now())
    except (analysis.AnalysisError, preparation.DeliveryError) as refusal:
        return str(refusal)
    return ""
