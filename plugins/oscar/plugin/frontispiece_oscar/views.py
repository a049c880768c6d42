"""What Frontispiece asks of the shop: a product, those without a picture, and to put a picture first or take it away.

Nothing but pictures is written. A picture of ours is known by its `code`, which is unique in the shop.
"""

from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, reverse
from oscar.core.loading import get_model
from PIL import Image
from rest_framework import serializers, status
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from frontispiece_oscar import deliveries

Product = get_model("catalogue", "Product")
ProductImage = get_model("catalogue", "ProductImage")
OURS = "frontispiece-"
OPT_OUT = "no_automatic_image"  # the code of a product attribute of type boolean
PAGE = 100


class MayIllustrate(BasePermission):
    rights = ("catalogue.view_product", "catalogue.add_productimage", "catalogue.delete_productimage")
    message = f"the user of this token needs the permissions {', '.join(rights)}"

    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(request.user.is_authenticated and request.user.has_perms(self.rights))


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT


class SinceForm(serializers.Serializer):
    since = serializers.DateTimeField()
    after = serializers.IntegerField(default=0)


class CheckForm(serializers.Serializer):
    picture = serializers.ImageField()


class PictureForm(CheckForm):
    code = serializers.RegexField(f"^{OURS}[A-Za-z0-9_-]+$", max_length=255)
    expects = serializers.IntegerField(allow_null=True)  # the image that may go second; null: there must be none
    caption = serializers.CharField(max_length=200, allow_blank=True)

    def validate_picture(self, file: Any) -> Any:
        """Django itself reads the header only and takes a picture that ends in the middle."""
        try:
            file.seek(0)
            Image.open(file).load()
        except (OSError, SyntaxError, Image.DecompressionBombError) as problem:
            raise ValidationError(f"the picture cannot be read: {problem}") from problem
        file.seek(0)
        return file


class Door(APIView):
    """Common to all: a token, three permissions, JSON."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (MayIllustrate,)
    renderer_classes = (JSONRenderer,)
    parser_classes = (MultiPartParser,)


class Products(Door):
    def get(self, request: Any) -> Response:
        """Products without an image that were changed since then, oldest first; `after` is the last one's `next`."""
        asked = SinceForm(data=request.query_params)
        asked.is_valid(raise_exception=True)
        since, after = asked.validated_data["since"], asked.validated_data["after"]
        bare = Product.objects.filter(images__isnull=True).exclude(structure=Product.CHILD)
        later = Q(date_updated__gt=since) | Q(date_updated=since, pk__gt=after)
        page = list(bare.filter(later).order_by("date_updated", "pk")[:PAGE])
        told = [{"id": one.pk, "is_public": one.is_public} for one in page]
        more = len(page) == PAGE
        next_ = {"since": page[-1].date_updated.isoformat(), "after": page[-1].pk} if more else None
        return Response({"products": told, "next": next_})


class OneProduct(Door):
    def get(self, request: HttpRequest, pk: int) -> Response:
        product = get_object_or_404(Product, pk=pk)
        facts = {name: getattr(product, name) for name in ("id", "upc", "structure", "is_public", "date_updated")}
        values = product.attribute_values.select_related("attribute")
        return Response(
            facts
            | {
                "title": product.get_title(),
                "description": product.description,
                "summary": product.meta_description or "",
                "product_class": str(product.get_product_class() or ""),
                "categories": [category.name for category in product.get_categories()],
                "attributes": {
                    one.attribute.name: one.value_as_text for one in values if one.attribute.code != OPT_OUT
                },
                "opted_out": getattr(product.attr, OPT_OUT, False) is True,
                "url": request.build_absolute_uri(product.get_absolute_url()),
                "edit_url": _edit_url(request, product),
                "images": [_shown(request, image) for image in _images(product)],
            }
        )


class Pictures(Door):
    @transaction.atomic
    def post(self, request: HttpRequest, pk: int) -> Response:
        """Puts a picture before all others, which stay; one with this code that is there already is answered."""
        form = PictureForm(data=request.data)
        form.is_valid(raise_exception=True)
        told, product = form.validated_data, _locked(pk)
        first = _images(product).first()
        if first is None or first.code != told["code"]:
            _expect(first, told["expects"])
            if ProductImage.objects.filter(code=told["code"]).exists():
                raise Conflict("this picture is in the shop already, but not where Frontispiece put it")
            product.images.update(display_order=F("display_order") + 1)
            first = product.images.create(
                original=told["picture"], code=told["code"], caption=told["caption"], display_order=0
            )
        second = _images(product).exclude(pk=first.pk).first()
        return Response(_shown(request, first) | {"previous": str(second.pk) if second else ""})

    @transaction.atomic
    def delete(self, request: HttpRequest, pk: int, image: int) -> Response:
        """Takes a picture of ours away, if it is still the first."""
        first = _images(_locked(pk)).first()
        _expect(first, image)
        if not (first.code or "").startswith(OURS):
            raise Conflict(f"image {image} is not of Frontispiece")
        first.delete()
        first.original.delete(save=False)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Check(Door):
    def post(self, request: HttpRequest) -> Response:
        """Proves the way in both directions: keeps a picture for a moment, and sends a ping."""
        form = CheckForm(data=request.data)
        form.is_valid(raise_exception=True)
        field, sent = ProductImage._meta.get_field("original"), form.validated_data["picture"]
        name = field.storage.save(field.generate_filename(ProductImage(), "check.png"), sent)
        sent.seek(0)
        with field.storage.open(name) as file:
            intact = file.read() == sent.read()
        field.storage.delete(name)
        hook, _ = deliveries.configured()
        answer = deliveries.send({"event": "ping", "id": 0}) if hook else ""
        return Response({"intact": intact, "hook": hook, "answer": answer})


def _locked(pk: int) -> Any:
    """The product, which nobody else changes until the end of the transaction (where the database can do that)."""
    return get_object_or_404(Product.objects.select_for_update(), pk=pk)


def _images(product: Any) -> Any:
    return product.images.order_by("display_order", "pk")


def _expect(first: Any, expected: int | None) -> None:
    now = first.pk if first else None
    if now != expected:
        raise Conflict(f"the first image is {now or 'none'} by now, and {expected or 'none'} was expected")


def _shown(request: HttpRequest, image: Any) -> dict[str, Any]:
    url = request.build_absolute_uri(image.original.url)
    return {"id": image.pk, "code": image.code or "", "caption": image.caption, "url": url}


def _edit_url(request: HttpRequest, product: Any) -> str:
    try:
        return request.build_absolute_uri(reverse("dashboard:catalogue-product", kwargs={"pk": product.pk}))
    except NoReverseMatch:  # a shop without Oscar's dashboard
        return ""
