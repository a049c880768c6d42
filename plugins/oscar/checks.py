"""What `doctor` proves: the token, a test picture, and that the shop's deliveries reach us."""

import httpx

from frontispiece.cms import TEST_PICTURE, CmsProblem, call, clock, read_json

from .settings import OscarSettings


def found(api: httpx.Client, settings: OscarSettings) -> list[str]:
    """Has our app store and remove a picture, and ping us. Raises `CmsProblem` where the ping came to nothing."""
    files = {"picture": (TEST_PICTURE.name, TEST_PICTURE.data, TEST_PICTURE.mime)}
    answer = call(api, "POST", f"{settings.path}/check/", files=files)
    told = read_json(answer)
    words = ["the token is accepted and may illustrate products", "a test picture was stored and removed again"]
    words.append("pictures are kept byte for byte" if told["intact"] else "the shop's storage changes pictures")
    if not told["hook"]:
        return [*words, "FRONTISPIECE['HOOK'] of the shop's settings is empty: it tells us nothing", clock(answer)]
    if not told["answer"].startswith("2"):
        raise CmsProblem(f"a ping of the shop to {told['hook']} came to nothing: {told['answer']}")
    return [*words, f"a ping of the shop arrived at {told['hook']}", clock(answer)]
