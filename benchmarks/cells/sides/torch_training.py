"""PyTorch, eager: a plain loop over batches of tensors in memory."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.cells.channel import Channel
from benchmarks.cells.data import SERIES, padded, read, read_weights, windows
from benchmarks.cells.sides.given import parser, work_of
from benchmarks.cells.sides.product import SIZE
from benchmarks.cells.sides.torch_network import network


def peak(device: str) -> dict[str, float]:
    """GFLOP/s of a float32 product, the best of three."""
    a = torch.randn(SIZE, SIZE, device=device)
    seconds = []
    for _ in range(4):
        began = time.perf_counter()
        float((a @ a)[0, 0])
        seconds.append(time.perf_counter() - began)
    return {"gflops": 2 * SIZE**3 / min(seconds[1:]) / 1e9}


def main() -> None:
    """Answers turns."""
    arguments = parser()
    arguments.add_argument("--variant", choices=("plain", "packed", "gather"), required=True)
    channel, given = Channel(), arguments.parse_args()
    work = work_of(given)
    torch.manual_seed(7)
    # float32 is float32 on every side: on a GPU cuDNN would else round to TensorFloat-32.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    device = "cuda" if given.device == "gpu" and torch.cuda.is_available() else "cpu"
    arrays = read(given.folder, SERIES)
    lengths: Tensor | None = None
    if work.masked:
        inputs, steps, labels = (torch.from_numpy(a) for a in padded(work, arrays))
        labels, lengths = labels.long(), steps
        loss: nn.Module = nn.CrossEntropyLoss()
    else:
        inputs, labels = (torch.from_numpy(a) for a in windows(work, arrays["series"]))
        loss = nn.MSELoss()
    inputs, labels = inputs.to(device), labels.to(device)
    if given.variant == "gather" and lengths is not None:
        lengths = lengths.to(device)
    model = network(work, given.variant, read_weights(given.folder)).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7)

    def batch_loss(rows: Tensor) -> Tensor:
        at = rows.to(inputs.device)
        of_rows = None if lengths is None else lengths[rows.to(lengths.device)]
        value: Tensor = loss(model(inputs[at], of_rows), labels[at])
        return value

    def check() -> dict[str, Any]:
        value = batch_loss(torch.arange(work.batch))
        value.backward()
        # Where Keras has one bias PyTorch has two, with the same gradient: counted once.
        twice = "bias_hh" if work.cell != "gru" else "none"
        found = [p.grad.norm() for n, p in model.named_parameters() if twice not in n]
        optimizer.zero_grad()
        return {
            "parameters": sum(p.numel() for p in model.parameters()),
            "loss": value.item(),
            "gradient_norm": torch.stack(found).norm().item(),
            "gpus": torch.cuda.device_count(),
            "versions": {"torch": torch.__version__, "threads": torch.get_num_threads()},
        }

    channel.on("check", check)
    channel.on("peak", lambda: peak(device))
    while True:
        channel.wait_for_turn()
        total = torch.zeros((), device=device)
        for rows in torch.randperm(len(inputs)).split(work.batch):
            optimizer.zero_grad()
            value = batch_loss(rows)
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += value.detach()
        channel.end_turn(work.turn, total.item() / work.turn)


if __name__ == "__main__":
    main()
