"""What ComfyUI knows of its nodes: the classes that Flux needs, the check of a workflow, and a walk along its links.

Sources: execution.py, nodes.py and comfy_extras/ of https://github.com/Comfy-Org/ComfyUI (0.3.64, and for FLUX.2 those
of 2026). What is stricter than ComfyUI: an input that a node does not have is refused.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageOps
from servers.bfl import draw

SIDE: dict[str, Any] = {"min": 16, "max": 16384}
SEED: dict[str, Any] = {"min": 0, "max": 2**64 - 1}
CFG: dict[str, Any] = {"min": 0.0, "max": 100.0}
Spec = tuple[Any, dict[str, Any]]  # the type of an input, or its choices, and its limits

FILES = {
    "diffusion_models": [
        *("flux1-schnell.safetensors", "flux1-dev.safetensors", "flux1-dev-kontext_fp8_scaled.safetensors"),
        *("flux1-fill-dev.safetensors", "flux-2-klein-4b.safetensors"),
    ],
    "text_encoders": ["clip_l.safetensors", "t5xxl_fp16.safetensors", "qwen_3_4b.safetensors"],
    "vae": ["ae.safetensors", "flux2-vae.safetensors"],
}


@dataclass(frozen=True)
class Class:
    """A class of nodes: what goes in and what comes out."""

    required: Mapping[str, Spec]
    outputs: tuple[str, ...] = ()
    optional: Mapping[str, Spec] = field(default_factory=dict)
    ends: bool = False  # OUTPUT_NODE


def of(kind: str) -> Spec:
    return kind, {}


def one(*choices: str) -> Spec:
    return list(choices), {}


def loaders(files: Mapping[str, list[str]], uploads: list[str]) -> dict[str, Class]:
    """The nodes that offer the files which the server has."""
    device, encoders = {"device": one("default", "cpu")}, one(*files["text_encoders"])
    weights = one("default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2")
    return {
        "UNETLoader": Class({"unet_name": one(*files["diffusion_models"]), "weight_dtype": weights}, ("MODEL",)),
        "DualCLIPLoader": Class(
            {"clip_name1": encoders, "clip_name2": encoders, "type": one("sdxl", "sd3", "flux")}, ("CLIP",), device
        ),
        "CLIPLoader": Class({"clip_name": encoders, "type": one("stable_diffusion", "flux2")}, ("CLIP",), device),
        "VAELoader": Class({"vae_name": one(*files["vae"])}, ("VAE",)),
        "LoadImage": Class({"image": one(*uploads)}, ("IMAGE", "MASK")),
    }  # fmt: skip


SIZES: Mapping[str, Spec] = {"width": ("INT", SIDE), "height": ("INT", SIDE)}
EMPTY = {**SIZES, "batch_size": ("INT", {"min": 1, "max": 4096})}
BOTH = {"positive": of("CONDITIONING"), "negative": of("CONDITIONING")}
SAMPLER, SCHEDULER = one("euler", "dpmpp_2m", "ddim"), one("simple", "sgm_uniform", "karras", "beta", "normal")
STEPS: Mapping[str, Spec] = {"seed": ("INT", SEED), "steps": ("INT", {"min": 1, "max": 10000}), "cfg": ("FLOAT", CFG)}
METHODS = one("nearest-exact", "bilinear", "area", "bicubic", "lanczos")
SCALE = {"upscale_method": METHODS, "crop": one("disabled", "center")}
SCALED: Mapping[str, Spec] = {"width": ("INT", {"min": 0, "max": 16384}), "height": ("INT", {"min": 0, "max": 16384})}
ADVANCED = {"noise": of("NOISE"), "guider": of("GUIDER"), "sampler": of("SAMPLER"), "sigmas": of("SIGMAS")}
INPAINT = {**BOTH, "vae": of("VAE"), "pixels": of("IMAGE"), "mask": of("MASK"), "noise_mask": of("BOOLEAN")}
NODES: dict[str, Class] = {
    "CLIPTextEncode": Class({"text": of("STRING"), "clip": of("CLIP")}, ("CONDITIONING",)),
    "ConditioningZeroOut": Class({"conditioning": of("CONDITIONING")}, ("CONDITIONING",)),
    "FluxGuidance": Class({"conditioning": of("CONDITIONING"), "guidance": ("FLOAT", CFG)}, ("CONDITIONING",)),
    "ReferenceLatent": Class(
        {"conditioning": of("CONDITIONING")}, ("CONDITIONING",), {"latent": of("LATENT")}
    ),
    "EmptySD3LatentImage": Class(EMPTY, ("LATENT",)),
    "EmptyFlux2LatentImage": Class(EMPTY, ("LATENT",)),
    "ImageScale": Class({"image": of("IMAGE"), **SCALE, **SCALED}, ("IMAGE",)),
    "FluxKontextImageScale": Class({"image": of("IMAGE")}, ("IMAGE",)),
    "ImageToMask": Class({"image": of("IMAGE"), "channel": one("red", "green", "blue", "alpha")}, ("MASK",)),
    "VAEEncode": Class({"pixels": of("IMAGE"), "vae": of("VAE")}, ("LATENT",)),
    "VAEDecode": Class({"samples": of("LATENT"), "vae": of("VAE")}, ("IMAGE",)),
    "InpaintModelConditioning": Class(INPAINT, ("CONDITIONING", "CONDITIONING", "LATENT")),
    "KSampler": Class(
        {"model": of("MODEL"), **STEPS, "sampler_name": SAMPLER, "scheduler": SCHEDULER, **BOTH,
         "latent_image": of("LATENT"), "denoise": ("FLOAT", {"min": 0.0, "max": 1.0})}, ("LATENT",)
    ),
    "RandomNoise": Class({"noise_seed": ("INT", SEED)}, ("NOISE",)),
    "CFGGuider": Class({"model": of("MODEL"), **BOTH, "cfg": ("FLOAT", CFG)}, ("GUIDER",)),
    "KSamplerSelect": Class({"sampler_name": SAMPLER}, ("SAMPLER",)),
    "Flux2Scheduler": Class({"steps": ("INT", {"min": 1, "max": 4096}), **SIZES}, ("SIGMAS",)),
    "SamplerCustomAdvanced": Class({**ADVANCED, "latent_image": of("LATENT")}, ("LATENT", "LATENT")),
    "SaveImage": Class({"images": of("IMAGE"), "filename_prefix": of("STRING")}, ends=True),
    "PreviewImage": Class({"images": of("IMAGE")}, ends=True),
}  # fmt: skip


class Checking:
    """What execution.py finds wrong with a workflow: `error` and `node_errors` of an answer, or None and {}."""

    def __init__(self, workflow: Mapping[str, Any], known: Mapping[str, Class]) -> None:
        self.workflow, self.known = workflow, known
        self.found: dict[str, list[dict[str, str]]] = {}
        self.error: dict[str, Any] | None = self._error()

    def _error(self) -> dict[str, Any] | None:
        for number, node in self.workflow.items():
            if node.get("class_type") not in self.known:
                title = node.get("_meta", {}).get("title", node.get("class_type"))
                words = f"Node '{title}' not found. The custom node may not be installed."
                return {"type": "missing_node_type", "message": words, "details": f"Node ID '#{number}'"}
        ends = [number for number, node in self.workflow.items() if self.known[node["class_type"]].ends]
        if not ends:
            return {"type": "prompt_no_outputs", "message": "Prompt has no outputs", "details": ""}
        good = [self._good(number) for number in ends]  # all of them, so that all complaints are told
        if any(good):
            return None
        words = "\n".join(f"{each['message']}: {each['details']}" for errors in self.found.values() for each in errors)
        kind = "prompt_outputs_failed_validation"
        return {"type": kind, "message": "Prompt outputs failed validation", "details": words, "extra_info": {}}

    @property
    def node_errors(self) -> dict[str, Any]:
        return {
            number: {"errors": errors, "dependent_outputs": [], "class_type": self.workflow[number]["class_type"]}
            for number, errors in self.found.items()
            if errors
        }

    def _good(self, number: str) -> bool:
        if number in self.found:
            return not self.found[number]
        node = self.workflow[number]
        kind, errors = self.known[node["class_type"]], self.found.setdefault(number, [])
        for name in sorted(set(node["inputs"]) - {*kind.required, *kind.optional}):
            errors.append(_wrong("unknown_input", "The node has no such input", name))
        upstream = True
        for name, spec in {**kind.required, **kind.optional}.items():
            if name not in node["inputs"]:
                errors += [_wrong("required_input_missing", "Required input is missing", name)] * (
                    name in kind.required
                )
            elif isinstance(node["inputs"][name], list):
                upstream = self._linked(name, node["inputs"][name], spec[0], errors) and upstream
            else:
                errors += _value(node["class_type"], name, node["inputs"][name], spec)
        return upstream and not errors

    def _linked(self, name: str, link: list[Any], wanted: Any, errors: list[dict[str, str]]) -> bool:
        try:
            source, slot = link
            made = self.known[self.workflow[source]["class_type"]].outputs[slot]
        except (KeyError, IndexError, ValueError) as problem:
            errors.append(_wrong("exception_during_validation", "Exception when validating node", str(problem)))
            return False
        if made != wanted:
            words = f"{name}, received_type({made}) mismatch input_type({wanted})"
            errors.append(_wrong("return_type_mismatch", "Return type mismatch between linked nodes", words))
            return False
        return self._good(source)


def _value(kind: str, name: str, value: Any, spec: Spec) -> list[dict[str, str]]:
    wanted, limits = spec
    if (kind, name) == ("LoadImage", "image"):
        words = f"image - Invalid image file: {value}"
        return (
            [] if value in wanted else [_wrong("custom_validation_failed", "Custom validation failed for node", words)]
        )
    if isinstance(wanted, list):
        return (
            []
            if value in wanted
            else [_wrong("value_not_in_list", "Value not in list", f"{name}: {value!r} not in {wanted}")]
        )
    try:
        value = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}[wanted](value)
    except (KeyError, ValueError) as problem:
        words = f"Failed to convert an input value to a {wanted} value"
        return [_wrong("invalid_input_type", words, f"{name}, {value}, {problem}")]
    if "min" in limits and value < limits["min"]:
        return [_wrong("value_smaller_than_min", f"Value {value} smaller than min of {limits['min']}", name)]
    if "max" in limits and value > limits["max"]:
        return [_wrong("value_bigger_than_max", f"Value {value} bigger than max of {limits['max']}", name)]
    return []


def _wrong(kind: str, message: str, details: str) -> dict[str, str]:
    return {"type": kind, "message": message, "details": details}


class Walk:
    """Walks a workflow along its links. What a link brings is a picture, a mask, or a mapping of what counts."""

    def __init__(self, workflow: Mapping[str, Any], uploads: Mapping[str, bytes]) -> None:
        self.workflow, self.uploads = workflow, uploads

    def saved(self) -> dict[str, tuple[str, Image.Image]]:
        """Each node that ends the workflow: the folder it saves to, and the picture."""
        ends = {"SaveImage": "output", "PreviewImage": "temp"}
        nodes = [(number, ends.get(node["class_type"])) for number, node in self.workflow.items()]
        return {number: (kind, self.value([number, 0])) for number, kind in nodes if kind}

    def value(self, given: Any) -> Any:
        """What an input is: the value itself, or what its link brings."""
        if not isinstance(given, list):
            return given
        number, slot = given
        node = self.workflow[number]
        got = {name: self.value(inner) for name, inner in node["inputs"].items()}
        if node["class_type"] == "LoadImage":
            return Image.open(io.BytesIO(self.uploads[got["image"]])).convert("RGB")
        made = DOES[node["class_type"]](got) if node["class_type"] in DOES else got
        return made[slot] if isinstance(made, tuple) else made


def _inpaint(got: dict[str, Any]) -> tuple[Any, Any, Any]:
    kept = {"kept": (got["pixels"], got["mask"])}
    return got["positive"] | kept, got["negative"] | kept, {"size": got["pixels"].size}


def _empty(got: dict[str, Any]) -> dict[str, Any]:
    return {"size": (int(got["width"]) // 16 * 16, int(got["height"]) // 16 * 16)}


def _drawn(model: str, words: dict[str, Any], latent: dict[str, Any], seed: int, strength: object) -> dict[str, Any]:
    """A drawing of all that counts; where there is a mask, the given picture is kept outside of it."""
    starts = [each.tobytes().hex()[:64] for each in (words.get("reference"), latent.get("pixels")) if each]
    text = " ".join([words["text"], str(words.get("guidance")), str(strength), *starts])
    picture = Image.open(io.BytesIO(draw(model, text, int(seed), latent["size"], "png"))).convert("RGB")
    if "kept" in words:
        whole, mask = words["kept"]
        picture = Image.composite(picture, whole, mask)
    return {"size": latent["size"], "pixels": picture}


DOES: Mapping[str, Callable[[dict[str, Any]], Any]] = {  # the others hand on what they got
    "UNETLoader": lambda got: got["unet_name"],
    "CLIPTextEncode": lambda got: {"text": got["text"]},
    "ConditioningZeroOut": lambda got: got["conditioning"],
    "FluxGuidance": lambda got: got["conditioning"] | {"guidance": got["guidance"]},
    "ReferenceLatent": lambda got: got["conditioning"] | {"reference": got["latent"]["pixels"]},
    "EmptySD3LatentImage": _empty,
    "EmptyFlux2LatentImage": _empty,
    "ImageScale": lambda got: ImageOps.fit(got["image"], (int(got["width"]), int(got["height"]))),
    "FluxKontextImageScale": lambda got: got["image"],
    "ImageToMask": lambda got: got["image"].getchannel("RGB".index(got["channel"][0].upper())),
    "VAEEncode": lambda got: {"size": got["pixels"].size, "pixels": got["pixels"]},
    "VAEDecode": lambda got: got["samples"]["pixels"],
    "InpaintModelConditioning": _inpaint,
    "KSampler": lambda got: _drawn(
        got["model"], got["positive"], got["latent_image"], got["seed"], (got["steps"], got["denoise"])
    ),
    "SamplerCustomAdvanced": lambda got: _drawn(
        got["guider"]["model"],
        got["guider"]["positive"],
        got["latent_image"],
        got["noise"]["noise_seed"],
        got["sigmas"]["steps"],
    ),
    "SaveImage": lambda got: got["images"],
    "PreviewImage": lambda got: got["images"],
}
