"""Peers behind one interface: load(path, threads) -> arrays like the inputs, set_input, run,
outputs() -> [(name or None, array)]. Everything that need not be timed is outside of run().

All compute in float32 where the model does, like Picojoule, and have their own defaults else."""
import json
import pathlib

import numpy as np


class OpenVino:
    def __init__(self):
        import openvino
        self.api = openvino
        self.version = openvino.__version__.split("-")[0]

    def load(self, path, threads):
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32",
                    "INFERENCE_NUM_THREADS": threads}
        self.model = self.api.Core().compile_model(path, "CPU", settings)
        self.request = self.model.create_infer_request()
        # An unknown dimension is the batch.
        return [np.zeros([d.get_length() if d.is_static else 1 for d in port.partial_shape],
                         port.element_type.to_dtype()) for port in self.model.inputs]

    def set_input(self, index, array):
        self.request.set_input_tensor(index, self.api.Tensor(array.copy()))

    def run(self):
        self.request.infer()

    def outputs(self):
        return [(None, self.request.get_output_tensor(i).data)
                for i in range(len(self.model.outputs))]


class OnnxRuntime:
    _DTYPES = {"tensor(float)": "float32", "tensor(uint8)": "uint8", "tensor(int8)": "int8",
               "tensor(int32)": "int32", "tensor(int64)": "int64", "tensor(float16)": "float16"}

    def __init__(self):
        import onnxruntime
        self.api = onnxruntime
        self.version = onnxruntime.__version__

    def load(self, path, threads):
        options = self.api.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = self.api.InferenceSession(path, options, ["CPUExecutionProvider"])
        # Bound memory: no arrays are made and no names looked up during a run.
        self.binding = self.session.io_binding()
        for output in self.session.get_outputs():
            self.binding.bind_output(output.name, "cpu")
        return [np.zeros([d if isinstance(d, int) else 1 for d in i.shape], self._DTYPES[i.type])
                for i in self.session.get_inputs()]

    def set_input(self, index, array):
        self.binding.bind_cpu_input(self.session.get_inputs()[index].name, array)

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def outputs(self):
        names = [o.name for o in self.session.get_outputs()]
        return list(zip(names, self.binding.copy_outputs_to_cpu()))


class Mnn:
    def __init__(self):
        import MNN
        import MNN.expr
        self.api = MNN
        self.expr = MNN.expr
        self.version = MNN.version()
        t = MNN.expr.dtype
        self.dtypes = {t.float: "float32", t.uint8: "uint8", t.int8: "int8", t.int: "int32"}

    def load(self, path, threads):
        manager = self.api.nn.create_runtime_manager(
            ({"backend": "CPU", "precision": "high", "numThread": threads},))
        # Without names: all inputs and outputs.
        self.module = self.api.nn.load_module_from_file(path, [], [], runtime_manager=manager)
        info = self.module.get_info()
        self.specs, self.names = info["inputs"], info["outputNames"]
        self.variables = [None] * len(self.specs)
        return [np.zeros([max(d, 1) for d in s.shape], self.dtypes[s.dtype]) for s in self.specs]

    def set_input(self, index, array):
        spec = self.specs[index]
        # The Python API cannot write int8: int32 can be cast to it.
        narrow = array.dtype == np.int8
        written = self.expr.placeholder(list(array.shape), spec.data_format,
                                        self.expr.dtype.int if narrow else spec.dtype)
        written.write(array.astype(np.int32) if narrow else array)
        self.variables[index] = self.expr.cast(written, spec.dtype) if narrow else written

    def run(self):
        self.results = self.module.forward(self.variables)

    def outputs(self):
        return [(name, self._read(v)) for name, v in zip(self.names, self.results)]

    def _read(self, variable):
        if not all(variable.shape):
            raise RuntimeError("the output is empty: shapes of the graph were not inferred")
        if variable.dtype == self.expr.dtype.int8:  # nor read it
            return self.expr.cast(variable, self.expr.dtype.int).read().astype(np.int8)
        return np.array(variable.read())


class Ncnn:
    def __init__(self):
        import ncnn
        self.api = ncnn
        self.version = ncnn.__version__

    def load(self, path, threads):
        net = self.net = self.api.Net()
        net.opt.num_threads = threads
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        if net.load_param(path) != 0 or net.load_model(str(pathlib.Path(path).with_suffix(".bin"))):
            raise RuntimeError("the converted network has layers that ncnn does not know")
        self.input_names, self.output_names = net.input_names(), net.output_names()
        specs = json.loads(pathlib.Path(path).with_name("inputs.json").read_text())
        self.mats = [None] * len(specs)
        return [np.zeros(s["shape"], s["dtype"]) for s in specs]

    def set_input(self, index, array):
        self.mats[index] = self.api.Mat(array[0]).clone()  # it has no batches

    def run(self):
        extractor = self.net.create_extractor()
        for name, mat in zip(self.input_names, self.mats):
            extractor.input(name, mat)
        self.results = [extractor.extract(name) for name in self.output_names]

    def outputs(self):
        if any(status != 0 for status, _ in self.results):
            raise RuntimeError("extract() failed")
        return [(None, np.array(mat)) for _, mat in self.results]


def create(name):
    return {"openvino": OpenVino, "ort": OnnxRuntime, "mnn": Mnn, "ncnn": Ncnn}[name]()
