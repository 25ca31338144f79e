from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from delivery import audit, extraction
from delivery.extraction import ExtractionError
from delivery.models import Delivery


@login_required
@permission_required("delivery.download_extraction", raise_exception=True)
@require_POST
def extraction_download(request: HttpRequest, delivery_id: int) -> HttpResponseBase:
    """Hand the file of a delivery over; that this happened is logged."""
    delivery = get_object_or_404(Delivery, pk=delivery_id)
    try:
        file = extraction.hand_over(
            delivery, by=request.user.get_username(), now=timezone.now()
        )
    except ExtractionError as refusal:
        messages.error(request, str(refusal))
        return redirect("delivery_detail", delivery.pk)
    audit.notes_of(request).count("rows", file.row_count)
    response = StreamingHttpResponse(
        extraction.content(file), content_type="text/csv; charset=utf-8"
    )
    name = extraction.file_name(delivery)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Length"] = str(file.size)
    return response
