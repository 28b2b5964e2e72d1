// Reading and writing .npy files.
#include "cli/npy.h"

#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/temporary.h"

namespace pj::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SharedBytes shared(const std::string& text) {
  return SharedBytes::copy_of(std::as_bytes(std::span(text)));
}

// A version 1.0 file with that header; numpy's padding is not required of readers.
std::string file_with(const std::string& header, const std::string& data) {
  std::string file = "\x93NUMPY";
  file += {'\1', '\0', static_cast<char>(header.size()), '\0'};
  return file + header + data;
}
std::string dictionary(const std::string& descr, const std::string& order,
                       const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

std::string error_of(const std::string& file) {
  const Result<Array> array = parse_npy(shared(file));
  return array ? "no error" : array.error().message;
}

TEST(Npy, ReadsWhatNumpyWrites) {
  // numpy.save of numpy.array([[1, -2, 3]], dtype='<i2'), byte for byte.
  std::string header = dictionary("<i2", "False", "(1, 3)");
  header.pop_back();
  header.append(117 - header.size(), ' ');
  header += '\n';
  ASSERT_EQ(header.size(), 118u);
  const std::string data{"\x01\x00\xfe\xff\x03\x00", 6};
  const Result<Array> array = parse_npy(shared(file_with(header, data)));
  ASSERT_TRUE(array) << array.error().message;
  EXPECT_EQ(array->dtype, DType::kI16);
  EXPECT_EQ(array->shape, (Shape{1, 3}));
  int16_t values[3];
  ASSERT_EQ(array->data.bytes.size(), sizeof(values));
  std::memcpy(values, array->data.bytes.data(), sizeof(values));
  EXPECT_THAT(values, ElementsAre(1, -2, 3));
}

TEST(Npy, ReadsScalarsVectorsAndOtherVersions) {
  auto shape_of = [](const std::string& shape, size_t bytes) {
    return parse_npy(shared(file_with(dictionary("|u1", "False", shape), std::string(bytes, 'x'))))
        ->shape;
  };
  EXPECT_EQ(shape_of("()", 1), Shape{});
  EXPECT_EQ(shape_of("(5,)", 5), (Shape{5}));
  EXPECT_EQ(shape_of("(0, 7)", 0), (Shape{0, 7}));
  EXPECT_EQ(shape_of("(2L, 3L)", 6), (Shape{2, 3}));
  const std::string header = dictionary("<f4", "False", "(1,)");
  std::string version2 = "\x93NUMPY";
  version2 += {'\2', '\0', static_cast<char>(header.size()), '\0', '\0', '\0'};
  EXPECT_EQ(parse_npy(shared(version2 + header + "abcd"))->dtype, DType::kF32);
}

TEST(Npy, AcceptsFortranOrderOnlyWhereItMeansNothing) {
  EXPECT_EQ(error_of(file_with(dictionary("|i1", "True", "(3,)"), "abc")), "no error");
  EXPECT_THAT(error_of(file_with(dictionary("|i1", "True", "(1, 3)"), "abc")),
              HasSubstr("ascontiguousarray"));
}

TEST(Npy, ErrorsNameTheProblem) {
  EXPECT_THAT(error_of(file_with(dictionary(">f4", "False", "(1,)"), "abcd")),
              HasSubstr("big-endian"));
  EXPECT_THAT(error_of(file_with(dictionary("<f8", "False", "(1,)"), "abcdefgh")),
              HasSubstr("'<f8' is not supported"));
  EXPECT_THAT(error_of(file_with(dictionary("<f4", "False", "(2,)"), "abcd")),
              HasSubstr("truncated"));
  EXPECT_THAT(error_of(file_with(dictionary("|i1", "False", "(2000000000, 2000000000)"), "abc")),
              HasSubstr("truncated"));
  EXPECT_THAT(error_of(file_with(dictionary("|i1", "False", "(1,1,1,1,1,1,1,1,1)"), "a")),
              HasSubstr("more than 8 dimensions"));
  EXPECT_THAT(error_of(file_with("{'descr': [('a', '<f4')], 'shape': (1,)}", "abcd")),
              HasSubstr("records"));
}

TEST(Npy, SurvivesEveryTruncationAndDamagedByte) {
  const std::string file = file_with(dictionary("<f4", "False", "(2, 1)"), "abcdefgh");
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_NE(error_of(file.substr(0, size)), "no error") << size;
  for (size_t at = 0; at < file.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = file;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      const Result<Array> array = parse_npy(shared(damaged));
      if (array) {
        EXPECT_EQ(array->data.bytes.size(), array->count() * size_of(array->dtype));
      }
    }
  }
}

TEST(Npy, RoundTripsEveryTypeAndRank) {
  const std::string path = testing::temporary_path("types.npy");
  for (int t = 0; t < kDTypeCount; ++t) {
    for (const Shape& shape : {Shape{}, Shape{6}, Shape{2, 3}, Shape{1, 2, 1, 3}}) {
      const auto dtype = static_cast<DType>(t);
      std::vector<std::byte> bytes(static_cast<size_t>(elements(shape)) * size_of(dtype));
      for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 37);
      ASSERT_TRUE(write_npy(path, dtype, shape, bytes));
      const Result<Array> array = read_npy(path);
      ASSERT_TRUE(array) << array.error().message;
      EXPECT_EQ(array->dtype, dtype);
      EXPECT_EQ(array->shape, shape);
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), array->data.bytes.begin(),
                             array->data.bytes.end()));
      // numpy aligns the data to 64 bytes.
      EXPECT_EQ((std::filesystem::file_size(path) - bytes.size()) % 64, 0u);
    }
  }
  std::filesystem::remove(path);
}

TEST(Npy, WritesTheHeaderThatNumpyWrites) {
  const std::string path = testing::temporary_path("header.npy");
  ASSERT_TRUE(write_npy(path, DType::kU8, Shape{3}, std::as_bytes(std::span("abc", 3))));
  std::ifstream in(path, std::ios::binary);
  const std::string file{std::istreambuf_iterator<char>(in), {}};
  const std::string text = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }";
  const std::string expected = "\x93NUMPY" + std::string("\1\0v\0", 4) + text +
                               std::string(117 - text.size(), ' ') + "\nabc";
  EXPECT_EQ(file, expected);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace pj::cli
