"""Flux pipelines of the real architectures at real size with random weights, made in the card's memory: no download.

The numbers are those of the config.json files at https://huggingface.co/black-forest-labs; tokenizers are those of the
tests, since how words are cut changes no second of a picture.
"""

from pathlib import Path
from typing import Any

import diffusers
import torch
from servers import checkpoints
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5EncoderModel,
)

NOWHERE = Path("made in memory")
VAE: dict[str, Any] = {
    "in_channels": 3,
    "out_channels": 3,
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
}


def build(name: str, device: torch.device) -> Any:
    """The pipeline of "schnell", "dev" or "klein-4B" in bf16 on that device."""
    before = torch.get_default_dtype()
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with device:
            return _klein() if name == "klein-4B" else _flux_1(guided=name == "dev")
    finally:
        torch.set_default_dtype(before)


def _flux_1(*, guided: bool) -> Any:
    clip = CLIPTextConfig(
        vocab_size=49408,
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        projection_dim=768,
    )
    t5 = T5Config(
        vocab_size=32128,
        d_model=4096,
        d_kv=64,
        d_ff=10240,
        num_layers=24,
        num_heads=64,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
    )
    return diffusers.FluxPipeline(
        tokenizer=checkpoints.clip_tokenizer(),
        tokenizer_2=checkpoints.t5_tokenizer(),
        text_encoder=CLIPTextModel(clip),
        text_encoder_2=T5EncoderModel(t5),
        transformer=diffusers.FluxTransformer2DModel(in_channels=64, guidance_embeds=guided),  # the rest is its default
        vae=diffusers.AutoencoderKL(
            latent_channels=16,
            shift_factor=0.1159,
            scaling_factor=0.3611,
            use_quant_conv=False,
            use_post_quant_conv=False,
            **VAE,
        ),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0 if guided else 1.0, use_dynamic_shifting=guided),
    )


def _klein() -> Any:
    qwen = Qwen3Config(
        vocab_size=151936,
        hidden_size=2560,
        intermediate_size=9728,
        num_hidden_layers=36,
        num_attention_heads=32,
        num_key_value_heads=8,
        head_dim=128,
        tie_word_embeddings=True,
    )
    return diffusers.Flux2KleinPipeline(
        tokenizer=checkpoints.qwen_tokenizer(),
        text_encoder=Qwen3ForCausalLM(qwen),
        transformer=diffusers.Flux2Transformer2DModel(
            in_channels=128,
            num_layers=5,
            num_single_layers=20,
            attention_head_dim=128,
            num_attention_heads=24,
            joint_attention_dim=7680,
            guidance_embeds=False,
        ),
        vae=diffusers.AutoencoderKLFlux2(latent_channels=32, **VAE),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        is_distilled=True,
    )
