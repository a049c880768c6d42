"""Writes plugins/woocommerce/deliveries/*.http anew, as the stand-in sends them: WooCommerce's documented messages.

PYTHONPATH=tests python -m servers.record_woocommerce
"""

import io
import tempfile
from pathlib import Path

from PIL import Image
from servers.recorder import Recorder, recording
from servers.woocommerce import Server

FOLDER = Path(__file__).parents[2] / "plugins/woocommerce/deliveries"


def main() -> None:
    """One file for each kind of delivery."""
    with recording() as service, tempfile.TemporaryDirectory() as folder:
        service.status = 200
        shop = Server(Path(folder))
        shop.start()
        try:
            shop.hook(f"{service.url}/hooks/shop")
            for _ in shop.shop.webhooks:
                service.take()  # their pings
            _record(shop, service)
        finally:
            shop.stop()


def _record(shop: Server, service: Recorder) -> None:
    draft = shop.create("draft", title="Zwölf Boote & ein <em>Hafen</em>")
    _keep(service, "created")
    shop.shop.save(int(draft), {"status": "publish"})
    _keep(service, "published")
    file = io.BytesIO()
    Image.new("RGB", (64, 36)).save(file, "png")
    shop.set_image(draft, file.getvalue())
    _keep(service, "updated")
    shop.delete(draft)
    _keep(service, "deleted")


def _keep(service: Recorder, name: str) -> None:
    (FOLDER / f"{name}.http").write_bytes(service.take().raw)


if __name__ == "__main__":
    main()
