#include "runtime/base/file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "tests/base/text_bytes.h"

namespace pj {
namespace {

namespace fs = std::filesystem;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) / (std::string("pj_file_test_") + info->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const char* name) const { return (folder_ / name).string(); }
  std::string content(const std::string& path) const {
    const auto file = MappedFile::open(path);
    return file ? text_of((*file)->bytes()) : "<" + file.error().message + ">";
  }
  ptrdiff_t files() const {
    return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  }

  fs::path folder_;
};

TEST_F(FileTest, WritesPartsInOrder) {
  const std::span<const std::byte> parts[] = {bytes_of("one "), {}, bytes_of("two")};
  ASSERT_TRUE(write_file_atomically(path("a"), parts));
  EXPECT_EQ(content(path("a")), "one two");
  EXPECT_EQ(files(), 1);  // no temporary file stays
}

TEST_F(FileTest, ReplacesAFileThatIsMapped) {
  ASSERT_TRUE(write_file_atomically(path("a"), bytes_of("old")));
  const auto old = MappedFile::open(path("a"));
  ASSERT_TRUE(old);
  ASSERT_TRUE(write_file_atomically(path("a"), bytes_of("new content")));
  EXPECT_EQ(text_of((*old)->bytes()), "old");
  EXPECT_EQ(content(path("a")), "new content");
}

TEST_F(FileTest, EmptyFile) {
  ASSERT_TRUE(write_file_atomically(path("a"), std::span<const std::byte>{}));
  EXPECT_EQ(content(path("a")), "");
}

TEST_F(FileTest, FailureLeavesTheOldFile) {
  // A folder cannot be replaced by a file: the write succeeds, the rename fails.
  fs::create_directory(path("a"));
  std::ofstream(path("a") + "/inside") << "kept";
  const Status s = write_file_atomically(path("a"), bytes_of("new"));
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().code, ErrorCode::kFileUnwritable);
  EXPECT_NE(s.error().message.find("nothing was changed"), std::string::npos);
  EXPECT_EQ(content(path("a") + "/inside"), "kept");
  EXPECT_EQ(files(), 1);
}

TEST_F(FileTest, MissingFolder) {
  const Status s = write_file_atomically(path("missing/a"), bytes_of("x"));
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().code, ErrorCode::kFileUnwritable);
}

TEST_F(FileTest, OpenNamesWhatIsWrong) {
  const auto missing = MappedFile::open(path("missing"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kFileNotFound);
  EXPECT_NE(missing.error().message.find("missing"), std::string::npos);
  const auto folder = MappedFile::open(folder_.string());
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, ErrorCode::kFileUnreadable);
}

// Opening a pipe for reading waits for a writer, for ever if there is none.
TEST_F(FileTest, OpenDoesNotWaitForAPipe) {
  ASSERT_EQ(std::system(("mkfifo '" + path("pipe") + "'").c_str()), 0);
  const auto pipe = MappedFile::open(path("pipe"));
  ASSERT_FALSE(pipe);
  EXPECT_EQ(pipe.error().code, ErrorCode::kFileUnreadable);
}

}  // namespace
}  // namespace pj
