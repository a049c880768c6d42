"""The tables. All times are seconds since the epoch (UTC), all money is in US dollars.

deliveries ─▶ entries ─▶ illustrations ─▶ renders ─▶ candidates
│  └──▶ reviews
└─────▶ publications
tasks            what is to be done next, for one row of one of the others
pauses           services that take nothing from us at the moment
sites            up to when each was asked for what its deliveries did not tell
users, logins, tokens, attempts    who may do it
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
from frontispiece.models.work import Pause, Site, Task, TaskState

__all__ = [
    "Attempt",
    "Base",
    "Candidate",
    "Delivery",
    "Entry",
    "Illustration",
    "Login",
    "Pause",
    "Publication",
    "Render",
    "RenderState",
    "Review",
    "Site",
    "State",
    "Task",
    "TaskState",
    "Token",
    "User",
]
