"""Do two runtimes agree? The limits are those of the zoo's README."""
import array
import dataclasses
import math
import pathlib

_CODES = {"float32": "f", "int8": "b", "uint8": "B", "bool": "B", "int16": "h", "int32": "i",
          "int64": "q"}
# Floats: largest difference as a part of the output's range. Where a network ends in float after
# integers, one unit of those shows.
_LIMITS = {"f32": 1e-4, "f16w": 1e-2, "int8": 1e-2, "uint8": 1e-2, "other": 1e-2}
_DETECTION_LIMIT = 1e-2
# Beyond the limits, but the same network with another rounding; more is another result.
_CLOSE = 0.05  # of the range, which is 255 for 8 bits

AGREES, CLOSE, WRONG = "agrees", "close", "wrong"


@dataclasses.dataclass
class Values:
    dtype: str
    data: array.array
    name: str = None


@dataclasses.dataclass
class Verdict:
    grade: str  # AGREES, CLOSE or WRONG
    text: str  # the largest difference, or what is wrong


def _grade(difference, limit, close):
    return AGREES if difference <= limit else CLOSE if difference <= close else WRONG


def read(path, dtype, name=None):
    if dtype not in _CODES:
        raise ValueError(f"outputs of type {dtype} cannot be compared")
    data = array.array(_CODES[dtype])
    data.frombytes(pathlib.Path(path).read_bytes())
    return Values(dtype, data, name)


def _match(outputs, golden):
    """Outputs in the order of `golden`: by name if all have the same names, else as they come."""
    by_name = {o.name: o for o in outputs if o.name}
    if all(g.name in by_name for g in golden):
        return [by_name[g.name] for g in golden]
    return outputs


def largest_difference(a, b):
    worst = 0.0
    for x, y in zip(a, b):
        difference = abs(x - y)
        if not difference <= worst:  # also if it is not a number
            if math.isnan(difference):
                return math.inf
            worst = difference
    return worst


def _compare_one(output, golden, group):
    if len(output.data) != len(golden.data):
        return Verdict(WRONG, f"{len(output.data)} values, not {len(golden.data)}")
    if output.dtype != golden.dtype:
        return Verdict(WRONG, f"{output.dtype}, not {golden.dtype}")
    worst = largest_difference(output.data, golden.data)
    if golden.dtype != "float32":
        return Verdict(_grade(worst, 1, _CLOSE * 255), f"{worst:.0f} units")
    extent = (max(golden.data) - min(golden.data)) if len(golden.data) > 1 else 0
    relative = worst / (extent or max((abs(g) for g in golden.data), default=0) or 1)
    return Verdict(_grade(relative, _LIMITS[group], _CLOSE), f"{relative:.1e} of the range")


def _compare_detections(outputs, golden):
    """Boxes, classes, scores and their number: the same classes in the same order."""
    if [len(o.data) for o in outputs] != [len(g.data) for g in golden]:
        return Verdict(WRONG, "other numbers of values")
    boxes, classes, scores, count = (o.data for o in outputs)
    golden_boxes, golden_classes, golden_scores, golden_count = (g.data for g in golden)
    if list(count) != list(golden_count) or list(classes) != list(golden_classes):
        return Verdict(WRONG, "other decisions")
    worst = max(largest_difference(boxes, golden_boxes), largest_difference(scores, golden_scores))
    return Verdict(_grade(worst, _DETECTION_LIMIT, _CLOSE), f"same decisions, {worst:.1e}")


def compare(outputs, golden, group, detects=False):
    """The verdict on all outputs, Values each; that of the worst one."""
    if len(outputs) != len(golden):
        return Verdict(WRONG, f"{len(outputs)} outputs, not {len(golden)}")
    outputs = _match(outputs, golden)
    if detects and len(golden) == 4:
        return _compare_detections(outputs, golden)
    verdicts = [_compare_one(o, g, group) for o, g in zip(outputs, golden)]
    return max(verdicts, key=lambda v: (AGREES, CLOSE, WRONG).index(v.grade))
