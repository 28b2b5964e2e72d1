// pj profile: what steps wait for, traces, the page, and what profiling itself costs.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <regex>

#include "cli/step_bound.h"
#include "converters/named/named.h"
#include "runtime/base/clock.h"
#include "runtime/exec/session.h"
#include "tests/cli/live_counter.h"
#include "tests/cli/tool.h"

namespace pj::cli {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

const char* const kModel =
    R"({"version":1,"source":"calibrated","idle_policy":"gross","origin":"made up </script>",
        "held_out_error":0.02,"joules":{"seconds":{"value":2.0,"low":1.5,"high":3.0}}})";

// The parts of `text` that look like joules or watts, each up to the end of its line.
std::vector<std::string> figures_in(const std::string& text) {
  const std::regex figure(R"(\d(\.\d+)?(e[-+]\d+)? [kmunp]?[JW]\b[^\n]*)");
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), figure), end; it != end; ++it)
    found.push_back(it->str());
  return found;
}

// Every object that has an energy has all that belongs to it. Returns how many there are.
int check_energies(const Json& json) {
  int found = 0;
  if (json.is_object() && json.contains("energy_uj") && !json["energy_uj"].is_null()) {
    ++found;
    EXPECT_LE(json["energy_low_uj"], json["energy_uj"]);
    EXPECT_LE(json["energy_uj"], json["energy_high_uj"]);
    EXPECT_THAT(json["energy_source"], AnyOf("measured", "calibrated", "prior"));
    EXPECT_THAT(json["idle_policy"], AnyOf("gross", "dynamic", "marginal"));
  }
  if (json.is_structured())
    for (const Json& member : json) found += check_energies(member);
  return found;
}

class ProfileReport : public ::testing::Test {
 protected:
  ProfileReport() { model_ = root_.write("model.json", kModel); }
  ToolResult profile(std::vector<std::string> more) const {
    more.insert(more.begin(),
                {"profile", "builtin:fashion", "--runs", "20", "--energy-model", model_});
    return pj(more, {"PJ_SYSROOT=" + root_.path()});
  }
  Folder root_;
  std::string model_;
};

TEST_F(ProfileReport, StepsSayWhatTheyWaitFor) {
  const ToolResult result = profile({"--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  int known = 0;
  for (const Json& step : json["steps"]) {
    if (step["bound"].is_null()) continue;
    ++known;
    EXPECT_THAT(step["bound"], AnyOf("compute", "L1", "L2", "L3", "DRAM", "overhead"));
    EXPECT_EQ(step["bound"] == "overhead", step["bound_share"] < 1.0 / 3) << step;
  }
  EXPECT_GT(known, 0);
  ASSERT_LE(json["hints"].size(), 3u);
  ASSERT_GE(json["hints"].size(), 1u);
  for (const Json& hint : json["hints"])
    EXPECT_THAT(hint.get<std::string>(), HasSubstr("-bound: "));
  EXPECT_THAT(profile({}).out, HasSubstr("\nhint: step "));
}

// A machine with round figures: 1000 GMAC/s, 100 GB/s from everywhere.
TEST(StepBounds, AreWhatWouldTakeLongest) {
  const auto model = make_model(*load_named("builtin:fashion"));
  ASSERT_TRUE(model);
  const auto session = Session::create(*model);
  ASSERT_TRUE(session);
  const auto& steps = (*session)->program().steps;
  MachinePeak peak;
  peak.arithmetic.push_back({"scalar", IsaSet{}, DType::kI8, "", 0, 1000});
  for (const char* level : {"L1", "L2", "L3", "DRAM"})
    peak.memory.push_back({level, 0, {0, 100}, {0, 100}});
  const auto bound = [&](double ms, const Traffic& traffic) {
    return step_bounds(**session, std::vector<double>(steps.size(), ms),
                       std::vector<Traffic>(steps.size(), traffic), peak)[1];
  };
  // Of step 1, which takes most of the time.
  const auto hint = [&](double step_ms) {
    std::vector<double> times(steps.size(), 0.0);
    times[1] = step_ms;
    const std::vector<Traffic> none(steps.size());
    return step_hints(**session, times, none, step_bounds(**session, times, none, peak)).at(0);
  };
  const double ms = static_cast<double>(steps[1].macs) / 1e9;  // at the peak
  EXPECT_EQ(bound(ms, {}).name, "compute");
  EXPECT_THAT(hint(ms * 1.2), HasSubstr("83 % of it; only fewer multiplications would help"));
  EXPECT_THAT(hint(ms * 1.3), HasSubstr("77 % of it; the rest is work around the products"));
  EXPECT_NEAR(bound(ms, {}).explained, 1, 1e-9);
  EXPECT_EQ(bound(ms * 4, {}).name, "overhead");
  Traffic traffic;
  traffic.dram_bytes = steps[1].macs;  // ten times the time of its arithmetic
  EXPECT_EQ(bound(ms * 20, traffic).name, "DRAM");
  EXPECT_NEAR(bound(ms * 20, traffic).explained, 0.5, 1e-9);
  traffic.l2_bytes = traffic.dram_bytes * 2;
  EXPECT_EQ(bound(ms * 20, traffic).name, "L2");
  peak = {};
  EXPECT_EQ(bound(ms, traffic).name, "");
}

TEST_F(ProfileReport, NoFormHasAnEnergyWithoutItsSource) {
  const std::string trace = root_.file("trace.json"), page = root_.file("page.html");
  const ToolResult text = profile({"--trace", trace, "--html", page});
  ASSERT_EQ(text.status, 0) << text.err;
  const std::vector<std::string> figures = figures_in(text.out);
  EXPECT_GT(figures.size(), 20u);
  for (const std::string& figure : figures)
    EXPECT_THAT(figure, HasSubstr("] calibrated, gross")) << figure;
  EXPECT_GT(check_energies(Json::parse(read_text(trace))), 20);
  EXPECT_GT(check_energies(Json::parse(profile({"--json"}).out)), 20);
  // The page gets the same object.
  const std::string html = read_text(page);
  const std::string start = "const profile = ";
  const size_t begin = html.find(start) + start.size();
  EXPECT_GT(check_energies(Json::parse(html.substr(begin, html.find(";\n", begin) - begin))), 20);
}

// What the Trace Event Format document says of the kinds of events that there are.
void check_event(const Json& event) {
  const auto is_number = [&](const char* name) {
    return event.contains(name) && event[name].is_number() && event[name] >= 0;
  };
  ASSERT_TRUE(event.is_object());
  EXPECT_TRUE(is_number("pid")) << event;
  ASSERT_TRUE(event.contains("name") && event["name"].is_string()) << event;
  const std::string phase = event.value("ph", "");
  if (phase == "X") {  // complete: a piece of time of a thread
    EXPECT_TRUE(is_number("ts") && is_number("dur") && is_number("tid")) << event;
    EXPECT_TRUE(event.contains("cat") && event["cat"].is_string()) << event;
    EXPECT_TRUE(!event.contains("args") || event["args"].is_object()) << event;
  } else if (phase == "C") {  // counter: numbers of one track
    EXPECT_TRUE(is_number("ts")) << event;
    ASSERT_TRUE(event.contains("args") && event["args"].is_object()) << event;
    EXPECT_FALSE(event["args"].empty()) << event;
    for (const Json& value : event["args"]) EXPECT_TRUE(value.is_number()) << event;
  } else {  // metadata: names of the process and its threads
    EXPECT_EQ(phase, "M") << event;
    EXPECT_THAT(event["name"], AnyOf("process_name", "thread_name")) << event;
    EXPECT_TRUE(event["args"]["name"].is_string()) << event;
  }
}

TEST_F(ProfileReport, TheTraceHasARowAThreadAndThePower) {
  const LiveCounter counter(root_);
  const std::string file = root_.file("trace.json");
  const ToolResult result = pj({"profile", "builtin:fashion", "--runs", "5", "--threads", "2",
                                "--trace", file, "--energy-model", model_},
                               {"PJ_SYSROOT=" + root_.path()});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json trace = Json::parse(read_text(file));
  EXPECT_THAT(trace["displayTimeUnit"], AnyOf("ms", "ns"));
  ASSERT_TRUE(trace["traceEvents"].is_array());
  for (const Json& event : trace["traceEvents"]) check_event(event);
  int steps = 0, runs = 0, power = 0;
  double last_end = 0;
  for (const Json& event : trace["traceEvents"]) {
    if (event["ph"] == "X" && event["cat"] == "run") ++runs;
    if (event["ph"] == "X" && event["cat"] == "step" && event["tid"] == 0) {
      ++steps;
      EXPECT_GE(event["ts"].get<double>(), last_end - 0.002);  // one after the other
      last_end = event["ts"].get<double>() + event["dur"].get<double>();
    }
    if (event["ph"] == "C") {
      ++power;
      EXPECT_THAT(event["name"].get<std::string>(),
                  HasSubstr("powercap package-0 (measured, gross)"));
      EXPECT_GE(event["args"]["W"].get<double>(), 0);
    }
  }
  EXPECT_EQ(runs, 20);
  EXPECT_EQ(steps % runs, 0);
  EXPECT_GT(steps, 20 * 20);
  EXPECT_GT(power, 10);
}

TEST_F(ProfileReport, ThePageNeedsNothingElse) {
  const std::string file = root_.file("page.html");
  ASSERT_EQ(profile({"--html", file}).status, 0);
  const std::string html = read_text(file);
  // A namespace is a name, not an address that is fetched.
  const std::string rest = std::regex_replace(html, std::regex("http://www.w3.org/2000/svg"), "");
  for (const char* outside : {"http:", "https:", "src=", "href=", "@import", "url("})
    EXPECT_THAT(rest, Not(HasSubstr(outside)));
  // Text of a file cannot end the script that it stands in.
  EXPECT_THAT(html, HasSubstr("made up \\u003c/script>"));
  EXPECT_LE(html.size(), 80'000u);
  EXPECT_EQ(profile({"--html", root_.file("no/folder/p.html")}).status, 1);
}

std::string find_chromium() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"})
    if (std::system((std::string("command -v ") + name + " >/dev/null 2>&1").c_str()) == 0)
      return name;
  return "";
}

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST_F(ProfileReport, ThePageDrawsItselfInABrowser) {
  const std::string browser = find_chromium();
  if (browser.empty()) GTEST_SKIP() << "no chromium here: apt install chromium";
  const std::string file = root_.file("page.html"), dom = root_.file("dom.html");
  ASSERT_EQ(profile({"--html", file}).status, 0);
  std::string html = read_text(file);
  // A reader who sorts by time, as a second script; the page's own policy allows it.
  html.insert(html.rfind("</body>"),
              "<script>[...document.querySelectorAll('th button')]"
              ".find(b => b.textContent === 'ms').click();</script>\n");
  root_.write("page.html", html);
  const std::string command =
      "timeout 60 " + browser +
      " --headless --no-sandbox --disable-gpu --user-data-dir=" + root_.file("browser") +
      " --dump-dom file://" + file + " >" + dom + " 2>/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const std::string drawn = read_text(dom);
  EXPECT_THAT(drawn, HasSubstr("data-drawn=\"yes\""));
  const size_t steps = Json::parse(profile({"--json"}).out)["steps"].size();
  const std::string body = drawn.substr(drawn.find("<main>"));
  EXPECT_EQ(count(body, "<tr data-step="), steps);
  EXPECT_EQ(count(body, "class=\"whisker\""), steps);
  EXPECT_GE(count(body, "<circle"), steps / 2);
  EXPECT_GE(count(body, "<rect"), 2 * steps);  // timeline and energies
  EXPECT_EQ(count(body, "role=\"img\" aria-label="), 3u);
  EXPECT_THAT(body, HasSubstr("aria-sort=\"descending\""));
  EXPECT_THAT(body, HasSubstr("calibrated, gross"));
}

// With counters off. Minima of runs in turn; a busy machine gets more than one chance.
TEST(Profiling, CostsAtMostAHundredthOfATenMegaMacModel) {
  const auto model = make_model(*load_named("builtin:fashion"));
  ASSERT_TRUE(model);
  const auto session = Session::create(*model);
  ASSERT_TRUE(session);
  double overhead = 1;
  for (int attempt = 0; attempt < 10 && overhead > 0.01; ++attempt) {
    int64_t plain = INT64_MAX, profiled = INT64_MAX;
    Profile profile = (*session)->make_profile();
    for (int i = 0; i < 3000; ++i) {
      int64_t begin = now_ns();
      ASSERT_TRUE((*session)->run());
      plain = std::min(plain, now_ns() - begin);
      begin = now_ns();
      ASSERT_TRUE((*session)->run(profile));
      profiled = std::min(profiled, now_ns() - begin);
    }
    overhead = static_cast<double>(profiled - plain) / static_cast<double>(plain);
  }
  EXPECT_LE(overhead, 0.01);
}

}  // namespace
}  // namespace pj::cli
