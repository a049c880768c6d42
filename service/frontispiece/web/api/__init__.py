"""`/api/v1`: the acts of the desk for programs and for panels inside a CMS.

A bearer token says who asks; one that is limited to a site sees nothing of another. A browser that is logged in may
read, and may act where it sends the form token of its page in `X-CSRF-Token`.
"""

from frontispiece.web.api import counting, deciding, describing, listing, managing, picturing, redrawing, talking
from frontispiece.web.api.routes import api

__all__ = ["api", "counting", "deciding", "describing", "listing", "managing", "picturing", "redrawing", "talking"]
