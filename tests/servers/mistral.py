"""The text encoder of FLUX.2 dev, tiny and random, and its tokenizer in a folder as the Hub has it.

https://huggingface.co/black-forest-labs/FLUX.2-dev/tree/main/tokenizer names a processor of words and pictures.
"""

import json
from pathlib import Path
from typing import Any

MARKS = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[IMG]", "<pad>"]
MARKS += ["[IMG_BREAK]", "[IMG_END]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"]
LAYERS = 31  # FLUX.2 dev reads the 10th, 20th and 30th
TOKEN_LIMIT = 512
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% set mark = 'SYSTEM_PROMPT' if message.role == 'system' else 'INST' %}"
    "[{{ mark }}]{% for part in message.content %}{{ part.text if part.type == 'text' else '[IMG]' }}{% endfor %}"
    "[/{{ mark }}]{% endfor %}"
)


def tokenizer() -> Any:
    """Each byte is a token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    numbered = {token: number for number, token in enumerate([*MARKS, *alphabet])}
    made = Tokenizer(models.BPE(vocab=numbered, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    unknown, begin, end = MARKS[:3]
    named = {"unk_token": unknown, "bos_token": begin, "eos_token": end, "pad_token": "<pad>"}
    return PreTrainedTokenizerFast(
        tokenizer_object=made, additional_special_tokens=MARKS[3:], chat_template=TEMPLATE, **named
    )


def encoder(tokenizer: Any) -> Any:
    from transformers import Mistral3Config, Mistral3ForConditionalGeneration, MistralConfig, PixtralVisionConfig

    heads: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2, "head_dim": 8}
    words = MistralConfig(
        vocab_size=len(tokenizer),
        num_hidden_layers=LAYERS,
        num_key_value_heads=1,
        max_position_embeddings=TOKEN_LIMIT,
        sliding_window=None,
        **heads,
    )
    pictures = PixtralVisionConfig(num_hidden_layers=1, image_size=32, patch_size=8, **heads)
    config = Mistral3Config(
        text_config=words,
        vision_config=pictures,
        image_token_index=MARKS.index("[IMG]"),
        tie_word_embeddings=False,
    )
    return Mistral3ForConditionalGeneration(config)


def as_on_the_hub(folder: Path) -> None:
    """The names that the Hub has for the parts of the processor, which cannot be made without torchvision."""
    words = folder / "tokenizer"
    _write(folder / "model_index.json", tokenizer=["transformers", "PixtralProcessor"])
    _write(words / "tokenizer_config.json", tokenizer_class="LlamaTokenizerFast", processor_class="PixtralProcessor")
    _write(words / "processor_config.json", processor_class="PixtralProcessor", patch_size=8, spatial_merge_size=2)
    _write(
        words / "preprocessor_config.json",
        image_processor_type="PixtralImageProcessor",
        processor_class="PixtralProcessor",
        size={"longest_edge": 32},
        patch_size={"height": 8, "width": 8},
    )


def _write(file: Path, **changed: Any) -> None:
    said = json.loads(file.read_bytes()) if file.exists() else {}
    file.write_text(json.dumps(said | changed, indent=2))
