// pj tune --objective energy: table, JSON and drawing of what was found.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/energy_json.h"
#include "cli/errors.h"
#include "cli/table.h"
#include "cli/tune_energy.h"

namespace pj::cli {
namespace {

bool in_front(const EnergyChoice& choice, size_t i) {
  return std::find(choice.front.begin(), choice.front.end(), i) != choice.front.end();
}

bool in_time(const EnergyObjective& o, const EnergyCandidate& c) {
  return o.deadline_ms <= 0 || c.choice.seconds * 1e3 <= o.deadline_ms;
}

std::string mark(const EnergyObjective& o, const EnergyChoice& choice, size_t i) {
  std::string text = choice.chosen == i ? "chosen" : "";
  const auto add = [&](bool applies, const char* word) {
    if (applies) text += (text.empty() ? "" : ", ") + std::string(word);
  };
  add(in_front(choice, i), "front");
  add(!in_time(o, choice.candidates[i]), "too slow");
  return text;
}

std::string energy_title(const EnergyObjective& o) {
  return o.period() > 0 ? fmt::format("energy a period of {:.4g} ms", o.period() * 1e3)
                        : "energy a run";
}

std::string name_of(const PlanName& plan) {
  return fmt::format("{} thread{}, {} kernels, bands {}", plan.threads,
                     plan.threads == 1 ? "" : "s", plan.isa.empty() ? "all" : plan.isa, plan.bands);
}

// The fastest plan and then rest, against the slowest that is still in time.
std::string race_text(const EnergyObjective& o, const EnergyChoice& choice) {
  if (choice.front.size() < 2 || o.period() <= 0) return "";
  const EnergyCandidate& race = choice.candidates[choice.front.front()];
  size_t slow = choice.front.front();
  for (size_t i : choice.front)
    if (in_time(o, choice.candidates[i])) slow = i;
  if (slow == choice.front.front()) return "";
  const EnergyCandidate& steady = choice.candidates[slow];
  return fmt::format("race to idle ({}): {}\nslow and steady ({}): {}\n", name_of(race.name),
                     race.choice.energy.text(), name_of(steady.name), steady.choice.energy.text());
}

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : printable(text))
    safe += c == '<' ? "&lt;" : (c == '&' ? "&amp;" : std::string(1, c));
  return safe;
}

// From what a candidate is to where it is in the drawing; both axes begin at 0.
class Drawing {
 public:
  Drawing(const EnergyObjective& o, const EnergyChoice& choice) {
    for (const EnergyCandidate& c : choice.candidates) {
      most_ms_ = std::max(most_ms_, c.choice.seconds * 1e3);
      most_uj_ = std::max(most_uj_, uj(c, "energy_uj"));
    }
    if (o.deadline_ms > 0) most_ms_ = std::max(most_ms_, o.deadline_ms);
    most_ms_ *= 1.1, most_uj_ *= 1.3;
  }
  static double uj(const EnergyCandidate& c, const char* member) {
    Json json;
    add_energy(json, &c.choice.energy);
    return json[member].get<double>();
  }
  double x(double ms) const { return kLeft + ms / most_ms_ * (kWidth - kLeft - 20); }
  double y(double uj) const {
    return kHeight - kBottom - std::min(uj / most_uj_, 1.0) * (kHeight - kBottom - 40);
  }
  double most_ms() const { return most_ms_; }
  double most_uj() const { return most_uj_; }

  static constexpr int kWidth = 800, kHeight = 480, kLeft = 70, kBottom = 50;

 private:
  double most_ms_ = 1e-9, most_uj_ = 1e-9;
};

std::string axes(const EnergyObjective& o, const Drawing& d) {
  std::string svg;
  for (int i = 0; i <= 4; ++i) {
    const double ms = d.most_ms() * i / 4, uj = d.most_uj() * i / 4;
    svg += fmt::format(
        "<text x=\"{:.0f}\" y=\"{}\" text-anchor=\"middle\">{:.3g}</text>\n"
        "<text x=\"{}\" y=\"{:.0f}\" text-anchor=\"end\">{:.5g}</text>\n",
        d.x(ms), d.kHeight - d.kBottom + 18, ms, d.kLeft - 6, d.y(uj) + 4, uj);
  }
  svg += fmt::format("<path class=\"axis\" d=\"M{0} 40V{1}H{2}\"/>\n", d.kLeft,
                     d.kHeight - d.kBottom, d.kWidth - 20);
  if (o.deadline_ms > 0)
    svg += fmt::format(
        "<path class=\"deadline\" d=\"M{0:.1f} 40V{1}\"/>\n<text x=\"{0:.1f}\" y=\"36\" "
        "text-anchor=\"end\">deadline {2:.4g} ms</text>\n",
        d.x(o.deadline_ms), d.kHeight - d.kBottom, o.deadline_ms);
  return svg;
}

// A point with its interval, cut off at the top where it leaves the drawing.
std::string point(const EnergyChoice& choice, const Drawing& d, size_t i) {
  const EnergyCandidate& c = choice.candidates[i];
  const double x = d.x(c.choice.seconds * 1e3);
  const std::string title = fmt::format("{}: {:.4g} ms, {}", name_of(c.name),
                                        c.choice.seconds * 1e3, c.choice.energy.text());
  return fmt::format(
      "<g class=\"{}\"><title>{}</title><path d=\"M{:.1f} {:.1f}V{:.1f}\"/><circle cx=\"{:.1f}\" "
      "cy=\"{:.1f}\" r=\"{}\"/></g>\n",
      in_front(choice, i) ? "front" : "other", escaped(title), x,
      d.y(Drawing::uj(c, "energy_low_uj")), d.y(Drawing::uj(c, "energy_high_uj")), x,
      d.y(Drawing::uj(c, "energy_uj")), choice.chosen == i ? 8 : 5);
}

}  // namespace

std::string to_text(const EnergyObjective& o, const EnergyChoice& choice) {
  Table table({{"threads", true},
               {"kernels", false},
               {"bands", false},
               {"ms", true},
               {"95 %", true},
               {energy_title(o), false},
               {"", false}});
  std::vector<size_t> order(choice.candidates.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return choice.candidates[a].choice.seconds < choice.candidates[b].choice.seconds;
  });
  for (const size_t i : order) {
    const EnergyCandidate& c = choice.candidates[i];
    table.add({std::to_string(c.name.threads), c.name.isa.empty() ? "all" : c.name.isa,
               c.name.bands, ms_text(c.fastest_ms), ms_text(c.choice.seconds * 1e3),
               c.choice.energy.text(), mark(o, choice, i)});
  }
  std::string text = table.to_string();
  text += fmt::format("\nenergy: {}\nthe resting machine's power: {}\n", printable(choice.origin),
                      choice.idle);
  text += race_text(o, choice);
  if (!choice.chosen)
    return text + fmt::format("no plan keeps {:.4g} ms in 95 of 100 runs\n", o.deadline_ms);
  const PlanName& chosen = choice.candidates[*choice.chosen].name;
  text +=
      fmt::format("chosen: {}{}\n", name_of(chosen), *choice.chosen == 0 ? " (the default)" : "");
  if (!choice.saving.empty())
    text += fmt::format("  the cheapest plan less the default: {}{}\n", choice.saving,
                        *choice.chosen == 0 ? "; not certain, so the default stays" : "");
  return text;
}

Json to_json(const EnergyObjective& o, const EnergyChoice& choice) {
  Json candidates = Json::array();
  for (size_t i = 0; i < choice.candidates.size(); ++i) {
    const EnergyCandidate& c = choice.candidates[i];
    Json json{{"threads", c.name.threads},
              {"isa", c.name.isa.empty() ? Json() : Json(c.name.isa)},
              {"bands", c.name.bands},
              {"fastest_ms", c.fastest_ms},
              {"latency_ms", c.choice.seconds * 1e3},
              {"in_time", in_time(o, c)},
              {"front", in_front(choice, i)},
              {"chosen", choice.chosen == i}};
    add_energy(json, &c.choice.energy);
    candidates.push_back(json);
  }
  return Json{{"model", o.model},
              {"deadline_ms", o.deadline_ms > 0 ? Json(o.deadline_ms) : Json()},
              {"period_ms", o.period() > 0 ? Json(o.period() * 1e3) : Json()},
              {"energy_origin", choice.origin},
              {"candidates", candidates}};
}

std::string to_svg(const EnergyObjective& o, const EnergyChoice& choice) {
  const Drawing d(o, choice);
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"sans-serif\" "
      "font-size=\"12\">\n<style>.axis{{stroke:#888;fill:none}}.deadline{{stroke:#c33;"
      "stroke-dasharray:4}}.other{{fill:#aaa;stroke:#aaa}}.front{{fill:#06c;stroke:#06c}}"
      ".line{{stroke:#06c;fill:none}}</style>\n<rect width=\"{0}\" height=\"{1}\" "
      "fill=\"white\"/>\n",
      d.kWidth, d.kHeight);
  svg += axes(o, d);
  std::string line;
  for (const size_t i : choice.front) {
    const EnergyCandidate& c = choice.candidates[i];
    line += fmt::format("{}{:.1f} {:.1f}", line.empty() ? "M" : "L", d.x(c.choice.seconds * 1e3),
                        d.y(Drawing::uj(c, "energy_uj")));
  }
  svg += fmt::format("<path class=\"line\" d=\"{}\"/>\n", line);
  for (size_t i = 0; i < choice.candidates.size(); ++i) svg += point(choice, d, i);
  // What kind of joules these are belongs to the picture.
  Json label;
  add_energy(label, &choice.candidates[0].choice.energy);
  svg += fmt::format(
      "<text x=\"{}\" y=\"18\">{}: {} in uJ, {}, {}; bars are 95 % intervals</text>\n"
      "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">ms that 95 of 100 runs keep; "
      "{}</text>\n</svg>\n",
      d.kLeft, escaped(o.model), energy_title(o), label["energy_source"].get<std::string>(),
      label["idle_policy"].get<std::string>(), d.kWidth / 2, d.kHeight - 12,
      escaped(choice.origin));
  return svg;
}

}  // namespace pj::cli
