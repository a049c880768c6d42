"""A stand-in for a WooCommerce shop: the contract of `woocommerce_shop.py`, served over HTTP."""

from pathlib import Path

from servers.serving import Serving
from servers.site import Site, State
from servers.woocommerce_shop import PASSWORDS, Shop

__all__ = ["Server"]

STATUS = {"draft": "draft", "published": "publish"}


class Server(Site):
    """One shop; `connect` of the plugin makes its webhooks, as an operator would have it."""

    plugin = "woocommerce"
    kind = "product"
    version = "REST v3 of WooCommerce 11"
    real = False
    states = ("draft", "published")

    def __init__(self, folder: Path) -> None:  # noqa: ARG002 - it keeps nothing on disk
        self.shop = Shop()
        self.serving = Serving(self.shop.app)
        self.url = self.shop.url = self.serving.url
        self.keys = {"user": "frontispiece", "password": PASSWORDS["frontispiece"]}

    def start(self) -> None:
        self.serving.start()
        self.shop.start()

    def stop(self) -> None:
        self.shop.stop()
        self.serving.stop()

    def hook(self, address: str) -> None:
        adapter = self.adapter()
        with adapter.open() as api:
            adapter.connect(api, address)

    def create(self, state: State, title: str = "A day at sea") -> str:
        return str(self.shop.save(None, {"name": title, "status": STATUS[state]})["id"])

    def state(self, ref: str) -> State:
        return "published" if self.shop.products[int(ref)]["status"] == "publish" else "draft"

    def title(self, ref: str) -> str:
        return str(self.shop.products[int(ref)]["name"])

    def public_title(self, ref: str) -> str:
        return self.title(ref) if self.state(ref) == "published" else ""

    def gallery(self, ref: str) -> list[str]:
        """The ids of all images, the main one first."""
        return [str(one["id"]) for one in self.shop.shown(self.shop.products[int(ref)])["images"]]

    def image(self, ref: str) -> str:
        return next(iter(self.gallery(ref)), "")

    def alt(self, ref: str) -> str:
        return str(self.shop.media[int(self.image(ref))]["alt_text"])

    def set_image(self, ref: str, data: bytes) -> None:
        number = self.shop.upload("theirs.png", data, {"post": ref})["id"]
        self.shop.save(int(ref), {"images": [{"id": number}]})

    def rename(self, ref: str, title: str) -> None:
        self.shop.save(int(ref), {"name": title})

    def delete(self, ref: str) -> None:
        self.shop.trash(int(ref))

    def pictures(self) -> int:
        return len(self.shop.media)
