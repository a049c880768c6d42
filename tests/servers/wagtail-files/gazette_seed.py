"""An editor, who may publish; Frontispiece's user; and one who may write drafts only. Prints their tokens as JSON."""
# Django lives in the site's own venv.
# mypy: disable-error-code="import-not-found"

import json
import sys

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from wagtail.models import APIToken, Page, Site

GROUPS = {"editor": "Moderators", "frontispiece": "Moderators", "drafter": "Editors"}

tokens = {}
for name, group in GROUPS.items():
    user = get_user_model().objects.create_user(name, f"{name}@example.org", "password")
    user.groups.add(Group.objects.get(name=group))
    tokens[name] = APIToken.create_token(user=user, name="tests")[1]
Site.objects.update(hostname="gazette.example.org", port=80)
home = Page.objects.get(depth=2)
sys.stdout.write(json.dumps({"tokens": tokens, "home": home.pk}))
