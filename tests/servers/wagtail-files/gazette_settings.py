"""A small Wagtail site; DATABASE, MEDIA and FRONTISPIECE_* are set by tests/servers/wagtail.py."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).parent
SECRET_KEY = "for tests only"
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "gazette_urls"
INSTALLED_APPS = [
    "blog",
    "frontispiece_wagtail",
    "wagtail.api.v3",
    "wagtail.users",
    "wagtail.images",
    "wagtail.documents",
    "wagtail.snippets",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["DATABASE"],
        "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE"},
    }
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STATIC_URL = "/static/"
MEDIA_URL = "/media/"
MEDIA_ROOT = os.environ["MEDIA"]
WAGTAIL_SITE_NAME = "The Gazette"
WAGTAILADMIN_BASE_URL = "http://127.0.0.1"
FRONTISPIECE = {
    "hook": os.environ.get("FRONTISPIECE_HOOK", ""),
    "secret": os.environ.get("FRONTISPIECE_SECRET", ""),
    "user": "frontispiece",
}
