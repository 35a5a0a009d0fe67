"""The peers of encode.py. Each has
  arrangements      the ways in which it may run a large batch; the fastest counts
  prepare(...)      makes the batches of one arrangement and returns a function that embeds them all; the clock runs for
  that one single(...)       returns a function that embeds one sequence on one thread
Each loads its model within its constructor.
"""

import ctypes
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from encode_model import HIDDEN, batches, make_model, padded, save, time_features, to_onnx
from harness import THREADS


class Covey:
    arrangements = ["as given"]

    def __init__(self, folder, precision):
        import covey

        self.covey, self.precision = covey, precision
        self.encoder = covey.SequenceEncoder.load(os.path.join(folder, "model.safetensors"))

    def prepare(self, offsets, types, times, arrangement):
        context, sequences = self.covey.Context(threads=THREADS), self.covey.Sequences(offsets, types, times)
        return lambda: self.encoder.embed(sequences, context=context, precision=self.precision)

    def single(self, offsets, types, times):
        """The C function, its arguments made once."""
        from covey._library import library
        from covey._structs import ContextOptions, EmbedOptions

        sequences, context = self.covey.Sequences(offsets, types, times), ctypes.c_void_p()
        library.covey_context_create(ctypes.byref(ContextOptions(threads=1)), ctypes.byref(context), None)
        struct, borrowed = sequences._native(self.encoder)
        options = EmbedOptions(precision={"float32": 0, "bfloat16": 1}[self.precision])
        result = np.empty((1, 2 * HIDDEN), dtype=np.float32)
        arguments = (
            self.encoder._handle(),
            context,
            ctypes.byref(struct),
            ctypes.byref(options),
            result.ctypes.data,
            0,
            None,
            None,
        )
        function, keep = library.covey_embed_sequences_with, (borrowed, result)

        def run():
            status = function(*arguments)
            if status != 0 or not keep:
                raise RuntimeError(f"covey_embed_sequences_with returned {status}")
            return result

        return run


class PyTorch:
    arrangements = ["packed, batch 256"]

    def __init__(self, folder, sorted_lengths=False):
        self.model = torch.load(os.path.join(folder, "model.pt"), weights_only=False)
        self.sorted_lengths = sorted_lengths
        if sorted_lengths:
            self.arrangements = ["sorted, batch 64", "equal lengths, batch 64"]

    def prepare(self, offsets, types, times, arrangement, dtype=np.float32):
        features = time_features(offsets, times).astype(dtype)
        prepared = []
        rows_of = batches(offsets, 64 if self.sorted_lengths else 256, self.sorted_lengths, "equal" in arrangement)
        for rows in rows_of:
            batch = [torch.from_numpy(array) for array in padded(offsets, types, features, rows)]
            # Without packing a batch must be of equal lengths to be right.
            prepared.append((rows, *batch, not self.sorted_lengths or bool((batch[2] != batch[2][0]).any())))

        def embed():
            result = np.empty((len(offsets) - 1, 2 * HIDDEN))
            with torch.no_grad():
                for rows, *batch in prepared:
                    result[rows] = self.model(*batch).numpy()
            return result

        return embed

    def single(self, offsets, types, times):
        torch.set_num_threads(1)
        batch = [
            torch.from_numpy(array) for array in padded(offsets, types, time_features(offsets, times), np.array([0]))
        ]

        def run():
            with torch.inference_mode():
                return self.model(*batch, False).numpy()

        return run


class TorchScript:
    arrangements = []

    def __init__(self, folder):
        self.model = torch.jit.load(os.path.join(folder, "model.torchscript"))

    def single(self, offsets, types, times):
        torch.set_num_threads(1)
        batch = [
            torch.from_numpy(array) for array in padded(offsets, types, time_features(offsets, times), np.array([0]))
        ]

        def run():
            with torch.inference_mode():
                return self.model(*batch[:2]).numpy()

        return run


class _Graph:
    """Two callers with one thread each, on batches of equal length or sorted and padded."""

    arrangements = [f"{lengths}, batch {size}" for lengths in ("equal lengths", "padded") for size in (64, 128)]

    def inputs(self, offsets, types, features, rows, equal):
        batch_types, batch_features, lengths = padded(offsets, types, features, rows)
        inputs = {
            "types": np.ascontiguousarray(batch_types.T),
            "features": np.ascontiguousarray(batch_features.transpose(1, 0, 2)),
        }
        if not equal:
            steps = np.arange(lengths.max())[:, None, None]
            inputs |= {
                "lengths": lengths.astype(np.int32),
                "mask": np.where(steps < lengths[None, :, None], 0, -1e9).astype(np.float32),
            }
        return inputs

    def all_inputs(self, offsets, types, times, arrangement):
        equal, features = "equal" in arrangement, time_features(offsets, times)
        rows_of = batches(offsets, int(arrangement.split()[-1]), True, equal)[::-1]
        return equal, [(rows, self.inputs(offsets, types, features, rows, equal)) for rows in rows_of]

    def file(self, equal, kind="float32"):
        return os.path.join(self.folder, f"{'equal' if equal else 'padded'}.{kind}.onnx")


class ONNXRuntime(_Graph):
    def __init__(self, folder, kind):
        self.folder, self.kind = folder, kind
        self.first = self.session(True)

    def session(self, equal):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        return onnxruntime.InferenceSession(self.file(equal, self.kind), options, providers=["CPUExecutionProvider"])

    def prepare(self, offsets, types, times, arrangement):
        equal, prepared = self.all_inputs(offsets, types, times, arrangement)
        sessions = [self.session(equal) for _ in range(THREADS)]
        pool = ThreadPoolExecutor(THREADS)
        result = np.empty((len(offsets) - 1, 2 * HIDDEN), dtype=np.float32)

        def caller(session, queue):
            for rows, inputs in queue:
                result[rows] = session.run(None, inputs)[0]

        def embed():
            queue = iter(prepared)  # next() on a list's iterator is one step under the interpreter's lock
            list(pool.map(caller, sessions, [queue] * THREADS))
            return result

        return embed

    def single(self, offsets, types, times):
        inputs = self.inputs(offsets, types, time_features(offsets, times), np.array([0]), True)
        binding = self.first.io_binding()
        for name, value in inputs.items():
            binding.bind_cpu_input(name, value)
        output = np.empty((1, 2 * HIDDEN), dtype=np.float32)
        binding.bind_output("embedding", "cpu", 0, np.float32, output.shape, output.ctypes.data)

        def run():
            self.first.run_with_iobinding(binding)
            return output

        return run


class OpenVINO(_Graph):
    def __init__(self, folder, kind):
        import openvino

        self.folder, self.openvino = folder, openvino
        self.core = openvino.Core()
        self.hints = {"INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[kind]}
        self.first = self.compiled(True, 1, 1, [30, 1])

    def compiled(self, equal, streams, threads, shape=None):
        model = self.core.read_model(self.file(equal))
        if shape:
            model.reshape({"types": shape, "features": shape + [2]})
        return self.core.compile_model(
            model, "CPU", self.hints | {"NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": threads}
        )

    def prepare(self, offsets, types, times, arrangement):
        equal, prepared = self.all_inputs(offsets, types, times, arrangement)
        compiled = self.compiled(equal, THREADS, THREADS)
        result = np.empty((len(offsets) - 1, 2 * HIDDEN), dtype=np.float32)
        queue = self.openvino.AsyncInferQueue(compiled, THREADS)
        queue.set_callback(lambda request, rows: result.__setitem__(rows, request.get_output_tensor(0).data))

        def embed():
            for rows, inputs in prepared:
                queue.start_async(inputs, rows, share_inputs=True)
            queue.wait_all()
            return result

        return embed

    def single(self, offsets, types, times):
        request = self.first.create_infer_request()
        inputs = self.inputs(offsets, types, time_features(offsets, times), np.array([0]), True)
        for name, value in inputs.items():
            request.set_tensor(name, self.openvino.Tensor(value, shared_memory=True))

        def run():
            request.infer(share_outputs=True)
            return request.get_output_tensor(0).data

        return run


PEERS = {
    "covey float32": lambda folder: Covey(folder, "float32"),
    "covey bfloat16": lambda folder: Covey(folder, "bfloat16"),
    "torch packed": PyTorch,
    "torch sorted": lambda folder: PyTorch(folder, sorted_lengths=True),
    "torchscript": TorchScript,
    "onnxruntime float32": lambda folder: ONNXRuntime(folder, "float32"),
    "onnxruntime int8": lambda folder: ONNXRuntime(folder, "int8"),
    "openvino float32": lambda folder: OpenVINO(folder, "float32"),
    "openvino bfloat16": lambda folder: OpenVINO(folder, "bfloat16"),
}


def write_models(folder):
    """The same weights in every peer's form."""
    model = make_model()
    save(model, os.path.join(folder, "model.safetensors"))
    torch.save(model, os.path.join(folder, "model.pt"))

    class Single(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, types, features):
            return self.model(types, features, torch.tensor([30]), False)

    example = (torch.ones((1, 30), dtype=torch.long), torch.zeros((1, 30, 2)))
    with torch.no_grad():
        traced = torch.jit.freeze(torch.jit.trace(Single().eval(), example))
    traced.save(os.path.join(folder, "model.torchscript"))
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError:
        return
    for padding, name in [(False, "equal"), (True, "padded")]:
        path = os.path.join(folder, name)
        to_onnx(model, f"{path}.float32.onnx", padding)
        with tempfile.TemporaryDirectory() as scratch:
            os.environ["TMPDIR"] = scratch
            quantize_dynamic(f"{path}.float32.onnx", f"{path}.int8.onnx", weight_type=QuantType.QInt8)
