"""`frontispiece/` below Wagtail's API v3: reads a page as its editors see it, and puts a picture on it.

API v3 alone cannot do the second safely: its PATCH with `action: publish` publishes whatever an editor has left
unfinished, and cannot depend on what the page has by then.
"""

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any

import PIL.Image
import swapper
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from ninja import File, Form, Router, Schema, UploadedFile
from ninja.errors import HttpError
from wagtail.admin.models import EditingSession
from wagtail.api.v3.auth import BearerTokenAuth
from wagtail.api.v3.querysets import get_pages_queryset
from wagtail.coreutils import resolve_model_string
from wagtail.images import get_image_model
from wagtail.permissions import policy_registry

from frontispiece_wagtail.deliveries import is_ours, post

Page = swapper.load_model("wagtailcore", "Page")
Image = get_image_model()
router = Router(tags=["frontispiece"], auth=BearerTokenAuth())
MOST = 100  # pages in one answer

Facts = dict[str, Any]


class Wish(Schema):
    field: str
    expects: str = ""  # id of the image that may be replaced; "" = none
    image: str = ""  # where no file is sent: id of one that is there; "" = none
    title: str = ""
    alt: str = ""
    alt_field: str = ""
    collection_id: int | None = None
    focal_x: float | None = None
    focal_y: float | None = None


@router.get("/")
def check(request: HttpRequest) -> Facts:
    policies = policy_registry.get_by_type(Page), policy_registry.get_by_type(Image)
    pages, images = policies
    return {
        "user": request.user.get_username(),
        "is_ours": is_ours(request.user.pk),
        "edit pages": pages.user_has_any_permission(request.user, {"change"}),
        "publish pages": pages.user_has_any_permission(request.user, {"publish"}),
        "upload images": images.user_has_any_permission(request.user, {"add"}),
    }


@router.post("/test/")
def test(request: HttpRequest) -> Facts:
    status, words = post(f"msg_{uuid.uuid4()}", b'{"event": "test.ping"}')
    return {"status": status, "words": words}


@router.get("/pages/")
def bare(request: HttpRequest, type: str, field: str, since: datetime, offset: int = 0) -> Facts:
    """Pages saved since then whose newest revision has no image there, oldest first."""
    model = _model(type)
    _image_field(model, field)
    pages = get_pages_queryset(request, model).filter(latest_revision_created_at__gt=since, alias_of=None)
    found = list(pages.order_by("latest_revision_created_at", "pk")[offset : offset + MOST])
    empty = [page for page in found if getattr(page.get_latest_revision_as_object(), f"{field}_id") is None]
    return {"pages": [{"id": page.pk, "live": page.live} for page in empty], "read": len(found)}


@router.get("/pages/{page_id}/")
def read(request: HttpRequest, page_id: int, field: str, fields: str = "") -> Facts:
    page = _editable(request, get_object_or_404(Page, pk=page_id))
    image = getattr(page, _image_field(type(page), field).name)
    return {
        "id": page.pk,
        "type": page._meta.label,
        "locale": page.locale.language_code,
        "live": page.live,
        "version": page.latest_revision_created_at or page.last_published_at,
        "url": page.full_url or "",
        "edit_url": request.build_absolute_uri(reverse("wagtailadmin_pages:edit", args=[page.pk])),
        "image": _shown(request, image),
        "fields": {name: _value(page, name) for name in fields.split(",") if name},
    }


@router.post("/pages/{page_id}/")
@transaction.atomic
def write(
    request: HttpRequest, page_id: int, wish: Wish = Form(...), file: UploadedFile | None = File(None)
) -> Facts:
    """Puts an image on the page if it still has the one that is expected; done twice it is done once.

    What was public stays public, with the image; a draft and unpublished changes stay unpublished, with the image.
    """
    row = get_object_or_404(Page.objects.select_for_update(), pk=page_id)
    page, public = _editable(request, row), row.live and not row.has_unpublished_changes
    field = _image_field(type(page), wish.field)
    now, image = getattr(page, field.attname), _known(request, wish, file)
    if now != (image.pk if image else None) or (file and image is None):
        if str(now or "") != wish.expects:
            raise HttpError(409, f"page {page_id} has another image ({now or 'none'}) than when it was read")
        _unlocked(request, row)
        if public and not row.permissions_for_user(request.user).can_publish():
            raise PermissionDenied(f"{request.user} may not publish page {page_id}, which is public")
        setattr(page, field.name, _stored(request, wish, file, image))
        if wish.alt_field:
            setattr(page, wish.alt_field, _cut(type(page), wish.alt_field, wish.alt))
        revision = page.save_revision(user=request.user, log_action=True, clean=False)
        if public:
            revision.publish(user=request.user)
    return {"image": _shown(request, getattr(page, field.name))}


def _editable(request: HttpRequest, row: Any) -> Any:
    """The page as its editors see it, with unpublished changes."""
    if not row.permissions_for_user(request.user).can_edit():
        raise PermissionDenied(f"{request.user} may not edit page {row.pk}")
    if row.alias_of_id:
        raise HttpError(409, f"page {row.pk} is an alias of page {row.alias_of_id}")
    return row.get_latest_revision_as_object()


def _unlocked(request: HttpRequest, row: Any) -> None:
    lock = row.specific.get_lock()
    if row.workflow_in_progress:
        raise HttpError(409, f"page {row.pk} is in a workflow, which goes on with the text it was sent: finish it first")
    if lock and lock.for_user(request.user):
        raise HttpError(409, f"{strip_tags(lock.get_message(request.user))} Unlock it, then try again.")
    somebody = EditingSession.objects.filter(
        content_type=ContentType.objects.get_for_model(Page),
        object_id=str(row.pk),
        is_editing=True,
        last_seen_at__gt=timezone.now() - timedelta(minutes=1),
    )
    if somebody.exclude(user=request.user).exists():
        raise HttpError(423, f"somebody has unsaved changes of page {row.pk} open")


def _known(request: HttpRequest, wish: Wish, file: UploadedFile | None) -> Any:
    """The image that is wished for, if Wagtail has it: an earlier try's upload of the same bytes, or the named one."""
    if file is None:
        image = Image.objects.filter(pk=wish.image).first() if wish.image else None
        if wish.image and image is None:
            raise HttpError(409, f"image {wish.image} is not in the library any more")
        return image
    digest = hashlib.sha1(file.read(), usedforsecurity=False).hexdigest()
    file.seek(0)
    return Image.objects.filter(file_hash=digest, uploaded_by_user=request.user).first()


def _stored(request: HttpRequest, wish: Wish, file: UploadedFile | None, image: Any) -> Any:
    if file is None:
        return image
    if image is None:
        _readable(file)
        # not above: wagtail.images may come behind this app in INSTALLED_APPS
        from wagtail.images.api.v3.router import ImageCreateSchema, create_image

        given = {"title": _cut(Image, "title", wish.title or file.name)}
        if wish.collection_id:
            given["collection_id"] = wish.collection_id
        image = create_image(request, file=file, data=ImageCreateSchema(**given)).value
    image.description = _cut(Image, "description", wish.alt)
    if wish.focal_x is not None and wish.focal_y is not None:
        image.focal_point_x, image.focal_point_y = round(wish.focal_x * image.width), round(wish.focal_y * image.height)
        image.focal_point_width = image.focal_point_height = min(image.width, image.height) // 10
    image.save()
    return image


def _cut(model: type[Model], name: str, text: str) -> str:
    """Text as long as a field of the model takes it."""
    return text[: _field(model, name).max_length]


def _readable(file: UploadedFile) -> None:
    """Wagtail looks at the head of a file alone, then answers 500 when the rest is cut off."""
    try:
        PIL.Image.open(file).load()
    except (OSError, SyntaxError, ValueError) as problem:
        raise ValidationError(f"{file.name} cannot be read as a picture: {problem}") from problem
    file.seek(0)


def _model(name: str) -> type[Model]:
    try:
        model = resolve_model_string(name)
    except (LookupError, ValueError) as problem:
        raise ValidationError(f"there is no page type {name}") from problem
    if not issubclass(model, Page):
        raise ValidationError(f"{name} is no page type")
    return model


def _field(model: type[Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist as problem:
        raise ValidationError(f"{model._meta.label} has no field {name}") from problem


def _image_field(model: type[Model], name: str) -> Any:
    field = _field(model, name)
    if field.related_model is not Image:
        raise ValidationError(f"{model._meta.label}.{name} is no foreign key to {Image._meta.label}")
    return field


def _value(page: Any, name: str) -> bool | str | list[str]:
    try:
        value = getattr(page, name)
    except AttributeError as problem:
        raise ValidationError(f"{page._meta.label} has no field {name}") from problem
    if hasattr(value, "all"):
        return [str(one) for one in value.all()]
    return value if isinstance(value, bool) else str("" if value is None else value)


def _shown(request: HttpRequest, image: Any) -> Facts | None:
    if image is None:
        return None
    return {"id": str(image.pk), "url": request.build_absolute_uri(image.file.url), "alt": image.description}
