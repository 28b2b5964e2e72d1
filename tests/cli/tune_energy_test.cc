// pj tune --objective energy: with a model's joules, and with a counter that is a file growing by
// 2 W.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "tests/cli/live_counter.h"
#include "tests/cli/models.h"
#include "tests/cli/tool.h"

namespace pj::cli {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

class TuneEnergy : public ::testing::Test {
 protected:
  TuneEnergy() {
    model_ = root_.write(
        "model.json",
        R"({"version":1,"source":"calibrated","idle_policy":"gross","origin":"made <up>","joules":
            {"seconds":{"value":2.0,"low":1.5,"high":3.0},
             "core_seconds":{"value":1.0,"low":0.5,"high":2.0}}})");
  }
  ToolResult tune(std::vector<std::string> more) const {
    more.insert(more.begin(),
                {"tune", "builtin:fashion", "--objective", "energy", "--budget", "1"});
    return pj(more, {"PJ_SYSROOT=" + root_.path()});
  }

  Folder root_;
  std::string model_;
};

TEST_F(TuneEnergy, PrintsTheFrontAndStoresWhatItChose) {
  const std::string out = root_.file("tuned.pj"), svg = root_.file("front.svg");
  const ToolResult result =
      tune({"--energy-model", model_, "--period", "50", "--svg", svg, "-o", out});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("energy a period of 50 ms"));
  EXPECT_THAT(result.out, HasSubstr("front"));
  EXPECT_THAT(result.out, HasSubstr("the resting machine's power: 2 W [1.5, 3] calibrated, gross"));
  EXPECT_THAT(result.out, HasSubstr("chosen: "));
  EXPECT_THAT(result.out, HasSubstr(out + ": run it with --threads "));
  EXPECT_EQ(pj({"run", out}).status, 0);
  // Every energy has all that belongs to it.
  const std::regex figure(R"(\d [munp]?[JW]\b[^\n]*)");
  for (std::sregex_iterator it(result.out.begin(), result.out.end(), figure), end; it != end; ++it)
    EXPECT_THAT(it->str(), HasSubstr("] calibrated, gross"));
  const std::string drawing = read_text(svg);
  EXPECT_THAT(drawing, HasSubstr("calibrated, gross; bars are 95 % intervals"));
  EXPECT_THAT(drawing, HasSubstr("made &lt;up>"));
  EXPECT_THAT(drawing, HasSubstr("</svg>"));
}

TEST_F(TuneEnergy, JsonSaysWhatEachPlanNeeds) {
  const ToolResult result = tune({"--energy-model", model_, "--deadline", "1000", "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["period_ms"], 1000);  // the deadline, if nothing else is said
  int chosen = 0, front = 0;
  double least = 1e300, chosen_uj = 0;
  for (const Json& plan : json["candidates"]) {
    const double uj = plan["energy_uj"];
    EXPECT_GE(uj, 1.999e6);  // the machine draws 2 W all the time
    EXPECT_EQ(plan["energy_source"], "calibrated");
    EXPECT_EQ(plan["idle_policy"], "gross");
    least = std::min(least, uj);
    if (plan["chosen"]) ++chosen, chosen_uj = uj;
    front += plan["front"] ? 1 : 0;
  }
  EXPECT_EQ(chosen, 1);
  EXPECT_GE(front, 1);
  // The default stays unless another needs less for sure.
  EXPECT_TRUE(chosen_uj == least || json["candidates"][0]["chosen"]);
}

TEST_F(TuneEnergy, MeasuresWherePossible) {
  const LiveCounter counter(root_);
  const ToolResult result = tune({"--json", "--threads", "1"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  // Of a machine that is busy with other things, a figure or two may be less than nothing.
  int plans = 0, positive = 0;
  for (const Json& plan : json["candidates"]) {
    EXPECT_EQ(plan["energy_source"], "measured");
    ++plans;
    positive += plan["energy_uj"] > 0 ? 1 : 0;
  }
  EXPECT_GT(2 * positive, plans);
}

TEST_F(TuneEnergy, SaysWhenThereIsNoPlanOrNoFigure) {
  const ToolResult late = tune({"--energy-model", model_, "--deadline", "0.001"});
  EXPECT_EQ(late.status, 1);
  EXPECT_THAT(late.out, HasSubstr("no plan keeps 0.001 ms in 95 of 100 runs"));
  const ToolResult unknown = tune({});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, HasSubstr("no figure for this CPU is known"));
  EXPECT_EQ(tune({"--deadline", "5", "--period", "2"}).status, 2);
  EXPECT_EQ(tune({"--isa", "scalar"}).status, 2);
  EXPECT_EQ(pj({"tune", "builtin:fashion"}).status, 2);
}

}  // namespace
}  // namespace pj::cli
