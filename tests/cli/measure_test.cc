// pj bench, profile, eval.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/npy.h"
#include "runtime/exec/xnnpack/xnnpack.h"
#include "tests/cli/models.h"
#include "tests/cli/tool.h"

namespace pj::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> keys(const Json& json) {
  std::vector<std::string> names;
  for (const auto& item : json.items()) names.push_back(item.key());
  return names;
}

TEST(Profile, NamesTheKernelsOfXnnpack) {
  const auto profile = [](const char* mode) {
    return pj({"profile", "builtin:fashion", "--runs", "1", "--xnnpack", mode});
  };
  EXPECT_THAT(profile("off").out, Not(HasSubstr("xnnpack_")));
  const ToolResult only = profile("only");
  if (xnnpack_generation() == nullptr) {
    EXPECT_EQ(only.status, 1);
    EXPECT_THAT(only.err, HasSubstr("this build has no XNNPACK"));
  } else {
    EXPECT_THAT(only.out, HasSubstr("xnnpack_conv_2d"));
  }
}

TEST(Bench, JsonHasExactlyTheFieldsOfTheContract) {
  const Folder folder;
  const std::string model = brightest_model(folder.file("m.pj"));
  const ToolResult result = pj({"bench", model, "--runs", "7", "--warmup", "0", "--json"});
  EXPECT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_THAT(keys(json), ElementsAre("model", "threads", "isa", "runs", "load_ms", "first_ms",
                                      "min_ms", "median_ms", "p90_ms", "peak_rss_bytes",
                                      "arena_bytes", "weight_bytes", "output_crc32"));
  EXPECT_EQ(json["model"], model);
  EXPECT_EQ(json["threads"], 1);
  EXPECT_EQ(json["runs"], 7);
  EXPECT_EQ(json["weight_bytes"], 12 + 12);  // int8 3x4, int32 x3
  EXPECT_LE(json["min_ms"], json["median_ms"]);
  EXPECT_LE(json["median_ms"], json["p90_ms"]);
  EXPECT_GE(json["first_ms"], json["min_ms"]);  // without warm-up it is one of the runs
  EXPECT_GT(json["peak_rss_bytes"], 1 << 20);
}

TEST(Bench, PeriodicRunsSayWhatEachFrameCosts) {
  const Folder folder;
  const std::string model = brightest_model(folder.file("m.pj"));
  const ToolResult result = pj({"bench", model, "--period", "5", "--runs", "6", "--json"});
  EXPECT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["runs"], 6);
  EXPECT_GE(json["cpu_ms"], 0);
  EXPECT_GT(json["context_switches"], 0);  // it sleeps between frames
  EXPECT_LE(json["missed"], 6);
  const ToolResult text = pj({"bench", model, "--period", "5", "--seconds", "0.02"});
  EXPECT_THAT(text.out, HasSubstr("of 4 frames missed"));
  EXPECT_EQ(pj({"bench", model, "--period", "0"}).status, 2);
}

TEST(Bench, ResultsAreTheSameForEveryThreadCountAndLevel) {
  const Folder folder;
  const std::string model = brightest_model(folder.file("m.pj"));
  auto crc = [&](const char* threads, const char* isa) {
    return Json::parse(pj({"bench", model, "--runs", "1", "--threads", threads, "--json"},
                          {std::string("PJ_ISA=") + isa})
                           .out)["output_crc32"];
  };
  EXPECT_EQ(crc("1", "scalar"), crc("2", "scalar"));
  EXPECT_EQ(crc("1", "scalar"),
            Json::parse(pj({"bench", model, "--runs", "3", "--json"}).out)["output_crc32"]);
}

TEST(Bench, ABrokenModelInAListDoesNotStopTheOthers) {
  const Folder folder;
  const std::string first = brightest_model(folder.file("first.pj"));
  const std::string last = adding_model(folder.file("last.pj"));
  const std::string broken = folder.write("broken.pj", "nothing");
  const ToolResult result = pj({"bench", first, broken, last, "--runs", "1", "--json"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr(broken));
  const size_t end = result.out.find('\n');
  EXPECT_EQ(Json::parse(result.out.substr(0, end))["model"], first);
  EXPECT_EQ(Json::parse(result.out.substr(end))["model"], last);
  const ToolResult text = pj({"bench", first, last, "--seconds", "0"});
  EXPECT_EQ(text.status, 0);
  EXPECT_THAT(text.out, HasSubstr("median ms"));
  EXPECT_THAT(text.out, HasSubstr("last.pj"));
}

TEST(Bench, UnknownDimensionsBecomeOne) {
  const Folder folder;
  EXPECT_EQ(pj({"bench", rows_model(folder.file("rows.pj")), "--runs", "1"}).status, 0);
}

TEST(Profile, JsonHasTheFieldsOfTheContract) {
  const Folder folder;
  const ToolResult result =
      pj({"profile", brightest_model(folder.file("m.pj")), "--runs", "5", "--json"},
         {"PJ_SYSROOT=" + folder.path()});  // a CPU of which nothing is known
  EXPECT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["runs"], 5);
  ASSERT_EQ(json["steps"].size(), 2u);
  const Json& step = json["steps"][0];
  EXPECT_THAT(keys(step),
              ElementsAre("index", "name", "op", "kernel", "members", "shapes", "macs", "bytes_l1",
                          "bytes_l2", "bytes_l3", "bytes_dram", "bound", "bound_share", "time_ms",
                          "share", "gmacs", "energy_uj", "energy_low_uj", "energy_high_uj",
                          "energy_source", "idle_policy"));
  EXPECT_EQ(step["op"], "fully_connected");
  EXPECT_EQ(step["macs"], 12);
  EXPECT_TRUE(step["energy_uj"].is_null());
  EXPECT_EQ(step["shapes"]["outputs"][0], Json({1, 3}));
  EXPECT_TRUE(json["steps"][1]["gmacs"].is_null());
  const double sum = step["share"].get<double>() + json["steps"][1]["share"].get<double>();
  EXPECT_NEAR(sum, 1, 1e-9);
  const Json& totals = json["totals"];
  EXPECT_EQ(totals["macs"], 12);
  EXPECT_NEAR(totals["steps_ms"].get<double>() + totals["overhead_ms"].get<double>(),
              totals["time_ms"].get<double>(), 1e-9);
}

TEST(Profile, BytesAreCountedForTheCachesThatAreAsked) {
  const Folder folder;
  const std::string model = brightest_model(folder.file("m.pj"));
  auto bytes = [&](const char* caches) {
    const ToolResult result =
        pj({"profile", model, "--runs", "5", "--energy", "off", "--caches", caches, "--json"});
    EXPECT_EQ(result.status, 0) << result.err;
    return Json::parse(result.out)["totals"];
  };
  const Json tiny = bytes("64/1,128/1"), large = bytes("65536/8,1048576/16");
  EXPECT_GT(tiny["bytes_dram"], 0);
  EXPECT_EQ(large["bytes_dram"], 0);
  EXPECT_EQ(tiny["bytes_l1"], large["bytes_l1"]);
  EXPECT_GT(tiny["l1_misses"], large["l1_misses"]);
  for (const char* wrong : {"32k", "100/1", "64/0", "64/1,", "64/1,64/1,64/1,64/1", "64"}) {
    const ToolResult result = pj({"profile", model, "--caches", wrong});
    EXPECT_EQ(result.status, 2) << wrong;
    EXPECT_THAT(result.err, HasSubstr("BYTES/WAYS"));
  }
}

TEST(Profile, TextHasTotals) {
  const Folder folder;
  const ToolResult result = pj({"profile", brightest_model(folder.file("m.pj")), "--runs", "5"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("sum of steps"));
  EXPECT_THAT(result.out, HasSubstr("softmax"));
}

// Four pictures, in every form of labelled data. The model answers 0, 1, 2, 0; the last label is
// wrong.
class Eval : public ::testing::Test {
 protected:
  Eval() : model(brightest_model(folder.file("m.pj"))) {}

  static std::string pixels(size_t i) {
    const std::string all[] = {
        {"\xff\0\0\0", 4}, {"\0\xff\0\0", 4}, {"\0\0\xff\0", 4}, {"\xf0\0\0\xff", 4}};
    return all[i];
  }
  std::string picture(const std::string& name, size_t i) {
    return folder.write(name, grey_bmp(pixels(i)));
  }
  Json evaluate(const std::string& data, std::vector<std::string> more = {}) {
    std::vector<std::string> args{"eval", model, "--data", data, "--json"};
    args.insert(args.end(), more.begin(), more.end());
    const ToolResult result = pj(args);
    EXPECT_EQ(result.status, 0) << result.err;
    return result.status == 0 ? Json::parse(result.out) : Json{};
  }
  std::string arrays() {
    const std::string data = folder.file("arrays");
    folder.write("arrays/README", "");
    const std::string images = pixels(0) + pixels(1) + pixels(2) + pixels(3);
    const std::vector<int64_t> labels{0, 1, 2, 1};
    EXPECT_TRUE(write_npy(data + "/images_uint8.npy", DType::kU8, {4, 2, 2, 1},
                          std::as_bytes(std::span(images))));
    EXPECT_TRUE(
        write_npy(data + "/labels.npy", DType::kI64, {4}, std::as_bytes(std::span(labels))));
    return data;
  }

  Folder folder;
  std::string model;
};

TEST_F(Eval, Arrays) {
  const Json json = evaluate(arrays(), {"--output", folder.file("decisions.npy")});
  EXPECT_EQ(json["count"], 4);
  EXPECT_EQ(json["classes"], 3);
  EXPECT_EQ(json["top1"], 0.75);
  EXPECT_TRUE(json["top5"].is_null());
  const Result<Array> decisions = read_npy(folder.file("decisions.npy"));
  ASSERT_TRUE(decisions);
  EXPECT_EQ(decisions->dtype, DType::kI32);
  const auto* values = reinterpret_cast<const int32_t*>(decisions->data.bytes.data());
  EXPECT_THAT(std::vector(values, values + decisions->count()), ElementsAre(0, 1, 2, 0));
}

TEST_F(Eval, PartsOfTheData) {
  const std::string data = arrays();
  EXPECT_EQ(evaluate(data, {"--limit", "3"})["top1"], 1.0);
  const Json every = evaluate(data, {"--every", "3"});  // samples 0 and 3
  EXPECT_EQ(every["count"], 2);
  EXPECT_EQ(every["top1"], 0.5);
}

TEST_F(Eval, ListOfPictures) {
  for (size_t i = 0; i < 4; ++i)
    picture("list/" + std::string(1, static_cast<char>('a' + i)) + ".bmp", i);
  folder.write("list/labels.csv", "file,class,name\na.bmp,1,x\nb.bmp,2,y\nc.bmp,3,z\nd.bmp,2,y\n");
  EXPECT_EQ(evaluate(folder.file("list"), {"--label-offset", "-1"})["top1"], 0.75);
  const ToolResult unshifted = pj({"eval", model, "--data", folder.file("list")});
  EXPECT_EQ(unshifted.status, 1);
  EXPECT_THAT(unshifted.err, HasSubstr("class 3 does not exist"));
  EXPECT_THAT(unshifted.err, HasSubstr("--label-offset"));
}

TEST_F(Eval, FoldersAndNumberedPictures) {
  picture("folders/0_left/a.bmp", 0);
  picture("folders/1_right/a.bmp", 1);
  picture("folders/1_right/b.bmp", 3);
  picture("folders/2_low/a.bmp", 2);
  EXPECT_EQ(evaluate(folder.file("folders"))["top1"], 0.75);
  picture("numbered/000.bmp", 0);
  picture("numbered/01_second.bmp", 1);
  picture("numbered/2.bmp", 2);
  EXPECT_EQ(evaluate(folder.file("numbered"))["top1"], 1.0);
}

TEST_F(Eval, MissingDataIsNamed) {
  auto error_of = [&](const std::string& data) {
    const ToolResult result = pj({"eval", model, "--data", data});
    EXPECT_EQ(result.status, 1);
    return result.err;
  };
  EXPECT_THAT(error_of(folder.file("absent")), HasSubstr("is not a folder"));
  folder.write("nothing/README", "");
  EXPECT_THAT(error_of(folder.file("nothing")), HasSubstr("holds neither"));
  folder.write("bad/labels.csv", "a.bmp,0\nb.bmp\n");
  EXPECT_THAT(error_of(folder.file("bad")), HasSubstr("line 2"));
  const std::string data = arrays();
  folder.write("arrays/images2.npy", "");
  EXPECT_THAT(error_of(data), HasSubstr("2 arrays"));
  EXPECT_EQ(pj({"eval", model, "--data", data, "--output", "x.txt"}).status, 2);
}

}  // namespace
}  // namespace pj::cli
