"""Pictures: what is refused, and what a finished one is."""

import io
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from struct import pack

import pytest
from PIL import Image

from frontispiece import images
from frontispiece.errors import PictureProblem

FACTS = images.Provenance("flux-2-pro", datetime(2026, 11, 21, 10, tzinfo=UTC), "render-7", "A <b> & \x00 sea")
TRAINED = b"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
FORMATS: tuple[images.Format, ...] = ("webp", "jpeg", "avif", "png")


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def photo(width: int = 320, height: int = 200) -> Image.Image:
    return Image.radial_gradient("L").resize((width, height)).convert("RGB")


def bomb(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return pack(">I", len(body)) + name + body + pack(">I", zlib.crc32(name + body))

    packer = zlib.compressobj()
    row = bytes(1 + width // 8 + 1)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = pack(">2I5B", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def finished(data: bytes, **changes: object) -> images.Fitted:
    options: dict[str, object] = {"width": 160, "height": 90, "format": "webp", "max_bytes": 0, "facts": FACTS}
    return images.finish(data, **(options | changes))  # type: ignore[arg-type]


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_a_picture_is_known_by_its_bytes(kind: str) -> None:
    assert images.check(saved(photo(), kind)) == images.Facts(320, 200, f"image/{kind.lower()}")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("share", [0.03, 0.5, 0.9])
def test_a_truncated_picture_is_refused(kind: str, share: float) -> None:
    data = saved(photo(), kind)
    with pytest.raises(PictureProblem, match=r"cut off or damaged|not a picture"):
        images.check(data[: int(len(data) * share)])


def test_a_bomb_is_refused_from_its_header_alone() -> None:
    data = bomb(13_000, 13_000)[:64]  # with no pixels left to unpack, the size must be what is refused
    with pytest.raises(PictureProblem, match="13000 × 13000 pixels; at most 40 million"):
        images.check(data)


def test_a_whole_bomb_is_refused() -> None:
    with pytest.raises(PictureProblem, match="at most 40 million"):
        images.check(bomb(13_000, 13_000))


def test_a_webp_that_claims_to_be_enormous_is_refused() -> None:
    side = (16_382).to_bytes(3, "little")
    with pytest.raises(PictureProblem, match="enormous"):
        images.check(b"RIFF" + pack("<I", 22) + b"WEBPVP8X" + pack("<I", 10) + bytes(4) + side + side)


def test_a_picture_at_the_edge_of_the_limit_is_taken() -> None:
    assert images.check(bomb(8_000, 5_000)).width == 8_000


@pytest.mark.parametrize("size", [(20_000, 40), (8, 8)])
def test_absurd_sides_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(PictureProblem, match="each side must have 16 to 16383"):
        images.check(bomb(*size))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "nothing was received"),
        (b"<!DOCTYPE html><title>503</title>", "A web page came"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"GIF89a" + bytes(40), "not a picture that can be used"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "not a picture that can be used"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 50, "damaged"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(PictureProblem, match=words):
        images.check(data)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_crop_has_exactly_the_size_of_the_slot(kind: images.Format) -> None:
    picture = finished(saved(photo(331, 207)), format=kind, width=143, height=97)
    assert (opened(picture.data).size, picture.width, picture.height) == ((143, 97), 143, 97)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_marker_of_how_it_was_made_is_in_every_format(kind: images.Format) -> None:
    picture = finished(saved(photo()), format=kind)
    assert (TRAINED in picture.data, picture.mime) == (True, f"image/{kind}")


@pytest.mark.parametrize("kind", FORMATS)
def test_any_reader_of_xmp_finds_the_marker(kind: images.Format) -> None:
    info = opened(finished(saved(photo()), format=kind).data).info
    packet = info.get("xmp") or info["XML:com.adobe.xmp"].encode()
    assert packet == images.xmp(FACTS)


def test_the_words_of_the_marker_are_escaped() -> None:
    import xml.etree.ElementTree as ET

    said = ET.fromstring(images.xmp(FACTS).decode().split("?>", 1)[1].rsplit("<?", 1)[0])
    text = [element.text for element in said.iter() if element.text]
    assert "A <b> &  sea" in text


def test_a_sketch_is_not_marked_as_made_by_a_model() -> None:
    packet = images.xmp(images.Provenance("sketch", FACTS.made, "x", source="algorithmicMedia"))
    assert (b"digitalsourcetype/algorithmicMedia" in packet, b"AISystemUsed" in packet) == (True, False)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_place_where_the_source_was_taken_is_gone(kind: images.Format) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    exif.get_ifd(0x8825)[1] = "N"
    source = saved(photo(), "JPEG", exif=exif, comment=b"SECRETNOTE", xmp=b"<SECRETXMP/>")
    picture = opened(finished(source, format=kind).data)
    assert (dict(picture.getexif()), dict(picture.getexif().get_ifd(0x8825))) == ({0x0131: "Frontispiece"}, {})


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_else_of_the_source_rides_along(kind: images.Format) -> None:
    source = saved(photo(), "JPEG", comment=b"SECRETNOTE", xmp=b"<SECRETXMP/>", icc_profile=b"SECRETPROFILE")
    assert b"SECRET" not in finished(source, format=kind).data


def test_a_small_source_is_never_enlarged_and_keeps_the_ratio_of_the_slot() -> None:
    picture = finished(saved(photo(320, 200)), width=1600, height=900)
    assert (picture.width, picture.height) == (320, 180)


@pytest.mark.parametrize(("focal", "colour"), [((0.0, 0.5), (255, 0, 0)), ((1.0, 0.5), (0, 0, 255))])
def test_the_crop_keeps_the_focal_point(focal: tuple[float, float], colour: tuple[int, int, int]) -> None:
    source = Image.new("RGB", (300, 100), (255, 0, 0))
    source.paste((0, 0, 255), (150, 0, 300, 100))
    picture = opened(finished(saved(source), width=100, height=100, format="png", focal=focal).data)
    assert picture.getpixel((50, 50)) == colour


def test_a_picture_lying_on_its_side_is_set_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: turn right
    picture = finished(saved(photo(300, 200), "JPEG", exif=exif), width=200, height=300)
    assert (picture.width, picture.height) == (200, 300)


@pytest.mark.parametrize("kind", ["webp", "jpeg", "avif"])
def test_the_byte_budget_is_kept_by_lower_quality(kind: images.Format) -> None:
    source = saved(Image.effect_noise((320, 200), 40).convert("RGB"))
    free = finished(source, format=kind)
    held = finished(source, format=kind, max_bytes=int(len(free.data) * 0.8))
    assert (len(held.data) <= len(free.data) * 0.8, held.within, held.quality < free.quality) == (True, True, True)


def test_a_budget_that_cannot_be_kept_is_said() -> None:
    picture = finished(saved(photo()), max_bytes=10)
    assert (picture.within, picture.quality, len(picture.data) > 10) == (False, 40, True)


def test_a_see_through_source_is_laid_on_white_for_jpeg() -> None:
    picture = opened(finished(saved(Image.new("RGBA", (200, 200), (0, 0, 0, 0))), format="jpeg").data)
    assert picture.getpixel((5, 5)) == (255, 255, 255)


def test_two_threads_that_encode_one_picture_never_mix_their_settings() -> None:
    image, tries = Image.effect_noise((256, 256), 40).convert("RGB"), [(kind, q) for kind in FORMATS for q in (30, 90)]
    alone = [images._encoded(image, kind, quality, b"") for kind, quality in tries]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda one: images._encoded(image, one[0], one[1], b""), tries * 10))
    assert together == alone * 10


def test_a_thumbnail_shows_the_whole_picture_and_is_never_enlarged() -> None:
    sizes = [opened(made).size for made in images.thumbnails(saved(photo(320, 200)), 160, 4000)]
    assert sizes == [(160, 100), (320, 200)]
