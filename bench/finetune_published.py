#!/usr/bin/env python3
"""Trains with the published fine-tuning code on the CPU and prints what it took, as JSON.

Called by bench/finetune.py in a process of its own. Model, loss and parameter groups are those of Contra4's
contra4_finetune.py over csuhan/OneLLM; as a whole the script does not start. The repairs are those of
bench/onellm_published.py and:

  all scenes      the beginning of the sequence is taken once, before the loop over the scenes: the script takes it
                  anew for each, so that only the last one reaches the model
  flag            the data set's undefined filter: items come in as tensors, made by bench/finetune.py
  32000           the number of pieces in the loss: as many as the checkpoint has
  loop            forward, backward, clipping to 2 and AdamW as in train_one_epoch(), without its logging; apex is not
                  there, so torch's AdamW
  FSDP            left out, as one process needs none. Its mixed precision, with --precision bf16, is autocast's: weights
                  are kept in float32 and cast once a step; CLIP, frozen, is kept in bfloat16
"""

import argparse
import ast
import json
import os
import resource
import sys
import time

import torch

import onellm_published as published


def training_classes(script, module, meta_model, tokenizer, vocabulary):
    """DisCRnTransformer and DisCRnMetaModel out of the script."""
    with open(script, encoding="utf-8") as file:
        text = file.read()
    start = text.index("class DisCRnTransformer")
    end = text.index("\ndef train_one_epoch", start)
    text = text[start:end]
    beginning = "                    h_bos, h_caption = h[:, :1], h[:, 1:]\n                    image_tokens"
    loop = "                for i,im in enumerate(image):\n"
    for wanted in (beginning, loop + beginning, "reshape(-1, 32000)"):
        if wanted not in text:
            sys.exit(f"{script}: expected '{wanted}'")
    text = text.replace(loop + beginning, "                h_bos, h_caption = h[:, :1], h[:, 1:]\n" + loop +
                        "                    image_tokens", 1)
    text = text.replace("reshape(-1, 32000)", f"reshape(-1, {vocabulary})")
    scope = {"Transformer": module.Transformer, "MetaModel": meta_model, "Tokenizer": tokenizer,
             "tokenizer": tokenizer(), "torch": torch}
    exec(compile(ast.parse(text), script, "exec"), scope)
    return scope["DisCRnTransformer"], scope["DisCRnMetaModel"]


def parameter_groups(model, decay):
    """Four groups with the same rate, two with decay."""
    groups = {True: [], False: []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups[not name.endswith((".bias", "norm.weight"))].append(parameter)
    return [{"params": groups[True], "weight_decay": decay}, {"params": groups[False], "weight_decay": 0.0}]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--onellm", required=True, help="folder of csuhan/OneLLM")
    parser.add_argument("--script", required=True, help="cross_modal_baselines/contra4_finetune.py of Contra4")
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--batches", required=True, help="torch file of {modal, ids, labels, inputs}")
    parser.add_argument("--lr", type=float, default=1e-5)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    published.install_repairs()
    state = torch.load(os.path.join(options.checkpoint, "consolidated.00-of-01.pth"), map_location="cpu", mmap=True)
    layers = 1 + max(int(name.split(".")[3]) for name in state if name.startswith("llma.resample_layers."))
    vocabulary = state["llma.tok_embeddings.weight"].shape[0]
    module, meta_model, tokenizer = published.import_published(options.onellm, options.checkpoint, layers)
    module.Transformer, meta_model = training_classes(options.script, module, meta_model, tokenizer, vocabulary)
    sys.stdout = sys.stderr  # the published code prints every parameter
    model = meta_model("onellm", os.path.join(options.checkpoint, "params.json"), None,
                       os.path.join(options.checkpoint, "tokenizer.model"))
    model.load_state_dict(state, strict=False)
    del state
    model = model.float()
    for name, parameter in model.named_parameters():
        parameter.requires_grad = not name.startswith("llma.clip.")
        if options.precision == "bf16" and not parameter.requires_grad:
            parameter.data = parameter.data.bfloat16()
    model.train(True)
    optimizer = torch.optim.AdamW(parameter_groups(model, 0.02), lr=options.lr, betas=(0.9, 0.95))
    losses, seconds = [], []
    for batch in torch.load(options.batches, mmap=True):
        start = time.monotonic()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "bf16"):
            loss = model(batch["ids"], batch["labels"], batch["inputs"], [batch["modal"]] * len(batch["ids"]))
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 2.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        seconds.append(time.monotonic() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak_bytes": peak, "losses": losses}), file=sys.__stdout__)


if __name__ == "__main__":
    main()
