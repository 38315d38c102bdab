"""PyTorch, eager, without gradients: windows, or one step with its state."""

from __future__ import annotations

import torch

from benchmarks.cells.channel import Channel
from benchmarks.cells.data import SERIES, Floats, read, read_weights, windows
from benchmarks.cells.sides.calls import serve
from benchmarks.cells.sides.given import called, parser
from benchmarks.cells.sides.torch_network import network
from benchmarks.cells.sides.torch_training import peak


def main() -> None:
    """Answers calls."""
    channel, given = Channel(), parser().parse_args()
    call = called(given)
    inputs, _ = windows(call.work, read(given.folder, SERIES)["series"])
    model = network(call.work, "plain", read_weights(given.folder))
    model.eval()
    state = {"now": (torch.zeros(0), torch.zeros(0))}

    def restart() -> None:
        zeros = torch.zeros(1, 1, call.work.units)
        state["now"] = (zeros, zeros)

    @torch.inference_mode()
    def window(rows: Floats) -> Floats:
        found: Floats = model(torch.from_numpy(rows)).numpy()
        return found

    @torch.inference_mode()
    def step(row: Floats) -> Floats:
        found, state["now"] = model.step(torch.from_numpy(row[:, None]), state["now"])
        forecasts: Floats = found.numpy()
        return forecasts

    channel.on("peak", lambda: peak("cpu"))
    versions = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    serve(
        channel,
        call,
        inputs,
        step if call.carried else window,
        restart,
        lambda: {"versions": versions},
    )


if __name__ == "__main__":
    main()
