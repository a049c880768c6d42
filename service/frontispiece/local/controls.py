"""The edges and the depth of a picture, for the models that draw along them. Only the child imports this."""

from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps
from transformers import AutoImageProcessor, AutoModelForDepthEstimation

from frontispiece.errors import GeneratorProblem

LOW, HIGH = 50.0, 200.0  # https://huggingface.co/black-forest-labs/FLUX.1-Canny-dev draws with these
Values: TypeAlias = NDArray[np.float32]


def canny(picture: Image.Image) -> Image.Image:
    """White edges on black, one pixel wide, after J. Canny, "A Computational Approach to Edge Detection" (1986)."""
    grey = np.asarray(picture.convert("L").filter(ImageFilter.GaussianBlur(1.4)), np.float32)
    across, down = _slope(grey), _slope(grey.T).T
    steep = np.abs(across) + np.abs(down)
    thin = np.where(_is_ridge(steep, across, down), steep, 0)
    edges = _connected(thin >= HIGH, thin >= LOW)
    return Image.fromarray((edges * 255).astype(np.uint8)).convert("RGB")


def _slope(grey: Values) -> Values:
    """Sobel's: how much lighter it gets to the right."""
    padded = np.pad(grey, 1, mode="edge")
    right = padded[:, 2:] - padded[:, :-2]
    slope: Values = right[:-2] + 2 * right[1:-1] + right[2:]
    return slope


def _is_ridge(steep: Values, across: Values, down: Values) -> NDArray[np.bool_]:
    """Whether neither neighbour along the slope is steeper; of two equal ones the first is taken."""
    padded = np.pad(steep, 1)
    octant = np.round(np.arctan2(down, across) / (np.pi / 4)).astype(int) % 4
    height, width = steep.shape
    ridge = np.zeros(steep.shape, bool)
    for number, (y, x) in enumerate([(0, 1), (1, 1), (1, 0), (1, -1)]):
        before = padded[1 - y : 1 - y + height, 1 - x : 1 - x + width]
        after = padded[1 + y : 1 + y + height, 1 + x : 1 + x + width]
        ridge |= (octant == number) & (steep > before) & (steep >= after)
    return ridge


def _connected(sure: NDArray[np.bool_], maybe: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What is sure, and what may be and touches it, over any number of pixels."""
    while True:
        grown = sure.copy()
        padded = np.pad(sure, 1)
        height, width = sure.shape
        for y in range(3):
            for x in range(3):
                grown |= padded[y : y + height, x : x + width]
        grown &= maybe
        grown |= sure
        if (grown == sure).all():
            return sure
        sure = grown


@lru_cache(maxsize=1)
def _estimator(folder: Path) -> tuple[AutoImageProcessor, torch.nn.Module]:
    try:
        processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        model = AutoModelForDepthEstimation.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError) as problem:
        raise GeneratorProblem(f"the depth model in {folder} cannot be loaded: {problem}") from problem
    return processor, model.eval()


def depth(picture: Image.Image, folder: Path) -> Image.Image:
    """Grey by distance, near is light, as the depth model in `folder` estimates it."""
    processor, model = _estimator(folder)
    estimated = model(**processor(images=picture, return_tensors="pt")).predicted_depth[0].float()
    near, far = estimated.max(), estimated.min()
    grey = ((estimated - far) / (near - far).clamp(min=1e-6) * 255).to(torch.uint8).cpu().numpy()
    return ImageOps.fit(Image.fromarray(grey), picture.size).convert("RGB")
