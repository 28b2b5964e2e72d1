#include "runtime/base/file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/base/text_bytes.h"
#include "tests/support/temporary.h"

namespace pj {
namespace {

namespace fs = std::filesystem;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::temporary_path("file");
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

constexpr size_t kLong = 64 << 10;

TEST_F(FileTest, TruncatedWhileMappedIsZerosAndAnError) {
  ASSERT_TRUE(write_file_atomically(path("a"), bytes_of(std::string(kLong, 'x'))));
  const auto file = *MappedFile::open(path("a"));
  EXPECT_TRUE(file->check());
  fs::resize_file(path("a"), kLong / 2);
  const std::string read = text_of(file->bytes());
  EXPECT_EQ(read, std::string(kLong / 2, 'x') + std::string(kLong / 2, '\0'));
  const Status status = file->check();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kFileUnreadable);
  EXPECT_NE(status.error().message.find(path("a")), std::string::npos);
}

// Nothing faults: the system fills what is left of the last page with zeros.
TEST_F(FileTest, ATruncatedLastPageIsNoticed) {
  ASSERT_TRUE(write_file_atomically(path("a"), bytes_of(std::string(kLong, 'x'))));
  const auto file = *MappedFile::open(path("a"));
  fs::resize_file(path("a"), kLong - 1);
  EXPECT_FALSE(file->check());
}

TEST_F(FileTest, TruncationIsNoticedThoughNothingWasRead) {
  ASSERT_TRUE(write_file_atomically(path("a"), bytes_of(std::string(kLong, 'x'))));
  const auto file = *MappedFile::open(path("a"));
  fs::resize_file(path("a"), 0);
  EXPECT_FALSE(file->check());
}

// Reads a byte of a truncated map that nobody guards.
int read_unguarded(const std::string& path) {
  std::ofstream(path) << std::string(8192, 'x');
  std::FILE* file = std::fopen(path.c_str(), "rb");
  const auto* bytes = static_cast<const volatile char*>(
      mmap(nullptr, 8192, PROT_READ, MAP_PRIVATE, fileno(file), 0));
  std::fclose(file);
  fs::resize_file(path, 0);
  return bytes[5000];
}

TEST_F(FileTest, FaultsOfOthersGoToTheHandlerThatWasThere) {
  ASSERT_TRUE(write_file_atomically(path("a"), bytes_of(std::string(kLong, 'x'))));
  EXPECT_EXIT(
      {
        signal(SIGBUS, [](int) { _exit(7); });
        const auto file = MappedFile::open(path("a"));
        read_unguarded(path("other"));
      },
      ::testing::ExitedWithCode(7), "");
}

TEST_F(FileTest, WithTheLastMapTheHandlerGoes) {
  ASSERT_TRUE(write_file_atomically(path("a"), bytes_of("x")));
  struct sigaction before {
  }, during{}, after{};
  sigaction(SIGBUS, nullptr, &before);
  {
    const auto one = MappedFile::open(path("a")), two = MappedFile::open(path("a"));
    sigaction(SIGBUS, nullptr, &during);
  }
  sigaction(SIGBUS, nullptr, &after);
  EXPECT_NE(during.sa_sigaction, before.sa_sigaction);
  EXPECT_EQ(after.sa_sigaction, before.sa_sigaction);
}

// A limit on the size of files stands for a full disk: the write ends in the middle.
TEST_F(FileTest, AFullDiskLeavesTheOldFile) {
  ASSERT_TRUE(write_file_atomically(path("a"), bytes_of("old")));
  EXPECT_EXIT(
      {
        signal(SIGXFSZ, SIG_IGN);
        rlimit limit{};
        limit.rlim_cur = limit.rlim_max = 1000;
        setrlimit(RLIMIT_FSIZE, &limit);
        const Status s = write_file_atomically(path("a"), bytes_of(std::string(kLong, 'x')));
        _exit(!s && s.error().code == ErrorCode::kFileUnwritable ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(content(path("a")), "old");
  EXPECT_EQ(files(), 1);
}

TEST_F(FileTest, TwoWritersLeaveOneWholeFile) {
  const std::string contents[] = {std::string(kLong, 'x'), std::string(kLong + 1, 'y')};
  auto write = [&](const std::string& text) {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(write_file_atomically(path("a"), bytes_of(text)));
  };
  std::thread other(write, contents[0]);
  write(contents[1]);
  other.join();
  const std::string left = content(path("a"));
  EXPECT_TRUE(left == contents[0] || left == contents[1]) << left.size();
  EXPECT_EQ(files(), 1);
}

}  // namespace
}  // namespace pj
