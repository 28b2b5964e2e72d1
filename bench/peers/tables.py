"""Ratios and tables of what was measured, from the JSON of peers.py alone.

A ratio is Picojoule's minimum over the peer's: below 1, Picojoule is faster."""
import math

OURS = "pj"
NONE = "–"


def geometric_mean(values):
    """None without values."""
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def minimum(model, threads, runtime):
    """ms; None if the runtime failed or was not asked."""
    return model["results"].get(str(threads), {}).get(runtime, {}).get("min_ms")


def ratio(model, threads, peer):
    """None if one of the two has no figure."""
    ours, theirs = minimum(model, threads, OURS), minimum(model, threads, peer)
    return ours / theirs if ours and theirs else None


def mean_ratio(models, threads, peer):
    """Geometric mean over `models`, without those for which the peer computes something else."""
    ratios = [ratio(m, threads, peer) for m in models if grade(m, threads, peer) != "wrong"]
    return geometric_mean(filter(None, ratios))


def grade(model, threads, runtime):
    return model["results"].get(str(threads), {}).get(runtime, {}).get("outputs")


def best_peer(model, threads, runtimes):
    """(name, minimum) of the fastest peer whose outputs are not wrong; None if there is none."""
    found = [(minimum(model, threads, r), r) for r in runtimes if r != OURS
             and minimum(model, threads, r) and grade(model, threads, r) != "wrong"]
    return min(found)[::-1] if found else None


def ratio_to_best(model, threads, runtimes):
    best, ours = best_peer(model, threads, runtimes), minimum(model, threads, OURS)
    return ours / best[1] if best and ours else None


def groups(report):
    """{group: models}, in the order of the report; the last is "all"."""
    found = {}
    for model in report["models"]:
        found.setdefault(model["group"], []).append(model)
    return {**found, "all": report["models"]}


def digits(value, significant=3):
    """A positive number with that many significant digits, without an exponent."""
    if value is None:
        return NONE
    decimals = significant - 1 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{value:.{max(0, decimals)}f}"


def ratio_text(value):
    return NONE if value is None else f"{value:.2f}"


def table(header, rows):
    """Lines of a Markdown table that is aligned as text too. The first column is to the left."""
    widths = [max(len(str(r[i])) for r in [header, *rows]) for i in range(len(header))]

    def line(cells):
        aligned = [str(c).ljust(w) if i == 0 else str(c).rjust(w)
                   for i, (c, w) in enumerate(zip(cells, widths))]
        return "| " + " | ".join(aligned) + " |"

    rule = ["-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    return [line(header), line(rule), *map(line, rows)]


_MARKS = {"close": "~", "wrong": "*"}


def _time_cell(model, threads, runtime):
    result = model["results"].get(str(threads), {}).get(runtime, {})
    if "min_ms" not in result:
        return NONE
    mark = _MARKS.get(result.get("outputs"), "")
    return f"{digits(result['min_ms'])} / {digits(result['median_ms'])}{mark}"


def times_table(report, threads):
    """Minimum / median in ms; ~ where outputs are only close to the golden ones, * where they are
    wrong."""
    runtimes = list(report["runtimes"])
    rows = [[m["name"], *(_time_cell(m, threads, r) for r in runtimes)] for m in report["models"]]
    return table(["min / median, ms", *(report["runtimes"][r]["title"] for r in runtimes)], rows)


def _ratio_cell(model, threads, peer):
    return ratio_text(ratio(model, threads, peer)) + _MARKS.get(grade(model, threads, peer), "")


def ratio_table(report, threads, details=True):
    """Ratios to every peer and to the best; geometric means by group. Without `details` only
    those."""
    runtimes = list(report["runtimes"])
    peers = [r for r in runtimes if r != OURS]
    rows = []
    if details:
        for m in report["models"]:
            best = best_peer(m, threads, runtimes)
            rows.append([m["name"], *(_ratio_cell(m, threads, p) for p in peers),
                         ratio_text(ratio_to_best(m, threads, runtimes)),
                         report["runtimes"][best[0]]["title"] if best else NONE])
    for group, models in groups(report).items():
        means = [mean_ratio(models, threads, p) for p in peers]
        best = geometric_mean(filter(None, (ratio_to_best(m, threads, runtimes) for m in models)))
        rows.append([f"geometric mean, {group}", *map(ratio_text, means), ratio_text(best), ""])
    titles = [report["runtimes"][p]["title"] for p in peers]
    return table([f"{report['runtimes'][OURS]['title']} ÷ peer", *titles, "best peer", "which"],
                 rows)


def _startup_cell(result):
    if "load_ms" not in result:
        return NONE
    return (f"{digits(result['load_ms'])} + {digits(result['first_ms'])}, "
            f"{result['peak_kb'] / 1024:.0f} ({result['added_kb'] / 1024:.1f})")


def startup_table(report, threads):
    runtimes = list(report["runtimes"])
    rows = [[m["name"], *(_startup_cell(m["results"].get(str(threads), {}).get(r, {}))
                          for r in runtimes)] for m in report["models"]]
    return table(["load + first run, ms; peak (added), MB",
                  *(report["runtimes"][r]["title"] for r in runtimes)], rows)


def remarks(report):
    """Why there is no figure, and which outputs are not as they should be: a line for each runtime
    and reason, with the models that it holds for."""
    models_of = {}
    for m in report["models"]:
        for runtime, info in report["runtimes"].items():
            threads_of = {}
            for threads, results in m["results"].items():
                if reason := _reason(results.get(runtime, {})):
                    threads_of.setdefault(reason, []).append(threads)
            for reason, threads in threads_of.items():
                part = "" if len(threads) == len(m["results"]) else f" ({threads[0]} threads)"
                models_of.setdefault((info["title"], reason), []).append(m["name"] + part)
    return [f"{title}: {reason}: {', '.join(models)}"
            for (title, reason), models in models_of.items()]


def _reason(result):
    if "failed" in result:
        return f"{NONE} {result['failed']}"
    mark = _MARKS.get(result.get("outputs"))
    return f"{mark} {result['outputs']}, {result['difference']}" if mark else None
