"""Run once, in the installed shop: an editor, a user for Frontispiece with three permissions, a type and a category."""
# Django lives in the shop's own venv.
# mypy: disable-error-code="import-not-found"

# ruff: noqa: E402, T201 - models can be imported after the setup; what is printed is kept by whoever runs this

import json

import django

django.setup()

from django.contrib.auth.models import Permission, User
from oscar.core.loading import get_model
from rest_framework.authtoken.models import Token

RIGHTS = ("view_product", "add_productimage", "delete_productimage")

editor = User.objects.create_superuser("editor", "editor@example.org", "password")
ours = User.objects.create_user("frontispiece", "frontispiece@example.org")
ours.user_permissions.set(Permission.objects.filter(codename__in=RIGHTS))
nobody = User.objects.create_user("nobody", "nobody@example.org")
kind = get_model("catalogue", "ProductClass").objects.create(name="Books", requires_shipping=False, track_stock=False)
get_model("catalogue", "ProductAttribute").objects.create(
    product_class=kind, name="No automatic image", code="no_automatic_image", type="boolean"
)
get_model("catalogue", "Category").add_root(name="Sea & coast")
tokens = {user.username: Token.objects.create(user=user).key for user in (editor, ours, nobody)}
print(json.dumps(tokens))
