"""The addresses of the shop, Frontispiece's own among them."""
# Django lives in the shop's own venv.
# mypy: disable-error-code="import-not-found"

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views.static import serve


def health(_: HttpRequest) -> HttpResponse:
    return HttpResponse("alive")


urlpatterns = [
    path("health", health),
    path("frontispiece/", include("frontispiece_oscar.urls")),
    path("api/", include("oscarapi.urls")),
    re_path(r"^media/(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT}),
    path("", include(apps.get_app_config("oscar").urls[0])),
]
