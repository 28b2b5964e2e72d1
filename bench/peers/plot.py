"""An SVG of what was measured: a row for each model, a dot for each peer at its time over
Picojoule's, on a logarithmic axis. Dots to the right of the line at 1 are slower than Picojoule."""
import math
from xml.sax.saxutils import escape

from bench.peers import tables

# Distinct also for colour-blind readers (Okabe and Ito).
_COLOURS = {"litert": "#d55e00", "openvino": "#0072b2", "ort": "#009e73", "mnn": "#cc79a7",
            "ncnn": "#e69f00"}
_ROW, _LEFT, _WIDTH, _RIGHT, _HEADER = 18, 200, 520, 24, 46
_MARKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


def _text(x, y, text, anchor="start", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(text)}</text>'


class _Axis:
    """Logarithmic, between marks that contain all values and 1."""

    def __init__(self, values):
        low, high = min([*values, 1]), max([*values, 1])
        self.low = max((m for m in _MARKS if m <= low), default=low)
        self.high = min((m for m in _MARKS if m >= high), default=high)
        if self.low == self.high:
            self.high = self.low * 2

    def x(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return _LEFT + share * _WIDTH

    def marks(self):
        return [m for m in _MARKS if self.low <= m <= self.high]


def _dots(report, threads):
    """[(row, runtime, time over ours)]"""
    return [(row, runtime, 1 / value) for row, model in enumerate(report["models"])
            for runtime in report["runtimes"] if runtime != tables.OURS
            and (value := tables.ratio(model, threads, runtime))]


def _panel(report, threads, top):
    dots = _dots(report, threads)
    axis = _Axis([value for _, _, value in dots])
    bottom = top + _HEADER + _ROW * len(report["models"])
    threads_text = "1 thread" if threads == 1 else f"{threads} threads"
    ours = report["runtimes"][tables.OURS]["title"]
    lines = [_text(_LEFT, top + 14, f"{threads_text}: time of a peer ÷ time of {ours}",
                   extra=' font-weight="bold"')]
    for mark in axis.marks():
        x, colour = axis.x(mark), "#444" if mark == 1 else "#ccc"
        lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top + _HEADER - 8}" y2="{bottom}" '
                     f'stroke="{colour}"/>')
        lines.append(_text(x, top + _HEADER - 12, f"{mark:g}", "middle"))
    for row, model in enumerate(report["models"]):
        lines.append(_text(_LEFT - 8, top + _HEADER + row * _ROW + 13, model["name"], "end"))
    for row, runtime, value in dots:
        model = report["models"][row]
        colour = _COLOURS.get(runtime, "#000")
        fill = "white" if tables.grade(model, threads, runtime) == "wrong" else colour
        title = report["runtimes"][runtime]["title"]
        lines.append(f'<circle cx="{axis.x(value):.1f}" cy="{top + _HEADER + row * _ROW + 9}" '
                     f'r="4.5" fill="{fill}" stroke="{colour}" stroke-width="1.5"><title>'
                     f'{escape(title)}, {escape(model["name"])}: {value:.2f}</title></circle>')
    return lines, bottom + 16


def _legend(report, y):
    lines, x = [], _LEFT
    for runtime, info in report["runtimes"].items():
        if runtime == tables.OURS:
            continue
        lines.append(f'<circle cx="{x}" cy="{y - 4}" r="4.5" '
                     f'fill="{_COLOURS.get(runtime, "#000")}"/>')
        lines.append(_text(x + 10, y, f"{info['title']} {info.get('version', '')}".strip()))
        x += 34 + 7 * len(f"{info['title']} {info.get('version', '')}")
    return lines, max(x, _LEFT + _WIDTH) + _RIGHT


def svg(report):
    legend, width = _legend(report, 18)
    body, y = list(legend), 34
    for threads in report["settings"]["threads"]:
        panel, y = _panel(report, threads, y)
        body += panel
    note = (f"{report['machine']['cpu']}, {report['date']}. Minima. Hollow: wrong outputs.")
    body.append(_text(_LEFT, y + 4, note, extra=' fill="#555"'))
    height = y + 18
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">\n'
            f'<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(body) + "\n</svg>\n")
