"""Writes tests/io/data/*.pth and *.json: small files as torch.save makes them, for the tests of io/torch_file.h.

    .venv/bin/python tools/make_torch_fixtures.py

Every value is a small whole number that each element type has exactly. A later torch may write other
bytes; the tests compare contents.
"""

import argparse
import collections
import pathlib

import torch

FOLDER = pathlib.Path(__file__).parent.parent / "tests" / "io" / "data"


def counting(*shape, dtype=torch.float32):
    numbers = torch.arange(1, 1 + torch.Size(shape).numel())
    return (numbers % 2 == 1 if dtype == torch.bool else numbers.to(dtype)).view(shape)


def every_type():
    names = ["float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8", "uint64", "uint32",
             "uint16", "uint8", "bool", "float8_e4m3fn", "float8_e5m2", "complex64"]
    return {name: counting(2, 3, dtype=getattr(torch, name)) for name in names}


def layouts():
    """Views, shared storages, tied and wrapped tensors."""
    whole = counting(4, 6)
    tied = torch.nn.Parameter(counting(2, 2))
    buffer = torch.nn.parameter.Buffer(counting(3))
    marked = torch.nn.Parameter(counting(2))
    marked.note = "an attribute of its own"
    return collections.OrderedDict(
        whole=whole, rows=whole[1:3], transposed=whole.t(), columns=whole[:, 1::2], one=whole[2, 3],
        repeated=counting(3).expand(2, 3), empty=torch.empty(0, 5), scalar=torch.tensor(7.0),
        parameter=tied, tied=tied, buffer=buffer, marked=marked, permuted=counting(2, 3, 4).permute(2, 0, 1))


def training():
    """What a training run leaves: weights below "model" among other things."""
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(counting(*parameter.shape))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.5)
    model(counting(4, 3)).sum().backward()
    optimizer.step()
    with torch.no_grad():
        model[0].weight.copy_(counting(2, 3))
    arguments = argparse.Namespace(lr=0.5, name="run", layers=[1, 2], device=torch.device("cpu"), dtype=torch.float16,
                                   path=pathlib.PurePosixPath("a/b"))
    arguments.itself = arguments
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "scaler": None,
            "args": arguments, "cfg": {"encoder_layers": 12, "deep_norm": True, "dropout": 0.25, 2: "two"},
            "seed": 1 << 70, "names": ("a", "b"), "tags": {"x"}, "raw": b"\x00\xff"}


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(0)
    torch.save(every_type(), FOLDER / "every_type.pth")
    torch.save(layouts(), FOLDER / "layouts.pth")
    for protocol in (2, 3, 4, 5):
        torch.save(training(), FOLDER / f"training_protocol{protocol}.pth", pickle_protocol=protocol)
    torch.save(counting(2, 2), FOLDER / "one_tensor.pth")
    torch.save(torch.nn.Linear(2, 1), FOLDER / "module.pth")
    torch.save({"w": counting(2)}, FOLDER / "old_format.pth", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
