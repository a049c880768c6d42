"""The tables. All times are seconds since the epoch (UTC), all money is in US dollars.

deliveries ─▶ entries ─▶ illustrations ─▶ renders ─▶ candidates
│  └──▶ reviews
└─────▶ publications
tasks            what is to be done next, for one row of one of the others
pauses           services that take nothing from us at the moment
sites            up to when each was asked for what its deliveries did not tell
users, logins, tokens, attempts    who may do it
comments, presences, saved_views, links, kept_answers, template_versions    what the desk keeps beside the journey
"""

from frontispiece.models.base import Base
from frontispiece.models.journey import (
    Candidate,
    Delivery,
    Entry,
    Illustration,
    Publication,
    Render,
    RenderState,
    Review,
    State,
)
from frontispiece.models.people import Attempt, Login, Token, User
from frontispiece.models.together import Comment, KeptAnswer, Link, Presence, SavedView, TemplateVersion
from frontispiece.models.work import Pause, Site, Task, TaskState

__all__ = [
    "Attempt",
    "Base",
    "Candidate",
    "Comment",
    "Delivery",
    "Entry",
    "Illustration",
    "KeptAnswer",
    "Link",
    "Login",
    "Pause",
    "Presence",
    "Publication",
    "Render",
    "RenderState",
    "Review",
    "SavedView",
    "Site",
    "State",
    "Task",
    "TaskState",
    "TemplateVersion",
    "Token",
    "User",
]
