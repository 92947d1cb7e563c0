#!/usr/bin/env python3
"""Runs the published OneLLM evaluation loop on the CPU and prints what it took, as JSON.

Called by bench/onellm.py in a process of its own. The published code comes from two folders, which are
only read: csuhan/OneLLM and artemisp/contra4-fork. It needs a GPU, and libraries that do not go with
today's torch, so it is started with these repairs and no others:

  fairscale       its parallel layers at world size 1: torch's Linear and Embedding
  flash_attn      torch's scaled_dot_product_attention
  torchvision     imported by open_clip, of which the model alone is used; never called
  pointnet2_cuda  farthest points and grouping in torch
  .cuda()         gives back the tensor itself
  pretrained      open_clip is not asked for OpenAI's weights: the checkpoint holds them
  resampler       8 layers in the source; as many as the checkpoint has
  distributed     FSDP is left out: one process, one model, as a world of one has it
  autocast        on the CPU, for --dtype bf16; off for float32, where CLIP is widened

The class that Contra4's script derives for several scenes is taken from that script. Media come in as
tensors: torchaudio has no build for this torch.
"""

import argparse
import ast
import json
import os
import resource
import sys
import time
import types

import torch


def stub(name, **members):
    module = types.ModuleType(name)
    for key, value in members.items():
        setattr(module, key, value)
    module.__path__ = []
    sys.modules[name] = module
    parent, _, leaf = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], leaf, module)
    return module


class _Linear(torch.nn.Linear):
    def __init__(self, inputs, outputs, bias=False, init_method=None, **_):
        super().__init__(inputs, outputs, bias=bias)


class _Embedding(torch.nn.Embedding):
    def __init__(self, count, width, init_method=None, **_):
        super().__init__(count, width)


def _attention(q, k, v, dropout_p=0.0, causal=False):
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    result = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
    return result.transpose(1, 2)


def _farthest_points(batch, num_points, num_centers, xyz, nearest, output):
    for b in range(batch):
        last = 0
        for i in range(num_centers):
            output[b, i] = last
            distance = ((xyz[b] - xyz[b, last]) ** 2).sum(dim=1)
            nearest[b] = torch.minimum(nearest[b], distance)
            last = int(nearest[b].argmax())


def _group_points(batch, channels, num_points, num_centers, num_samples, features, index, output):
    flat = index.reshape(batch, 1, -1).expand(-1, channels, -1).long()
    output.copy_(torch.gather(features, 2, flat).view(batch, channels, num_centers, num_samples))


def install_repairs():
    for name in ("fairscale", "fairscale.nn", "fairscale.nn.model_parallel"):
        stub(name)
    initialize = stub("fairscale.nn.model_parallel.initialize",
                      get_model_parallel_world_size=lambda: 1, get_model_parallel_rank=lambda: 0)
    sys.modules["fairscale.nn.model_parallel"].initialize = initialize
    stub("fairscale.nn.model_parallel.layers", ParallelEmbedding=_Embedding,
         RowParallelLinear=_Linear, ColumnParallelLinear=_Linear)
    stub("flash_attn", flash_attn_func=_attention)
    stub("pointnet2_cuda", furthest_point_sampling_wrapper=_farthest_points,
         group_points_wrapper=_group_points)
    stub("torchvision")
    names = ("Normalize Compose RandomResizedCrop InterpolationMode ToTensor Resize CenterCrop "
             "ColorJitter Grayscale").split()
    anything = type("Anything", (), {"__getattr__": lambda self, name: self, "BICUBIC": 3,
                                     "BILINEAR": 2, "NEAREST": 0})
    stub("torchvision.transforms", **{name: anything for name in names})
    stub("torchvision.transforms.functional")
    stub("torchvision.ops")
    stub("torchvision.ops.misc", FrozenBatchNorm2d=type("FrozenBatchNorm2d", (torch.nn.Module,), {}))
    stub("PIL")
    stub("PIL.Image", Image=anything)
    sys.modules["PIL"].Image = sys.modules["PIL.Image"]
    torch.Tensor.cuda = lambda self, *_, **__: self
    torch.cuda.FloatTensor = lambda *size, **_: torch.empty(*size, dtype=torch.float32)
    torch.cuda.IntTensor = lambda *size, **_: torch.empty(*size, dtype=torch.int32)


def import_published(onellm, checkpoint, num_resampler_layers):
    """MetaModel with the transformer of Contra4's script."""
    sys.path.insert(0, onellm)
    import open_clip
    open_clip.create_model_and_transforms = lambda name, pretrained: (
        open_clip.create_model(name, force_quick_gelu=True), None, None)
    path = os.path.join(onellm, "model", "LLM", "onellm.py")
    with open(path, encoding="utf-8") as file:
        source = file.read()
    wanted = "self.num_resample_layers = 8"
    if wanted not in source:
        sys.exit(f"{path}: expected '{wanted}'")
    source = source.replace(wanted, f"self.num_resample_layers = {num_resampler_layers}")
    import model.LLM as llm
    module = types.ModuleType("model.LLM.onellm")
    module.__package__ = "model.LLM"
    module.__file__ = path
    sys.modules["model.LLM.onellm"] = module
    exec(compile(source, path, "exec"), module.__dict__)  # the published module, one number changed
    llm.onellm = module
    from model.tokenizer import Tokenizer
    from model.meta import MetaModel
    tokenizer_path = os.path.join(checkpoint, "tokenizer.model")
    return module, MetaModel, lambda model_path=None: Tokenizer(model_path=tokenizer_path)


def scenes_class(script, transformer, tokenizer):
    """Contra4Transformer out of the published script, which as a whole does not start."""
    with open(script, encoding="utf-8") as file:
        lines = file.read()
    start = lines.index("class Contra4Transformer")
    end = lines.index("\nTransformer = Contra4Transformer", start)
    tree = ast.parse(lines[start:end])
    scope = {"Transformer": transformer, "Tokenizer": tokenizer, "torch": torch}
    exec(compile(tree, script, "exec"), scope)
    return scope["Contra4Transformer"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--onellm", required=True, help="folder of csuhan/OneLLM")
    parser.add_argument("--script", required=True, help="cross_modal_baselines/onellm.py of Contra4")
    parser.add_argument("--checkpoint", required=True, help="consolidated.00-of-01.pth, params.json, tokenizer.model")
    parser.add_argument("--questions", required=True, help="torch file of {question, modalities, inputs}")
    parser.add_argument("--dtype", choices=("float32", "bf16"), default="float32")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    install_repairs()

    state = torch.load(os.path.join(options.checkpoint, "consolidated.00-of-01.pth"),
                       map_location="cpu", mmap=True)
    layers = 1 + max(int(name.split(".")[3]) for name in state
                     if name.startswith("llma.resample_layers."))
    module, meta_model, tokenizer = import_published(options.onellm, options.checkpoint, layers)
    module.Transformer = scenes_class(options.script, module.Transformer, tokenizer)
    sys.stdout = sys.stderr  # the published code prints every parameter
    model = meta_model("onellm", os.path.join(options.checkpoint, "params.json"), None,
                       os.path.join(options.checkpoint, "tokenizer.model"))
    missing = model.load_state_dict(state, strict=False).missing_keys
    used = ("image", "video", "audio", "point")
    missing = [name for name in missing if "clip.transformer" not in name
               and not any(f".{other}" in name for other in ("rgbd", "rgbn", "fmri", "imu"))]
    if missing:
        sys.exit(f"the checkpoint lacks {missing[:5]} for {used}")
    del state
    dtype = torch.bfloat16 if options.dtype == "bf16" else torch.float32
    model = (model.half().to(dtype) if dtype == torch.bfloat16 else model.float()).eval()

    from data.conversation_lib import conv_templates
    questions = torch.load(options.questions, mmap=True)
    answers, seconds = [], []
    with torch.no_grad():
        for item in questions:
            start = time.monotonic()
            images = [x[None].to(dtype) for x in item["inputs"]]
            conversation = conv_templates["v1"].copy()
            conversation.append_message(conversation.roles[0], item["question"])
            conversation.append_message(conversation.roles[1], None)
            prompt = conversation.get_prompt()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
                reply = model.generate([prompt], images, 5, temperature=0.0, top_p=0.9,
                                       modal=[[name] for name in item["modalities"]])[0]
            answers.append(reply[len(prompt):])
            seconds.append(time.monotonic() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak_bytes": peak, "answers": answers}), file=sys.__stdout__)


if __name__ == "__main__":
    main()
