// pj profile --html: cli/profile.html with the profile in its place.
#include <nlohmann/json.hpp>

#include "cli/energy_json.h"
#include "cli/profile_report.h"

extern "C" {
extern const unsigned char pj_embedded_profile_html[];
extern const unsigned int pj_embedded_profile_html_size;
}

namespace pj::cli {
namespace {

constexpr std::string_view kPlace = "/*PROFILE*/null";

// Spans of the fastest run of the trace, in microseconds since it began.
Json timeline_json(const Trace& trace) {
  Json spans = Json::array();
  if (trace.runs.empty()) return spans;
  auto best = trace.runs.front();
  for (const auto& run : trace.runs)
    if (run.second - run.first < best.second - best.first) best = run;
  for (const Trace::Span& s : trace.spans)
    if (s.begin_ns >= best.first && s.end_ns <= best.second)
      spans.push_back(Json{{"thread", s.thread},
                           {"step", s.step},
                           {"begin", static_cast<double>(s.begin_ns - best.first) * 1e-3},
                           {"end", static_cast<double>(s.end_ns - best.first) * 1e-3}});
  return spans;
}

// Nothing in it may end the script that it stands in.
std::string script_text(const Json& json) {
  std::string text;
  for (const char c : json.dump(-1, ' ', true, Json::error_handler_t::replace)) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

std::string to_html(const ProfileReport& report, const Trace& trace) {
  std::string page(reinterpret_cast<const char*>(pj_embedded_profile_html),
                   pj_embedded_profile_html_size);
  Json data = to_json(report);
  data["peak"] = to_json(report.peak);
  data["cpu"] = host_cpu().name;
  data["version"] = PJ_VERSION;
  data["timeline"] = timeline_json(trace);
  // The template has the place once.
  page.replace(page.find(kPlace), kPlace.size(), script_text(data));
  return page;
}

}  // namespace pj::cli
