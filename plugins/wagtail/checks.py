"""What `doctor` proves: rights, a test picture, and that Wagtail's deliveries reach us."""

import httpx

from frontispiece.cms import TEST_PICTURE, CmsProblem, call, clock, read_json, removed

from .asking import ask
from .settings import WagtailSettings


def rights(api: httpx.Client, settings: WagtailSettings) -> str:
    """Raises `CmsProblem` where the token's user may not do what is needed, or is not the one that our app knows."""
    may = ask(api, settings, "GET", "")
    missing = [right for right in ("edit pages", "publish pages", "upload images") if not may[right]]
    if missing:
        raise CmsProblem(f"user {may['user']} may not {', '.join(missing)}: put them into a group that may")
    if not may["is_ours"]:
        raise CmsProblem(f"FRONTISPIECE['user'] in Wagtail's settings is not {may['user']}, whose token this is")
    return f"user {may['user']} is accepted and may edit and publish pages and upload images"


def hears(api: httpx.Client, settings: WagtailSettings) -> str:
    """Has our app send a test delivery."""
    told = ask(api, settings, "POST", "test/")
    if not 200 <= told["status"] < 300:
        raise CmsProblem(f"Wagtail's test delivery was answered {told['status']}: {told['words']}")
    return "Wagtail's deliveries reach us"


def uploads(api: httpx.Client, settings: WagtailSettings) -> list[str]:
    """Uploads a picture, looks at it as a visitor does, wherever it is kept, and removes it; and the clocks."""
    images = f"{settings.api}/images/"
    file = {"file": (TEST_PICTURE.name, TEST_PICTURE.data, TEST_PICTURE.mime)}
    answer = call(api, "POST", images, data={"title": TEST_PICTURE.alt, **settings.place}, files=file)
    image = read_json(answer)
    try:
        kept = call(api, "GET", image["meta"]["download_url"], auth=None).content == TEST_PICTURE.data
        words = "kept byte for byte" if kept else "encoded anew, without their mark of being made by AI"
    except CmsProblem as problem:
        words = f"not shown to visitors: {problem.words}"
    gone = removed(api, f"{images}{image['id']}/")
    return [f"a test picture was uploaded; {gone}; pictures are {words}", clock(answer)]
