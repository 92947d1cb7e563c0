"""Writes a OneLLM checkpoint of random weights in the published format, with a tokenizer.

    .venv/bin/python tools/make_onellm.py FOLDER --size tiny

FOLDER gets consolidated.00-of-01.pth (with --parts consolidated.00-of-01.s0.pth and on), params.json and
tokenizer.model. Names and shapes of the tensors are the published ones, see the sources of csuhan/OneLLM 8587a47;
the same arguments and torch give the same bytes. Weights are spread so that activations keep their size and
attention its peaks: answers depend on what the scenes show, but they mean nothing.
"""

import argparse
import collections
import json
import pathlib
import sys

import torch

import sentence_piece_model

ROOT = pathlib.Path(__file__).resolve().parent.parent
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
MODALITIES = ("image", "video", "audio", "point", "rgbd", "rgbn", "fmri", "imu")
# Tokens with the class token, for what does not share the pictures' positions.
POSITIONS = {"audio": 1213, "point": 1025, "fmri": 9, "imu": 392}
FMRI_VOXELS, FMRI_PATCH = 15724, 8

SIZES = {
    # Small enough to be made whenever a test wants it.
    "tiny": dict(width=64, heads=4, layers=3, multiple_of=32, clip_width=128, clip_layers=2, resampler_layers=2,
                 text_width=96, text_rows=8, dtype="float16", pieces=1000,
                 modalities=["image", "video", "audio", "point"]),
    # CLIP ViT-L/14 at full size; 15 % of the rest. What bench/ compares.
    "middle": dict(width=512, heads=8, layers=8, multiple_of=256, clip_width=1024, clip_layers=24, resampler_layers=2,
                   text_width=768, text_rows=49408, dtype="bfloat16", pieces=1000,
                   modalities=["image", "video", "audio", "point"]),
    # All of it: 15 GB, as much memory, and some minutes.
    "published": dict(width=4096, heads=32, layers=32, multiple_of=256, clip_width=1024, clip_layers=24,
                      resampler_layers=8, text_width=768, text_rows=49408, dtype="bfloat16", pieces=1000,
                      modalities=list(MODALITIES)),
}


def gated_width(width, multiple_of):
    """Inner width of a SwiGLU block."""
    inner = 2 * 4 * width // 3
    return (inner + multiple_of - 1) // multiple_of * multiple_of


class Weights:
    """Random tensors by name, in the order in which they are added."""

    def __init__(self, seed, dtype):
        self.tensors = collections.OrderedDict()
        self.dtype = dtype
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, name, shape, spread, center=0.0):
        tensor = torch.empty(shape).normal_(center, spread, generator=self.generator)
        self.tensors["llma." + name] = tensor.to(self.dtype)

    def matrix(self, name, rows, columns, gain=1.0):
        self.add(name + ".weight", (rows, columns), gain * columns ** -0.5)

    def linear(self, name, rows, columns, gain=1.0):
        self.matrix(name, rows, columns, gain)
        self.add(name + ".bias", (rows,), 0.1)

    def scale(self, name, width):
        self.add(name + ".weight", (width,), 0.1, center=1.0)

    def layer_norm(self, name, width):
        self.scale(name, width)
        self.add(name + ".bias", (width,), 0.1)

    def gated_block(self, name, width, inner):
        for part in ("wq", "wk"):
            self.matrix(f"{name}.attention.{part}", width, width, gain=2.0)
        for part in ("wv", "wo"):
            self.matrix(f"{name}.attention.{part}", width, width)
        self.matrix(f"{name}.feed_forward.w1", inner, width)
        self.matrix(f"{name}.feed_forward.w2", width, inner)
        self.matrix(f"{name}.feed_forward.w3", inner, width)
        self.scale(f"{name}.attention_norm", width)
        self.scale(f"{name}.ffn_norm", width)


def add_language_model(weights, size, num_pieces):
    weights.add("tok_embeddings.weight", (num_pieces, size.width), 0.6)
    inner = gated_width(size.width, size.multiple_of)
    for layer in range(size.layers):
        weights.gated_block(f"layers.{layer}", size.width, inner)
    weights.scale("norm", size.width)
    weights.matrix("output", num_pieces, size.width)


def add_clip(weights, size):
    width = size.clip_width
    visual = "clip.visual"
    weights.add(f"{visual}.class_embedding", (width,), 0.1)
    weights.add(f"{visual}.positional_embedding", (257, width), 0.5)
    weights.add(f"{visual}.proj", (width, size.text_width), width ** -0.5)
    weights.add(f"{visual}.conv1.weight", (width, 3, 14, 14), (3 * 14 * 14) ** -0.5)
    weights.layer_norm(f"{visual}.ln_pre", width)
    for layer in range(size.clip_layers):
        block = f"{visual}.transformer.resblocks.{layer}"
        weights.layer_norm(f"{block}.ln_1", width)
        weights.add(f"{block}.attn.in_proj_weight", (3 * width, width), 1.4 * width ** -0.5)
        weights.add(f"{block}.attn.in_proj_bias", (3 * width,), 0.1)
        weights.linear(f"{block}.attn.out_proj", width, width)
        weights.layer_norm(f"{block}.ln_2", width)
        weights.linear(f"{block}.mlp.c_fc", 4 * width, width)
        weights.linear(f"{block}.mlp.c_proj", width, 4 * width)
    weights.layer_norm(f"{visual}.ln_post", width)
    # What is left of CLIP's text side in the published file; nothing reads it.
    weights.add("clip.positional_embedding", (77, size.text_width), 0.5)
    weights.add("clip.text_projection", (size.text_width, size.text_width), size.text_width ** -0.5)
    weights.add("clip.token_embedding.weight", (size.text_rows, size.text_width), 0.1)
    weights.layer_norm("clip.ln_final", size.text_width)
    weights.add("clip.logit_scale", (), 0.1)


def add_stems(weights, size):
    width = size.clip_width
    if "audio" in size.modalities:
        weights.add("conv1.audio.weight", (width, 1, 16, 16), 2 / 16)
        weights.add("conv1.audio.bias", (width,), 0.1)
    if "point" in size.modalities:
        weights.add("conv1.point.conv1.weight", (width, 6, 1, 1), 1.5)
        weights.add("conv1.point.conv1.bias", (width,), 0.1)
    if "fmri" in size.modalities:
        weights.linear("conv1.fmri", FMRI_PATCH * width, FMRI_VOXELS)
    if "imu" in size.modalities:
        weights.add("conv1.imu.weight", (width, 6, 10), 60 ** -0.5)
    for name in size.modalities:
        if name in POSITIONS:
            weights.add(f"positional_embedding.{name}", (POSITIONS[name], width), 0.5)


def add_modalities(weights, size):
    width = size.clip_width
    for name in size.modalities:
        weights.add(f"resample_tokens.{name}", (1, size.latents, width), 0.5)
        weights.linear(f"clip_proj1.{name}.0", width, width)
        weights.layer_norm(f"clip_proj1.{name}.1", width)
        weights.linear(f"clip_proj2.{name}.0", size.width, width)
        weights.layer_norm(f"clip_proj2.{name}.1", size.width)
        weights.linear(f"routers.{name}.fc1", 4 * width, width)
        weights.linear(f"routers.{name}.fc2", size.experts, 4 * width)
        weights.add(f"start_tag.{name}", (1, 1, size.width), 0.5)
        weights.add(f"end_tag.{name}", (1, 1, size.width), 0.5)


def make_weights(size, num_pieces):
    weights = Weights(size.seed, DTYPES[size.dtype])
    add_language_model(weights, size, num_pieces)
    add_clip(weights, size)
    inner = gated_width(size.clip_width, size.multiple_of)
    for expert in range(size.experts):
        for layer in range(size.resampler_layers):
            weights.gated_block(f"resample_layers.{expert}.{layer}", size.clip_width, inner)
    add_stems(weights, size)
    add_modalities(weights, size)
    return weights.tensors


def own_text():
    """Questions, options and captions of data/mini, and the prompt around them."""
    words = ["A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, "
             "detailed, and polite answers to the human's questions. ###Human: ###Assistant: "]
    for name in ("test.json", "val.json"):
        for item in json.loads((ROOT / "data" / "mini" / name).read_text(encoding="utf-8")):
            words.append(item["question"] + " Choose from: Scene A, Scene B, Scene C, Scene D Scene A: Scene B: "
                         "Scene C: Scene D: ")
            words += [example["caption"] for example in item["examples"]]
    return "\n".join(words)


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--size", choices=SIZES, default="tiny", help="what the following start from")
    for name in ("width", "heads", "layers", "multiple-of", "clip-width", "clip-layers", "resampler-layers",
                 "text-width", "text-rows"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--experts", type=int, default=3)
    parser.add_argument("--latents", type=int, default=30, help="tokens of a scene")
    parser.add_argument("--modalities", nargs="+", choices=MODALITIES)
    parser.add_argument("--pieces", type=int, help="of the tokenizer that is made, at most")
    parser.add_argument("--tokenizer", type=pathlib.Path, help="a tokenizer.model to take instead")
    parser.add_argument("--dtype", choices=DTYPES)
    parser.add_argument("--parts", type=int, default=0, help="files .s0.pth and on; 0: one without a number")
    parser.add_argument("--seed", type=int, default=0)
    size = parser.parse_args(arguments)
    for name, value in SIZES[size.size].items():
        if getattr(size, name) is None:
            setattr(size, name, value)
    if size.width % size.heads or size.width // size.heads % 2:
        parser.error(f"--width {size.width} is no even number of columns for each of {size.heads} heads")
    if size.clip_width % 64:
        parser.error(f"--clip-width {size.clip_width} is no multiple of 64, the columns of a head")
    if size.pieces < 500:
        parser.error("--pieces below 500 leaves no room beside bytes and letters")
    return size


def main(arguments):
    size = parse(arguments)
    size.folder.mkdir(parents=True, exist_ok=True)
    if size.tokenizer:
        model = size.tokenizer.read_bytes()
        num_pieces = sentence_piece_model.count_pieces(model)
    else:
        model, num_pieces = sentence_piece_model.train(own_text(), size.pieces)
    (size.folder / "tokenizer.model").write_bytes(model)
    params = dict(dim=size.width, multiple_of=size.multiple_of, n_heads=size.heads, n_layers=size.layers,
                  norm_eps=1e-5, vocab_size=-1)
    (size.folder / "params.json").write_text(json.dumps(params) + "\n", encoding="utf-8")
    tensors = make_weights(size, num_pieces)
    names = list(tensors)
    for part in range(max(size.parts, 1)):
        of_part = collections.OrderedDict((name, tensors[name]) for name in names[part::max(size.parts, 1)])
        suffix = f".s{part}" if size.parts else ""
        torch.save(of_part, size.folder / f"consolidated.00-of-01{suffix}.pth")
    num_weights = sum(tensor.numel() for tensor in tensors.values())
    print(f"{size.folder}: {len(tensors)} tensors, {num_weights:,} weights in {size.dtype}, {num_pieces} pieces")


if __name__ == "__main__":
    main(sys.argv[1:])
