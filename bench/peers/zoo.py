"""Models to measure: those of the zoo with their golden vectors, and any other file."""
import dataclasses
import json
import os
import pathlib

GROUPS = ("int8", "uint8", "f32", "f16w", "other")
_GROUP_OF_NUMERIC = {"uint8": "uint8", "fp32": "f32", "fp16-weights": "f16w"}
_GROUP_OF_SUFFIX = {"int8": "int8", "uint8": "uint8", "fp32": "f32", "fp16w": "f16w"}


@dataclasses.dataclass
class Tensor:
    """`path` holds its values as raw bytes; None if they are not known (yet)."""
    name: str
    dtype: str
    shape: list
    path: pathlib.Path = None


@dataclasses.dataclass
class Model:
    name: str
    path: pathlib.Path
    group: str
    inputs: list = None  # of Tensor; None: to be asked from a runtime
    outputs: list = None  # golden; None: there are none
    detects: bool = False  # outputs are boxes, classes, scores and their number
    mmac: float = None


def folder():
    """The zoo's folder, or None if there is none."""
    source = pathlib.Path(__file__).resolve().parents[2]
    path = pathlib.Path(os.environ.get("PJ_ZOO") or source / "../shared/zoo").resolve()
    return path if (path / "zoo.json").exists() else None


def _zoo_model(entry, root):
    golden = root / entry["golden"]["dir"]

    def tensors(key):
        return [Tensor(t["name"], t["dtype"], t["shape"], golden / t["file"])
                for t in entry["golden"][key]]

    numeric = entry["numeric"]
    group = "int8" if numeric.startswith("int8") else _GROUP_OF_NUMERIC.get(numeric, "other")
    return Model(entry["name"], root / entry["file"], group, tensors("inputs"), tensors("outputs"),
                 any("Detect" in op for op in entry["ops"]), entry["mmac"])


def from_file(path):
    """A model without golden vectors; its group is guessed from the end of its name."""
    path = pathlib.Path(path).resolve()
    group = _GROUP_OF_SUFFIX.get(path.stem.rsplit("_", 1)[-1], "other")
    return Model(path.stem, path, group)


def select(patterns):
    """Models named by `patterns`: files, or parts of names in the zoo; all of the zoo if there are
    no patterns. Raises SystemExit with what is wrong."""
    root = folder()
    entries = []
    if root:
        entries = [_zoo_model(e, root) for e in json.loads((root / "zoo.json").read_text())]
        entries.sort(key=lambda m: (GROUPS.index(m.group), -(m.mmac or 0)))
    if not patterns:
        if not entries:
            raise SystemExit("no model zoo at ../shared/zoo or $PJ_ZOO: name model files")
        return entries
    chosen = []
    for pattern in patterns:
        if os.path.isfile(pattern):
            found = [m for m in entries if m.path == pathlib.Path(pattern).resolve()]
            found = found or [from_file(pattern)]
        else:
            found = [m for m in entries if m.name == pattern]
            found = found or [m for m in entries if pattern in m.name]
        if not found:
            raise SystemExit(f"'{pattern}' is neither a file nor part of a name in the zoo")
        chosen += [m for m in found if m not in chosen]
    return chosen
