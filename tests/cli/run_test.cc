// pj run on models whose answers are known by hand.
#include <gmock/gmock.h>

#include <cstring>

#include "cli/npy.h"
#include "tests/cli/models.h"
#include "tests/cli/tool.h"

namespace pj::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Run : public ::testing::Test {
 protected:
  std::string picture(const std::string& name, const std::string& pixels) {
    return folder.write(name, grey_bmp(pixels));
  }
  std::string array(const std::string& name, DType dtype, const Shape& shape,
                    std::span<const std::byte> bytes) {
    EXPECT_TRUE(write_npy(folder.file(name), dtype, shape, bytes));
    return folder.file(name);
  }
  std::string floats(const std::string& name, const Shape& shape,
                     const std::vector<float>& values) {
    return array(name, DType::kF32, shape, std::as_bytes(std::span(values)));
  }
  std::vector<float> output_floats(const std::string& path) {
    const std::string bytes = read_text(path);
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
    return values;
  }

  Folder folder;
};

constexpr char kFirst[] = "\xff\0\0\0";    // the first pixel is the brightest
constexpr char kThird[] = "\0\0\xff\xff";  // the third, among the first three

// exp(-10) is 4.5e-5: the winner's score 0.99991 * 256 - 128 saturates at 127, the others are -128.
const std::string kScoresFirst = "\x7f\x80\x80", kScoresThird = "\x80\x80\x7f";

TEST_F(Run, ClassifiesAPicture) {
  const std::string model = brightest_model(folder.file("m.pj"));
  const std::string labels = folder.write("labels.txt", "top left\ntop right\nbottom left\n\n");
  const ToolResult result = pj({"run", model, "--input", picture("a.bmp", {kFirst, 4}), "--labels",
                                labels, "--output", folder.file("out")});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, StartsWith("  top left     99.6 %\n"));
  EXPECT_THAT(result.out, HasSubstr("  bottom left   0.0 %\n"));
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(read_text(folder.file("out/output_0.bin")), kScoresFirst);
}

TEST_F(Run, SeveralPicturesRunOneAfterTheOther) {
  const std::string model = brightest_model(folder.file("m.pj"));
  const std::string a = picture("a.bmp", {kFirst, 4}), b = picture("b.bmp", {kThird, 4});
  const std::vector<std::string> args{"run", model, "--input", a, "--input", b, "--top", "1"};
  EXPECT_EQ(pj(args).out, a + "\n  class 0  99.6 %\n" + b + "\n  class 2  99.6 %\n");
  std::vector<std::string> with_output = args;
  with_output.insert(with_output.end(), {"--output", folder.file("out")});
  EXPECT_EQ(pj(with_output).status, 0);
  EXPECT_EQ(read_text(folder.file("out/a/output_0.bin")), kScoresFirst);
  EXPECT_EQ(read_text(folder.file("out/b/output_0.bin")), kScoresThird);

  const std::string same = folder.write("other/a.bmp", read_text(b));
  const ToolResult clash = pj({"run", model, "--input", a, "--input", same});
  EXPECT_EQ(clash.status, 2);
  EXPECT_THAT(clash.err, HasSubstr("'a'"));
}

TEST_F(Run, RawAndArrayInputsGiveTheSameAsThePicture) {
  const std::string model = brightest_model(folder.file("m.pj"));
  const std::string int8("\x7f\x80\x80\x80", 4), uint8(kFirst, 4);
  const std::string inputs[] = {
      folder.write("raw.bin", int8),
      array("int8.npy", DType::kI8, {1, 2, 2, 1}, std::as_bytes(std::span(int8))),
      array("uint8.npy", DType::kU8, {2, 2, 1}, std::as_bytes(std::span(uint8))),
      floats("real.npy", {1, 2, 2, 1}, {1, 0, 0, 0}),
  };
  for (const std::string& input : inputs) {
    const std::string out = folder.file("out");
    const ToolResult result = pj({"run", model, "--input", input, "--output", out});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(read_text(out + "/output_0.bin"), kScoresFirst) << input;
  }
}

TEST_F(Run, PrintsStatisticsOfOtherModels) {
  const std::string model = adding_model(folder.file("add.pj"));
  const std::string left = floats("left.npy", {1, 3}, {1, 2, 3});
  const std::string right = floats("right.npy", {1, 3}, {10, 20, -30});
  const ToolResult result = pj({"run", model, "--input", "right=" + right, "--input",
                                "left=" + left, "--output", folder.file("out")});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(output_floats(folder.file("out/output_0.bin")), ElementsAre(11, 22, -27));
  for (const char* text : {"sum", "f32", "1x3", "-27", "22", " 2 "})
    EXPECT_THAT(result.out, HasSubstr(text));
  // In the model's order, without names.
  EXPECT_EQ(pj({"run", model, "--input", left, "--input", right}).out, result.out);
}

TEST_F(Run, InputsOfSeveralAreChecked) {
  const std::string model = adding_model(folder.file("add.pj"));
  const std::string file = floats("x.npy", {1, 3}, {1, 2, 3});
  auto error_of = [&](std::vector<std::string> inputs) {
    std::vector<std::string> args{"run", model};
    for (const std::string& input : inputs) args.insert(args.end(), {"--input", input});
    const ToolResult result = pj(args);
    EXPECT_EQ(result.status, 2);
    return result.err;
  };
  EXPECT_THAT(error_of({file}), HasSubstr("input 'right' has no file"));
  EXPECT_THAT(error_of({"lfet=" + file, file}), HasSubstr("did you mean 'left'?"));
  EXPECT_THAT(error_of({file, file, file}), HasSubstr("one file more"));
  EXPECT_THAT(error_of({"left=" + file, "left=" + file}), HasSubstr("two files"));
}

TEST_F(Run, MisfitsAreNamed) {
  const std::string model = brightest_model(folder.file("m.pj"));
  auto error_of = [&](const std::string& input, std::vector<std::string> more = {}) {
    std::vector<std::string> args{"run", model, "--input", input};
    args.insert(args.end(), more.begin(), more.end());
    const ToolResult result = pj(args);
    EXPECT_NE(result.status, 0);
    return result.err;
  };
  EXPECT_THAT(error_of(folder.write("short.bin", "abc")), HasSubstr("takes 4"));
  EXPECT_THAT(error_of(floats("flat.npy", {4}, {1, 2, 3, 4})), HasSubstr("does not fit"));
  EXPECT_THAT(error_of(folder.write("x.png", "no picture")), HasSubstr("cannot be decoded"));
  EXPECT_THAT(error_of(folder.write("empty.png", "")), HasSubstr("empty"));
  EXPECT_THAT(error_of(folder.write("x.npy", "no array")), HasSubstr("not a .npy file"));
  EXPECT_THAT(error_of(folder.file("absent.png")), HasSubstr("absent.png"));
  const std::string good = picture("good.bmp", {kFirst, 4});
  EXPECT_THAT(error_of(good, {"--mean", "1,2,3"}), HasSubstr("--mean has 3 numbers"));
  EXPECT_THAT(error_of(good, {"--labels", folder.write("two.txt", "a\nb\n")}),
              HasSubstr("2 names for 3 classes"));
  EXPECT_THAT(error_of(good, {"--output", folder.write("file", "")}),
              HasSubstr("cannot create folder"));
}

TEST_F(Run, WithoutInputItIsDeterministic) {
  const std::string model = brightest_model(folder.file("m.pj"));
  const ToolResult first = pj({"run", model}), second = pj({"run", model, "--threads", "1"});
  EXPECT_EQ(first.status, 0);
  EXPECT_THAT(first.err, HasSubstr("made-up numbers"));
  EXPECT_EQ(first.out, second.out);
}

TEST_F(Run, UnknownDimensionsComeFromTheArray) {
  const std::string model = rows_model(folder.file("rows.pj"));
  const std::string rows = floats("rows.npy", {3, 2}, {1, 2, 3, 4, 10, 20});
  EXPECT_EQ(pj({"run", model, "--input", rows, "--output", folder.file("out")}).status, 0);
  EXPECT_THAT(output_floats(folder.file("out/output_0.bin")), ElementsAre(3, -1, 7, -1, 30, -10));
  EXPECT_THAT(pj({"run", model}).out, HasSubstr("1x2"));
}

TEST_F(Run, DumpsWhatEveryStepComputed) {
  const std::string model = brightest_model(folder.file("m.pj"));
  const Folder dump;
  const ToolResult result =
      pj({"run", model, "--input", picture("a.bmp", {kThird, 4}), "--dump-tensors", dump.path()});
  EXPECT_EQ(result.status, 0) << result.err;
  ASSERT_THAT(dump.list(), ElementsAre("0000_logits.npy", "0001_scores.npy"));
  const Result<Array> logits = read_npy(dump.file("0000_logits.npy"));
  ASSERT_TRUE(logits) << logits.error().message;
  EXPECT_EQ(logits->shape, (Shape{1, 3}));
  // Logits 10 * pixel at scale 0.1.
  EXPECT_THAT(std::vector(logits->data.bytes.begin(), logits->data.bytes.end()),
              ElementsAre(std::byte{0}, std::byte{0}, std::byte{100}));
}

}  // namespace
}  // namespace pj::cli
