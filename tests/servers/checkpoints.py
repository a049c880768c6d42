"""Tiny checkpoints of the real Flux architectures, with random weights: `python tests/servers/checkpoints.py FOLDER`.

Folders as the Hub has them, that the real loader loads; the pictures are noise. Each is a megabyte and the same bytes
in every run, because the tokenizers are written out, not trained. Runs in a process of its own, so that a test's own
process stays free of torch.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

QUIET = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS")
OWNER = "tiny-flux"
TOKEN_LIMIT = 512


def build(folder: Path) -> None:
    """Writes all checkpoints below `folder`/tiny-flux."""
    import torch
    from servers import mistral

    torch.set_num_threads(1)
    for name, make in CHECKPOINTS.items():
        torch.manual_seed(0)
        make().save_pretrained(folder / OWNER / name, safe_serialization=True)
    mistral.as_on_the_hub(folder / OWNER / "flux-2-dev")
    _lora(folder / "red.safetensors", "transformer.transformer_blocks.0.attn.to_q", 32)
    _lora(folder / "wide.safetensors", "transformer.transformer_blocks.0.attn.to_q", 48)
    _lora(folder / "foreign.safetensors", "unet.down_blocks.0.attentions.0.to_q", 32)
    _depth(folder / OWNER / "depth")


def _flux_1(kind: str = "FluxPipeline", channels: int = 16, *, guided: bool = False, **extra: Any) -> Any:
    """FLUX.1's parts; `channels` are those that its transformer takes in (64 in the real text-to-image model)."""
    import diffusers

    tokenizer, tokenizer_2 = clip_tokenizer(), t5_tokenizer()
    return getattr(diffusers, kind)(
        tokenizer=tokenizer,
        tokenizer_2=tokenizer_2,
        text_encoder=_clip(tokenizer),
        text_encoder_2=_t5(tokenizer_2),
        vae=_vae(),
        transformer=_transformer(channels, guided=guided),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0 if guided else 1.0, use_dynamic_shifting=guided),
        **extra,
    )


def _transformer(channels: int, *, guided: bool) -> Any:
    from diffusers import FluxTransformer2DModel

    return FluxTransformer2DModel(
        patch_size=1,
        in_channels=channels,
        out_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        guidance_embeds=guided,
        axes_dims_rope=(4, 4, 8),
    )


def _vae(kind: str = "AutoencoderKL", **extra: Any) -> Any:
    import diffusers

    if not extra:
        extra = {"shift_factor": 0.1159, "scaling_factor": 0.3611}
        extra |= {"use_quant_conv": False, "use_post_quant_conv": False}
    return getattr(diffusers, kind)(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),  # four blocks keep the real scale of 8
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=64,
        **extra,
    )


def clip_tokenizer() -> Any:
    from transformers import CLIPTokenizer

    marks = ["<|startoftext|>", "<|endoftext|>"]
    tokens = [*_bytes(), *(f"{symbol}</w>" for symbol in _bytes()), *marks]
    return CLIPTokenizer(vocab=_numbered(tokens), merges=[], model_max_length=77)


def _clip(tokenizer: Any) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=77,
        projection_dim=32,
    )
    return CLIPTextModel(config)


def t5_tokenizer() -> Any:
    from transformers import T5TokenizerFast

    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    words += [(chr(code), -3.0) for code in range(33, 127)]
    return T5TokenizerFast(vocab=words, extra_ids=0, model_max_length=TOKEN_LIMIT)


def _t5(tokenizer: Any) -> Any:
    from transformers import T5Config, T5EncoderModel

    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
    )
    return T5EncoderModel(config)


def _klein() -> Any:
    tokenizer = qwen_tokenizer()
    return _flux_2("Flux2KleinPipeline", tokenizer, _qwen(tokenizer), guided=False, is_distilled=True)


def _dev_2() -> Any:
    from servers import mistral

    tokenizer = mistral.tokenizer()
    return _flux_2("Flux2Pipeline", tokenizer, mistral.encoder(tokenizer), guided=True)


def _flux_2(kind: str, tokenizer: Any, encoder: Any, *, guided: bool, **extra: Any) -> Any:
    import diffusers

    return getattr(diffusers, kind)(
        tokenizer=tokenizer,
        text_encoder=encoder,
        transformer=_transformer_2(guided=guided),
        vae=_vae("AutoencoderKLFlux2", use_quant_conv=True, use_post_quant_conv=True, patch_size=(2, 2)),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        **extra,
    )


def _transformer_2(*, guided: bool) -> Any:
    from diffusers import Flux2Transformer2DModel

    return Flux2Transformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=48,  # three layers of the text encoder beside each other
        timestep_guidance_channels=32,
        mlp_ratio=3.0,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=guided,
    )


def qwen_tokenizer() -> Any:
    from transformers import Qwen2TokenizerFast

    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = Qwen2TokenizerFast(
        vocab=_numbered([*_bytes(), *marks]),
        merges=[],
        unk_token="<|endoftext|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=marks[1:],
        model_max_length=TOKEN_LIMIT,
    )
    tokenizer.chat_template = (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n"
        "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
    )
    return tokenizer


def _qwen(tokenizer: Any) -> Any:
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=28,  # FLUX.2 klein reads the 9th, 18th and 27th
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=TOKEN_LIMIT,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.pad_token_id,
    )
    return Qwen3ForCausalLM(config)


def _redux() -> Any:
    from diffusers import FluxPriorReduxPipeline
    from diffusers.pipelines.flux.modeling_flux import ReduxImageEncoder
    from transformers import SiglipImageProcessor, SiglipVisionConfig, SiglipVisionModel

    config = SiglipVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
    )
    return FluxPriorReduxPipeline(
        image_encoder=SiglipVisionModel(config),
        feature_extractor=SiglipImageProcessor(size={"height": 32, "width": 32}),
        image_embedder=ReduxImageEncoder(redux_dim=32, txt_in_features=32),
    )


def _lora(path: Path, layer: str, width: int) -> None:
    """A LoRA of rank 2 for one layer; FLUX.1's is 32 wide."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(1)
    down, up = torch.randn(2, width), torch.randn(width, 2)
    save_file({f"{layer}.lora_A.weight": down, f"{layer}.lora_B.weight": up}, path)


def _depth(folder: Path) -> None:
    """A model that estimates depth, of the kind of Depth Anything."""
    import torch
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config, DPTImageProcessor

    torch.manual_seed(2)
    backbone = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=56,
        patch_size=14,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=16,
        patch_size=14,
        neck_hidden_sizes=[4, 4, 8, 8],
        fusion_hidden_size=8,
        head_in_channels=8,
        head_hidden_size=4,
    )
    model = DepthAnythingForDepthEstimation(config)
    for each in model.parameters():
        torch.nn.init.normal_(each, std=0.5)  # with what it begins with it sees nothing
    for each in model.head.conv3.parameters():
        each.data.abs_()  # it has no depths below zero
    model.save_pretrained(folder)
    DPTImageProcessor(size={"height": 56, "width": 56}).save_pretrained(folder)


def _bytes() -> list[str]:
    from tokenizers import pre_tokenizers

    return sorted(pre_tokenizers.ByteLevel.alphabet())


def _numbered(tokens: list[str]) -> dict[str, int]:
    return {token: number for number, token in enumerate(tokens)}


CHECKPOINTS: dict[str, Callable[[], Any]] = {
    "schnell": _flux_1,
    "dev": lambda: _flux_1(guided=True),
    "klein": _klein,
    "flux-2-dev": _dev_2,
    "fill": lambda: _flux_1("FluxFillPipeline", 16 + 16 + 256, guided=True),
    "kontext": lambda: _flux_1("FluxKontextPipeline", guided=True),
    "control": lambda: _flux_1("FluxControlPipeline", 32, guided=True),
    "redux": _redux,
}

if __name__ == "__main__":
    os.environ |= dict.fromkeys(QUIET, "1")
    sys.path.insert(0, str(Path(__file__).parent.parent))  # where `servers` is found
    build(Path(sys.argv[1]))
