// pj inspect and convert, and every command on the model that comes with the library.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/common.h"
#include "tests/cli/models.h"
#include "tests/cli/tool.h"

namespace pj::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Json inspect(const std::string& model, std::vector<std::string> more = {}) {
  std::vector<std::string> args{"inspect", model, "--json"};
  args.insert(args.end(), more.begin(), more.end());
  const ToolResult result = pj(args);
  EXPECT_EQ(result.status, 0) << result.err;
  return result.status == 0 ? Json::parse(result.out) : Json{};
}

TEST(Inspect, ShowsTheModel) {
  const Folder folder;
  const std::string model = brightest_model(folder.file("m.pj"));
  const Json json = inspect(model, {"--passes", "--verify"});
  EXPECT_EQ(json["format"], "pj");
  EXPECT_EQ(json["inputs"][0]["name"], "pixels");
  EXPECT_EQ(json["inputs"][0]["shape"], Json({1, 2, 2, 1}));
  EXPECT_EQ(json["inputs"][0]["zero_point"], -128);
  EXPECT_EQ(json["outputs"][0]["scale"], 1.0 / 256);
  EXPECT_EQ(json["macs"], 12);
  EXPECT_EQ(json["weight_bytes"], 24);
  EXPECT_GE(json["arena_bytes"], json["arena_lower_bound"]);
  EXPECT_EQ(json["pj"]["verified"], true);
  EXPECT_EQ(json["pj"]["version"].get<std::string>().substr(0, 2), "1.");
  EXPECT_FALSE(json["passes"].empty());
  EXPECT_TRUE(json["obstacle"].is_null());
  const ToolResult text = pj({"inspect", model, "--verify", "--passes"});
  for (const char* part : {"pixels", "int8", "1x2x2x1", "zero point -128", "fully_connected",
                           "softmax", "all checksums correct", "fold_constants", "packed at load"})
    EXPECT_THAT(text.out, HasSubstr(part));
}

TEST(Inspect, UnknownDimensionsAreShownOrTakenAsOne) {
  const Folder folder;
  const Json json = inspect(rows_model(folder.file("rows.pj")));
  EXPECT_EQ(json["unknown_dims_as_1"], true);
  EXPECT_EQ(json["macs"], 4);
}

TEST(Inspect, VerifyFindsAFlippedBit) {
  const Folder folder;
  std::string model = read_text(brightest_model(folder.file("m.pj")));
  // The weights 10 are the only bytes of that value in a row of zeros.
  const size_t at = model.find(std::string("\x0a\0\0\0\0\x0a", 6));
  ASSERT_NE(at, std::string::npos);
  model[at] = '\x0b';
  const std::string damaged = folder.write("damaged.pj", model);
  EXPECT_EQ(pj({"inspect", damaged}).status, 0);
  const ToolResult result = pj({"inspect", damaged, "--verify"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr(damaged));
}

TEST(Convert, PackedWeightsAreUsedInPlaceAndGiveTheSameResult) {
  const Folder folder;
  for (const std::string& model :
       {brightest_model(folder.file("a.pj")), rows_model(folder.file("b.pj"))}) {
    const std::string out = folder.file("out.pj");
    const ToolResult result = pj({"convert", model, out});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("packed for"));
    const Json json = inspect(out, {"--verify"});
    EXPECT_GT(json["packed_bytes"], 0);
    EXPECT_EQ(json["packed_at_load_bytes"], 0);
    EXPECT_EQ(json["pj"]["targets"].size(), 1u);
    auto crc = [](const std::string& path) {
      return Json::parse(pj({"bench", path, "--runs", "1", "--json"}).out)["output_crc32"];
    };
    EXPECT_EQ(crc(out), crc(model));
  }
}

TEST(Convert, SeveralTargetsOrNone) {
  const Folder folder;
  const std::string model = brightest_model(folder.file("m.pj"));
  const std::string out = folder.file("out.pj");
  EXPECT_EQ(pj({"convert", model, out, "--target", "scalar,neondot"}).status, 0);
  const Json two = inspect(out);
  ASSERT_EQ(two["pj"]["targets"].size(), 2u);
  EXPECT_EQ(two["pj"]["targets"][0]["name"], "scalar");
  EXPECT_EQ(two["pj"]["targets"][1]["isa"], "neon neondot");
  EXPECT_EQ(inspect(out, {"--isa", "scalar"})["packed_at_load_bytes"], 0);
  EXPECT_EQ(pj({"convert", model, out, "--target", "none"}).status, 0);
  const Json none = inspect(out);
  EXPECT_TRUE(none["pj"]["targets"].empty());
  EXPECT_EQ(none["packed_at_load_bytes"], none["packed_bytes"]);
}

TEST(Convert, F16WeightsTakeHalfTheBytes) {
  const Folder folder;
  const std::string model = "builtin:mobilenet_v1-f32-96-0.25x";
  const std::string wide = folder.file("wide.pj"), half = folder.file("half.pj");
  EXPECT_EQ(pj({"convert", model, wide}).status, 0);
  const ToolResult result = pj({"convert", model, half, "--weights", "f16"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("f16 weights in"));
  const Json before = inspect(wide, {"--verify"}), after = inspect(half, {"--verify"});
  for (const char* bytes : {"file_bytes", "weight_bytes", "packed_bytes"})
    EXPECT_LT(after[bytes].get<double>(), 0.55 * before[bytes].get<double>()) << bytes;
  EXPECT_EQ(after["packed_at_load_bytes"], 0);
  EXPECT_EQ(pj({"bench", half, "--runs", "1"}).status, 0);
}

TEST(Convert, LeavesNothingBehindWhenItFails) {
  const Folder folder;
  const std::string model = brightest_model(folder.file("m.pj"));
  const std::string before = read_text(model);
  folder.write("folder.pj/inside", "");
  for (const std::string& out :
       {folder.file("absent/out.pj"), folder.file("m.pj/out.pj"), folder.file("folder.pj")}) {
    const ToolResult result = pj({"convert", model, out});
    EXPECT_EQ(result.status, 1) << out;
    EXPECT_THAT(result.err, HasSubstr(out));
    EXPECT_THAT(folder.list(), ElementsAre("folder.pj", "m.pj"));
  }
  const ToolResult same = pj({"convert", model, folder.path() + "/./m.pj"});
  EXPECT_EQ(same.status, 2);
  EXPECT_THAT(same.err, HasSubstr("both input and output"));
  EXPECT_EQ(read_text(model), before);
}

// A limit on the size of files stands for a full disk.
TEST(Convert, AFullDiskLeavesTheOldFile) {
  const Folder folder;
  const std::string old = folder.write("m.pj", "old");
  EXPECT_EXIT(
      {
        rlimit limit{};
        limit.rlim_cur = limit.rlim_max = 100'000;
        setrlimit(RLIMIT_FSIZE, &limit);
        const ToolResult result = pj({"convert", "builtin:fashion", old});
        const bool told = result.err.find("cannot write '" + old) != std::string::npos;
        _exit(result.status == 1 && told ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(read_text(old), "old");
  EXPECT_THAT(folder.list(), ElementsAre("m.pj"));
}

TEST(Convert, TwoProcessesLeaveOneWholeFile) {
  const Folder folder;
  const std::string out = folder.file("m.pj");
  auto convert = [&](const char* target) {
    for (int i = 0; i < 5; ++i)
      EXPECT_EQ(pj({"convert", "builtin:fashion", out, "--target", target}).status, 0);
  };
  std::thread other(convert, "scalar");
  convert("neon,neondot");
  other.join();
  const Json json = inspect(out, {"--verify"});
  EXPECT_EQ(json["pj"]["targets"].size(), json["pj"]["targets"][0]["name"] == "scalar" ? 1u : 2u);
  EXPECT_THAT(folder.list(), ElementsAre("m.pj"));
}

TEST(Export, WritesWhatRunsTheSame) {
  const Folder folder;
  const std::string model = "builtin:transformer-8", out = folder.file("t.tflite");
  const ToolResult result = pj({"export", model, out});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("t.tflite: "));
  EXPECT_EQ(folder.list(), std::vector<std::string>{"t.tflite"});
  EXPECT_THAT(read_text(out), HasSubstr("from builtin:transformer-8"));
  for (const std::string& name : {model, out})
    EXPECT_EQ(pj({"run", name, "--output", folder.file(stem_of(name))}).status, 0);
  EXPECT_EQ(read_text(folder.file("t/output_0.bin")),
            read_text(folder.file(stem_of(model) + "/output_0.bin")));
}

TEST(Export, RefusesToReplaceItsInput) {
  const Folder folder;
  const std::string path = folder.file("t.tflite");
  ASSERT_EQ(pj({"export", "builtin:dscnn", path}).status, 0);
  const std::string before = read_text(path);
  const ToolResult same = pj({"export", path, folder.path() + "/./t.tflite"});
  EXPECT_EQ(same.status, 2);
  EXPECT_THAT(same.err, HasSubstr("both input and output"));
  EXPECT_EQ(read_text(path), before);
}

TEST(Fashion, EveryCommandWorks) {
  const Folder folder;
  const std::string model = "builtin:fashion";
  EXPECT_EQ(inspect(model)["inputs"][0]["shape"], Json({1, 28, 28, 1}));
  EXPECT_EQ(pj({"profile", model, "--runs", "2"}).status, 0);
  const std::string out = folder.file("fashion.pj");
  EXPECT_EQ(pj({"convert", model, out}).status, 0);
  auto crc = [](const std::string& path, const char* threads) {
    const ToolResult result = pj({"bench", path, "--runs", "1", "--threads", threads, "--json"});
    EXPECT_EQ(result.status, 0) << result.err;
    return Json::parse(result.out)["output_crc32"];
  };
  EXPECT_EQ(crc(model, "1"), crc(out, "2"));
  const ToolResult run = pj({"run", model});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(std::count(run.out.begin(), run.out.end(), '\n'), 3);  // the three best classes
  EXPECT_THAT(run.out, HasSubstr("%"));
}

}  // namespace
}  // namespace pj::cli
