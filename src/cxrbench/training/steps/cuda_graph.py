"""A training step of PyTorch as one CUDA graph: recorded once, then replayed in one call.

Called as it is, a step of a large network launches thousands of kernels from Python, which at a small batch takes
longer than the kernels.
"""

import gc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

WARM_UP = 3  # steps before the recording, in which libraries choose their kernels; PyTorch's own number

Step = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class RecordedStep:
    """``step`` for batches of the shape of ``images`` and ``labels``, which lie on the GPU.

    ``variables`` is everything that a step changes: they are as before when this object is made, though it takes
    steps to record one.
    """

    def __init__(
        self, step: Step, images: torch.Tensor, labels: torch.Tensor, variables: Sequence[torch.Tensor]
    ) -> None:
        self._images, self._labels = images.clone(), labels.clone()
        before = [variable.detach().clone() for variable in variables]
        gc.collect()  # Keras leaves steps before in reference cycles, and their graphs would wait for another stream
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with _ConstantsOnce():
            with torch.cuda.stream(stream):
                for _ in range(WARM_UP):
                    step(self._images, self._labels)
            torch.cuda.current_stream().wait_stream(stream)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=stream):
                self._result = step(self._images, self._labels)
        with torch.no_grad():
            for variable, value in zip(variables, before):
                variable.copy_(value)

    def __call__(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """What ``step`` gives; the next call overwrites it."""
        self._images.copy_(images)
        self._labels.copy_(labels)
        self._graph.replay()
        return self._result


class _ConstantsOnce(TorchFunctionMode):
    """Makes the tensor of a number, such as a layer's epsilon, once: none can be copied over during a recording."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[tuple[object, ...], torch.Tensor] = {}

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func not in (torch.as_tensor, torch.tensor) or isinstance(args[0], torch.Tensor):
            return func(*args, **kwargs)
        value = np.asarray(args[0])
        key = (value.tobytes(), value.shape, value.dtype.str, args[1:], tuple(sorted(kwargs.items(), key=str)))
        if key not in self._made:
            self._made[key] = func(*args, **kwargs)
        return self._made[key]
