"""Pictures, with Pillow: is it one, and make it fit a slot (crop, size, encoding, byte budget, provenance).

Every picture that leaves the service goes through `finish`, the only place that writes files for a CMS, so the
marker that says how it was made is never lost on the way.
"""

import io
import re
import struct
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from xml.sax.saxutils import escape

from PIL import (
    AvifImagePlugin,
    ExifTags,
    Image,
    ImageCms,
    ImageFile,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from frontispiece.errors import PictureProblem

MOST_PIXELS = 40_000_000
MOST_SIDE = 16_383  # WebP's limit, and the smallest of the four formats'
LEAST_SIDE = 16
MOST_XMP = 60_000  # bytes
_BROKEN = (OSError, SyntaxError, ValueError, IndexError, TypeError, EOFError, struct.error, zlib.error)
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Format = Literal["webp", "jpeg", "avif", "png"]
# First quality, and the least that still looks right; each try in between is 8 lower.
_QUALITIES: dict[str, tuple[int, ...]] = {
    "webp": tuple(range(80, 39, -8)),
    "jpeg": tuple(range(82, 41, -8)),
    "avif": tuple(range(60, 27, -8)),
    "png": (100,),  # has no quality
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a picture is: `width` × `height` in pixels when upright, its MIME type, and `colour` on average (#rrggbb).

    One that can be seen through has no colour, "".
    """

    width: int
    height: int
    mime: str
    colour: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a picture came to be. `source` is a term of https://cv.iptc.org/newscodes/digitalsourcetype/.

    `id` is unique to the picture; `made` carries its time zone.
    """

    model: str
    made: datetime
    id: str
    description: str = ""
    source: Literal["trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia"] = (
        "trainedAlgorithmicMedia"
    )


@dataclass(frozen=True, slots=True)
class Fitted:
    """A picture as a slot wants it, `width` × `height` in pixels, and where the focal point is in it.

    `within` is False where even the lowest quality passes the byte budget: `data` is then the smallest there is.
    """

    data: bytes
    mime: str
    width: int
    height: int
    quality: int
    within: bool
    focal: tuple[float, float]


def check(data: bytes) -> Facts:
    """Says what the picture is, having decoded it once. Raises `PictureProblem` in words for a person.

    Takes PNG, JPEG, WebP and AVIF. The size is read from the header first, so a decompression bomb is never unpacked.
    """
    image = _loaded(data)
    lying = image.getexif().get(ExifTags.Base.Orientation, 1) in range(5, 9)
    width, height = (image.height, image.width) if lying else image.size
    return Facts(width, height, Image.MIME[image.format or ""], _colour(image))


def _colour(image: Image.Image) -> str:
    """What stands in for the picture until it is loaded; nothing stands behind one that can be seen through."""
    if image.has_transparency_data:
        return ""
    return "#" + _srgb(image).resize((1, 1), Image.Resampling.BOX).tobytes().hex()


def finish(
    data: bytes,
    *,
    width: int,
    height: int,
    format: Format,  # noqa: A002 - the word a slot uses
    max_bytes: int,
    facts: Provenance | None,
    focal: tuple[float, float] = (0.5, 0.5),
) -> Fitted:
    """Cuts the picture to `width` × `height` pixels around the focal point (0–1 from the left, 0–1 from the top).

    A smaller source is never enlarged: the result keeps the ratio at the size there is. Quality goes down in steps
    until `max_bytes` holds (0 = no budget). Foreign EXIF (GPS!) and XMP are dropped; a picture that a person gave has
    no `facts` and keeps its own XMP, where the credit stands. Raises as `check` does.
    """
    loaded = _loaded(data)
    marker = xmp(facts) if facts else _own_xmp(loaded)
    upright = _srgb(loaded)
    box = _box(upright, width, height, focal)
    image = _cut(upright, box, width, height)
    for quality in _QUALITIES[format]:
        encoded = _encoded(image, format, quality, marker)
        if not max_bytes or len(encoded) <= max_bytes:
            break
    within = not max_bytes or len(encoded) <= max_bytes
    inside = (
        (focal[0] * upright.width - box[0]) / (box[2] - box[0]),
        (focal[1] * upright.height - box[1]) / (box[3] - box[1]),
    )
    seen = (min(max(inside[0], 0.0), 1.0), min(max(inside[1], 0.0), 1.0))
    return Fitted(encoded, f"image/{format}", image.width, image.height, quality, within, seen)


def thumbnails(data: bytes, *widths: int) -> list[bytes]:
    """WebPs for the desk, each at most so many pixels wide, the whole picture in it. Raises as `check` does."""
    image = _srgb(_loaded(data))
    across = [min(width, image.width) for width in widths]
    sizes = [(each, max(1, round(image.height * each / image.width))) for each in across]
    smaller = (image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3) for size in sizes)
    return [_encoded(one, "webp", 76, b"") for one in smaller]


def xmp(facts: Provenance) -> bytes:
    """The XMP packet that says how the picture was made (https://iptc.org/std/photometadata/specification/)."""
    ai = f"<Iptc4xmpExt:AISystemUsed>{_xml(facts.model)}</Iptc4xmpExt:AISystemUsed>"
    about = f'<rdf:Alt><rdf:li xml:lang="x-default">{_xml(facts.description)}</rdf:li></rdf:Alt>'
    properties = [
        f"<Iptc4xmpExt:DigitalSourceType>{_SOURCE_TYPE}{facts.source}</Iptc4xmpExt:DigitalSourceType>",
        ai if facts.source != "algorithmicMedia" else "",
        "<xmp:CreatorTool>Frontispiece</xmp:CreatorTool>",
        f"<xmp:CreateDate>{facts.made.isoformat(timespec='seconds')}</xmp:CreateDate>",
        f"<dc:identifier>{_xml(facts.id)}</dc:identifier>",
        f"<dc:description>{about}</dc:description>" if facts.description else "",
    ]
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        f'{"".join(properties)}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("", text)[:4000])  # a JPEG has room for 64 kB of XMP


def _loaded(data: bytes) -> ImageFile.ImageFile:
    image = _opened(data)
    _refuse_absurd(image.width, image.height)
    try:
        image.load()
    except _BROKEN as problem:
        raise PictureProblem(f"The picture is cut off or damaged: {problem}.") from problem
    return image


def _opened(data: bytes) -> ImageFile.ImageFile:
    # Image.open warns about large pictures through the process-wide warning filters; the format's own class does not.
    kind = _kind(data)
    try:
        return kind(io.BytesIO(data))
    except Image.DecompressionBombError as problem:  # the WebP class looks at the size by itself
        raise PictureProblem(f"The picture would unpack to something enormous: {problem}") from problem
    except _BROKEN as problem:
        raise PictureProblem(f"The picture is cut off or damaged: {problem}.") from problem


def _kind(data: bytes) -> type[ImageFile.ImageFile]:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PngImagePlugin.PngImageFile
    if data.startswith(b"\xff\xd8\xff"):
        return JpegImagePlugin.JpegImageFile
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WebPImagePlugin.WebPImageFile
    if data[4:8] == b"ftyp" and data[8:12] in {b"avif", b"avis", b"mif1"}:
        return AvifImagePlugin.AvifImageFile
    raise PictureProblem(_what_it_is_instead(data))


def _what_it_is_instead(data: bytes) -> str:
    start = data[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not data:
        return "The picture is empty: nothing was received."
    if b"<svg" in start:
        return "The picture is an SVG drawing, which is never rendered here; PNG, JPEG, WebP or AVIF was expected."
    if start.startswith(b"<"):
        return "A web page came instead of a picture; PNG, JPEG, WebP or AVIF was expected."
    return "These bytes are not a picture that can be used; PNG, JPEG, WebP or AVIF was expected."


def _refuse_absurd(width: int, height: int) -> None:
    said = f"The picture is {width} × {height} pixels"
    if width * height > MOST_PIXELS:
        raise PictureProblem(f"{said}; at most {MOST_PIXELS // 1_000_000} million in all are unpacked.")
    if min(width, height) < LEAST_SIDE or max(width, height) > MOST_SIDE:
        raise PictureProblem(f"{said}; each side must have {LEAST_SIDE} to {MOST_SIDE}.")


def _srgb(image: Image.Image) -> Image.Image:
    """Upright, in RGB or RGBA, in sRGB (which browsers assume where no profile is embedded)."""
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    see_through = image.has_transparency_data
    if profile and image.mode in {"RGB", "CMYK"}:
        image = _converted(image, profile)
    return image.convert("RGBA" if see_through else "RGB")


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        result = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image  # a broken profile is worth less than the picture
    return result or image


def _own_xmp(image: Image.Image) -> bytes:
    """The XMP packet that a file brought along, as far as a JPEG has room for it."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    own: bytes = packet.encode() if isinstance(packet, str) else packet
    return own if len(own) < MOST_XMP else b""


Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels


def _box(image: Image.Image, width: int, height: int, focal: tuple[float, float]) -> Box:
    """The largest part of that ratio with the focal point as near to its middle as the edges allow."""
    scale = min(image.width / width, image.height / height)
    across, down = width * scale, height * scale
    left = min(max(focal[0] * image.width - across / 2, 0), image.width - across)
    top = min(max(focal[1] * image.height - down / 2, 0), image.height - down)
    return left, top, min(left + across, image.width), min(top + down, image.height)


def _cut(image: Image.Image, box: Box, width: int, height: int) -> Image.Image:
    smaller = min((box[2] - box[0]) / width, 1.0)
    size = (max(1, round(width * smaller)), max(1, round(height * smaller)))
    return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3)


def _encoded(image: Image.Image, format: Format, quality: int, marker: bytes) -> bytes:  # noqa: A002 - a slot's word
    # Image.save keeps its settings on the object, so two threads saving one object mix them up: a copy for each save.
    copy = _flat(image) if format == "jpeg" else image.copy()
    copy.info.clear()  # some encoders take EXIF, XMP and comments of the source from here
    exif = Image.Exif()
    exif[0x0131] = "Frontispiece"  # Software
    out = io.BytesIO()
    if format == "png":
        text = PngImagePlugin.PngInfo()
        if marker:
            text.add_itxt("XML:com.adobe.xmp", marker.decode())
        copy.save(out, "PNG", optimize=True, exif=exif, pnginfo=text)
    elif format == "jpeg":
        copy.save(out, "JPEG", quality=quality, progressive=True, subsampling="4:2:0", exif=exif, xmp=marker)
    elif format == "webp":
        copy.save(out, "WEBP", quality=quality, method=4, exif=exif, xmp=marker)
    else:
        copy.save(out, "AVIF", quality=quality, speed=8, max_threads=1, exif=exif, xmp=marker)
    return out.getvalue()


def _flat(image: Image.Image) -> Image.Image:
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image if image.mode == "RGBA" else None)
    return white
