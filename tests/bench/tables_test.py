"""Ratios, tables, remarks and the plot, from a small recorded report."""
import contextlib
import io
import json
import pathlib
import unittest
import xml.etree.ElementTree

from bench.peers import peers, plot, tables

RECORDED = pathlib.Path(__file__).with_name("peers.json")


class Tables(unittest.TestCase):
    def setUp(self):
        self.report = json.loads(RECORDED.read_text(encoding="utf-8"))
        self.models = {m["name"]: m for m in self.report["models"]}
        self.runtimes = list(self.report["runtimes"])

    def test_geometric_mean(self):
        self.assertAlmostEqual(tables.geometric_mean([2, 8]), 4)
        self.assertIsNone(tables.geometric_mean([]))

    def test_ratio_is_ours_over_theirs(self):
        self.assertAlmostEqual(tables.ratio(self.models["alpha_int8"], 1, "litert"), 0.5)

    def test_no_ratio_where_one_side_failed(self):
        self.assertIsNone(tables.ratio(self.models["alpha_int8"], 1, "ncnn"))
        self.assertIsNone(tables.ratio(self.models["gamma_fp32"], 1, "litert"))

    def test_best_peer_does_not_count_wrong_outputs(self):
        # MNN is the fastest by far, and wrong; OpenVINO is only rounded otherwise.
        best = tables.best_peer(self.models["alpha_int8"], 1, self.runtimes)
        self.assertEqual(best, ("openvino", 3.0))

    def test_best_peer_needs_one_that_ran(self):
        self.assertIsNone(tables.best_peer(self.models["gamma_fp32"], 2, self.runtimes))

    def test_means_leave_out_failures_and_wrong_outputs(self):
        models = self.report["models"]
        self.assertAlmostEqual(tables.mean_ratio(models, 1, "litert"), (0.5 * 2) ** 0.5)
        self.assertIsNone(tables.mean_ratio(models, 1, "mnn"))
        self.assertIsNone(tables.mean_ratio(models, 1, "ncnn"))

    def test_digits(self):
        self.assertEqual(tables.digits(None), "–")
        self.assertEqual([tables.digits(v) for v in (123.4, 15.23, 1.5, 0.04321)],
                         ["123", "15.2", "1.50", "0.0432"])

    def test_times_table_marks_outputs_and_shows_failures_as_a_dash(self):
        lines = tables.times_table(self.report, 1)
        cells = [c.strip() for c in lines[2].strip("|").split("|")]
        self.assertEqual(cells, ["alpha_int8", "2.00 / 2.10", "4.00 / 4.10", "3.00 / 3.30~",
                                 "0.100 / 0.110*", "–"])
        self.assertEqual(len({len(line) for line in lines}), 1, "columns are not aligned")

    def test_ratio_table_has_a_mean_for_each_group_and_for_all(self):
        names = [line.split("|")[1].strip() for line in tables.ratio_table(self.report, 1)[2:]]
        self.assertEqual(names, ["alpha_int8", "beta_fp32", "gamma_fp32", "geometric mean, int8",
                                 "geometric mean, f32", "geometric mean, all"])

    def test_startup_table_shows_failures_as_a_dash(self):
        row = tables.startup_table(self.report, 1)[2].split("|")
        self.assertEqual(row[2].strip(), "5.00 + 2.20, 10 (5.0)")
        self.assertEqual(row[6].strip(), "–")

    def test_remarks_give_the_reasons_once(self):
        remarks = tables.remarks(self.report)
        self.assertIn("ncnn: – does not read .tflite: alpha_int8, beta_fp32, gamma_fp32", remarks)
        self.assertIn("LiteRT: – died of SIGSEGV: gamma_fp32", remarks)
        self.assertIn("MNN: * wrong, 71 units: alpha_int8", remarks)
        self.assertIn("OpenVINO: – no answer: gamma_fp32 (2 threads)", remarks)

    def test_a_report_without_picojoule_can_be_printed(self):
        del self.report["runtimes"]["pj"]
        with contextlib.redirect_stdout(io.StringIO()) as out:
            peers.print_report(self.report)
        self.assertIn("4.00 / 4.10", out.getvalue())
        self.assertNotIn("÷", out.getvalue())

    def test_report_text_is_the_same_report(self):
        self.assertEqual(json.loads(peers.report_text(self.report)), self.report)


class Plot(unittest.TestCase):
    def setUp(self):
        self.report = json.loads(RECORDED.read_text(encoding="utf-8"))
        self.root = xml.etree.ElementTree.fromstring(plot.svg(self.report))
        self.circles = [c for c in self.root.iter("{http://www.w3.org/2000/svg}circle")
                        if len(c)]  # those with a title; the others are the legend's

    def test_a_dot_for_each_ratio(self):
        expected = sum(1 for t in (1, 2) for m in self.report["models"]
                       for r in self.report["runtimes"] if r != "pj" and tables.ratio(m, t, r))
        self.assertEqual(len(self.circles), expected)

    def test_dots_are_ordered_by_ratio_and_inside(self):
        dots = []
        for circle in self.circles:
            dots.append((float(circle[0].text.rsplit(" ", 1)[1]), float(circle.get("cx"))))
            self.assertLess(dots[-1][1], float(self.root.get("width")))
            self.assertLess(float(circle.get("cy")), float(self.root.get("height")))
        one_thread = sorted(dots[:5])
        self.assertEqual([x for _, x in one_thread], sorted(x for _, x in one_thread))

    def test_wrong_outputs_are_hollow(self):
        wrong = [c for c in self.circles if c.get("fill") == "white"]
        self.assertTrue(wrong)
        self.assertTrue(all(c[0].text.startswith("MNN, alpha_int8") for c in wrong))


if __name__ == "__main__":
    unittest.main()
