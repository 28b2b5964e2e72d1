"""The runtimes that are compared: how their workers start, and what they can be given."""
import dataclasses
import pathlib

from bench.peers import convert, install

_HERE = pathlib.Path(__file__).resolve().parent
_BUILD = _HERE.parents[1] / "build"


@dataclasses.dataclass
class Runtime:
    name: str
    title: str
    packages: tuple  # from PyPI
    formats: tuple  # file name extensions that it, or its converter, takes
    command: list  # of the worker
    converter: object = None  # (Model) -> path to load; raises convert.Failed

    def prepare(self, model):
        """The file to load for `model`. Raises convert.Failed with the reason why there is none."""
        if model.path.suffix not in self.formats:
            raise convert.Failed(f"does not read {model.path.suffix}")
        return self.converter(model) if self.converter else model.path


def _python(name):
    return [str(install.python()), str(_HERE / "worker.py"), name]


def litert_command():
    library = install.site_packages() / "ai_edge_litert" / "libLiteRt.so"
    return [str(_BUILD / "litert_run"), str(library), install.version("ai-edge-litert")]


def all_runtimes():
    """Picojoule first, then the peers, by name."""
    return {r.name: r for r in (
        Runtime("pj", "Picojoule", (), (".tflite", ".onnx", ".pj"), [str(_BUILD / "pj_run")]),
        Runtime("litert", "LiteRT", ("ai-edge-litert",), (".tflite",), litert_command()),
        Runtime("openvino", "OpenVINO", ("openvino", "numpy"), (".tflite", ".onnx"),
                _python("openvino")),
        Runtime("ort", "ONNX Runtime", ("onnxruntime", "numpy"), (".onnx",), _python("ort")),
        Runtime("mnn", "MNN", ("mnn", "numpy"), (".tflite", ".onnx"), _python("mnn"),
                convert.to_mnn),
        Runtime("ncnn", "ncnn", ("ncnn", "pnnx", "numpy"), (".onnx",), _python("ncnn"),
                convert.to_ncnn),
    )}
