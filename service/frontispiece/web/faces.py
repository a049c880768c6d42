"""Desk, API and all else but the hooks, put together as one Flask application."""

from pathlib import Path

from flask import Flask

from frontispiece.web import i18n, security
from frontispiece.web.api import api
from frontispiece.web.desk.changing import changing
from frontispiece.web.desk.page import desk
from frontispiece.web.desk.queue import queue
from frontispiece.web.desk.together import together
from frontispiece.web.doors.login import login
from frontispiece.web.doors.me import me
from frontispiece.web.doors.oidc import oidc
from frontispiece.web.doors.people import people
from frontispiece.web.lead.board import board
from frontispiece.web.lead.deliveries import deliveries
from frontispiece.web.lead.recipes import recipes
from frontispiece.web.lead.sites import sites_page
from frontispiece.web.links import links
from frontispiece.web.media import media

DOORS = (login, me, oidc, people)
DESK = (queue, desk, changing, together)
LEAD = (board, recipes, sites_page, deliveries)


def application() -> Flask:
    """All pages and the API; whoever serves it puts the open `house` and a `nudge` for workers into its extensions."""
    made = Flask("frontispiece", root_path=str(Path(__file__).parent), template_folder="pages", static_folder="static")
    for part in (*DOORS, *DESK, *LEAD, media, links, api):
        made.register_blueprint(part)
    i18n.init(made, security.person)
    return made
