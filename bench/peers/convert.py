"""Files for runtimes with formats of their own, made with the converters of their packages."""
import hashlib
import json
import pathlib
import shutil
import subprocess
import tempfile

from bench.peers import install

_TIMEOUT_S = 120
# Not the package's `mnnconvert`: after converting, that reports the model to MNN's makers and
# installs a package for it.
_MNN_CONVERT = "import sys, _tools; _tools.mnnconvert(['mnnconvert'] + sys.argv[1:])"


class Failed(Exception):
    """A model cannot be given to a runtime; the text says why."""


def _folder(model, version):
    digest = hashlib.sha256(model.path.read_bytes()).hexdigest()[:16]
    return install.cache() / "converted" / f"{model.name}-{version}-{digest}"


def _last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no message"


def _convert(model, version, command, result):
    """Runs `command(model file, folder)` once and keeps its files or its failure. Returns the path
    of the file `result`."""
    folder = _folder(model, version)
    failure = folder / "failed.txt"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as name:
            work = pathlib.Path(name) / "work"
            work.mkdir()
            _run_converter(model, command, work, result)
            work.rename(folder)
    if failure.exists():
        raise Failed(failure.read_text())
    return folder / result


def _run_converter(model, command, work, result):
    # Converters write beside the model.
    source = work / f"model{model.path.suffix}"
    shutil.copyfile(model.path, source)
    try:
        done = subprocess.run(command(source), cwd=work, capture_output=True, text=True,
                              errors="replace", timeout=_TIMEOUT_S, check=False)
        status, text = done.returncode, _last_line(done.stdout + done.stderr)
    except subprocess.TimeoutExpired:
        status, text = 1, f"no end after {_TIMEOUT_S} s"
    except OSError as error:
        status, text = 1, str(error)
    source.unlink()
    if status < 0:
        text = f"signal {-status} after: {text}"
    if status != 0 or not (work / result).exists():
        (work / "failed.txt").write_text(f"its converter failed: {text}")


def to_mnn(model):
    def command(source):
        kind = "ONNX" if source.suffix == ".onnx" else "TFLITE"
        return [str(install.python()), "-c", _MNN_CONVERT, "-f", kind, "--modelFile", source.name,
                "--MNNModel", "model.mnn", "--bizCode", "pj"]
    return _convert(model, "mnn-" + install.version("mnn"), command, "model.mnn")


def to_ncnn(model):
    def command(source):
        # The package's script wants PyTorch; the program beside it does not.
        return [str(install.site_packages() / "pnnx" / "pnnx"), source.name, "fp16=0"]
    path = _convert(model, "ncnn-" + install.version("pnnx"), command, "model.ncnn.param")
    # The format does not say what the inputs are.
    path.with_name("inputs.json").write_text(json.dumps(
        [{"dtype": t.dtype, "shape": t.shape} for t in model.inputs]))
    return path
