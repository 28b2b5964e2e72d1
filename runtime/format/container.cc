#include "runtime/format/container.h"

#include <algorithm>

#include "runtime/format/layout.h"
#include "runtime/format/verify.h"

namespace pj::format {
namespace {

Status check_version(const Header& h) {
  if (h.major > kMajor)
    return error(ErrorCode::kModelVersion,
                 "written by format {}.{}; this build reads {}.x: update Picojoule", h.major,
                 h.minor, kMajor);
  if (h.major < kMajor)
    return error(ErrorCode::kModelVersion,
                 "written by format {}.{}, which this build no longer reads: convert the original "
                 "model again",
                 h.major, h.minor);
  return {};
}

// Positions in the header, each compared before the next one relies on it.
Status check_layout(const Header& h, uint64_t file_bytes) {
  if (h.file_bytes > file_bytes)
    return error(ErrorCode::kModelFormat,
                 "truncated: {} bytes of {} are there; copy or convert the model again", file_bytes,
                 h.file_bytes);
  if (h.file_bytes < file_bytes)
    return error(ErrorCode::kModelFormat,
                 "{} bytes follow the end of the model; copy or convert it again",
                 file_bytes - h.file_bytes);
  if (h.header_bytes < kHeaderBytes || h.metadata_offset < h.header_bytes ||
      h.metadata_offset > file_bytes || h.metadata_offset % 8 != 0)
    return error(ErrorCode::kModelFormat,
                 "damaged header: {} bytes of header and metadata at {} in a file of {} bytes",
                 h.header_bytes, h.metadata_offset, file_bytes);
  if (h.metadata_bytes > kMaxMetadataBytes)
    return error(ErrorCode::kLimitExceeded, "{} bytes of metadata; the limit is {}",
                 h.metadata_bytes, kMaxMetadataBytes);
  if (h.metadata_bytes > file_bytes - h.metadata_offset)
    return error(ErrorCode::kModelFormat,
                 "damaged header: {} bytes of metadata at {} in a file of {} bytes",
                 h.metadata_bytes, h.metadata_offset, file_bytes);
  if (h.sections_offset < h.metadata_offset + h.metadata_bytes || h.sections_offset > file_bytes ||
      h.sections_offset % kAlignment != 0)
    return error(ErrorCode::kModelFormat,
                 "damaged header: sections at {} after metadata that ends at {} in a file of {} "
                 "bytes",
                 h.sections_offset, h.metadata_offset + h.metadata_bytes, file_bytes);
  return {};
}

Result<Header> read_header(std::span<const std::byte> file) {
  if (!looks_like_pj(file))
    return error(ErrorCode::kModelFormat, "not a .pj file: it does not begin with 'PJMODEL'");
  if (file.size() < kHeaderBytes)
    return error(ErrorCode::kModelFormat,
                 "truncated: {} bytes of a header of {} are there; copy or convert the model again",
                 file.size(), kHeaderBytes);
  if (reinterpret_cast<uintptr_t>(file.data()) % kAlignment != 0)
    return error(ErrorCode::kInvalidArgument,
                 "the bytes of a .pj model must begin at an address that is a multiple of {}: map "
                 "the file, or copy it to aligned memory",
                 kAlignment);
  Header h;
  std::memcpy(&h, file.data(), sizeof h);
  PJ_TRY(check_version(h));
  PJ_TRY(check_layout(h, file.size()));
  const size_t head_bytes = static_cast<size_t>(h.metadata_offset + h.metadata_bytes);
  const uint32_t checksum = head_checksum(file.first(head_bytes));
  if (checksum != h.checksum)
    return error(ErrorCode::kModelFormat,
                 "header or metadata damaged: checksum {:08x}, stored {:08x}; copy or convert the "
                 "model again",
                 checksum, h.checksum);
  return h;
}

Result<const fb::Model*> read_metadata(std::span<const std::byte> metadata) {
  // A table and the reference to it take 8 bytes at least. More visits than that mean tables that
  // many references share, which only serve to make a small file cost much time and memory.
  constexpr int kMostDepth = 8;
  if (!verify_metadata(metadata, metadata.size() / 8, kMostDepth))
    return error(ErrorCode::kModelFormat, "the metadata is malformed; convert the model again");
  return fb::GetModel(metadata.data());
}

// Sections come in the order of their offsets, so comparing neighbours finds every overlap.
Status read_sections(const Header& h, Container& container) {
  const auto* sections = container.model->sections();
  if (sections == nullptr) return {};
  const auto* targets = container.model->targets();
  const int64_t target_count = targets == nullptr ? 0 : int64_t{targets->size()};
  const uint64_t available = h.file_bytes - h.sections_offset;
  uint64_t end = 0;  // of the section before
  container.info.sections.reserve(sections->size());
  for (uint32_t i = 0; i < sections->size(); ++i) {
    const fb::Section& s = *sections->Get(i);
    if (s.offset() % kAlignment != 0)
      return error(ErrorCode::kModelFormat, "section {} begins at {}, not a multiple of {}", i,
                   s.offset(), kAlignment);
    if (s.offset() > available || s.size() > available - s.offset())
      return error(ErrorCode::kModelFormat,
                   "section {} ({} bytes at {}) reaches beyond the {} bytes of all sections", i,
                   s.size(), s.offset(), available);
    if (s.offset() < end)
      return error(ErrorCode::kModelFormat, "section {} begins at {}, inside the one before", i,
                   s.offset());
    if (s.kind() > static_cast<uint8_t>(SectionKind::kPacked))
      return error(ErrorCode::kModelUnsupported,
                   "section {} is of kind {}, unknown to this build: update Picojoule", i,
                   s.kind());
    const auto kind = static_cast<SectionKind>(s.kind());
    const bool target_ok = kind == SectionKind::kWeights
                               ? s.target() == -1
                               : s.target() >= 0 && s.target() < target_count;
    if (!target_ok)
      return error(ErrorCode::kModelFormat, "section {} belongs to target {} of {}", i, s.target(),
                   target_count);
    end = s.offset() + s.size();
    container.info.sections.push_back(
        {kind, s.target(), h.sections_offset + s.offset(), s.size(), s.crc32()});
  }
  return {};
}

}  // namespace

Result<Container> open_container(std::span<const std::byte> file) {
  PJ_ASSIGN(const Header h, read_header(file));
  Container container;
  container.info.major = h.major;
  container.info.minor = h.minor;
  container.info.file_bytes = h.file_bytes;
  container.info.metadata_bytes = h.metadata_bytes;
  container.sections_offset = h.sections_offset;
  PJ_ASSIGN(container.model, read_metadata(file.subspan(static_cast<size_t>(h.metadata_offset),
                                                        static_cast<size_t>(h.metadata_bytes))));
  PJ_TRY(read_sections(h, container));
  return container;
}

std::string describe_section(const Container& container, size_t index) {
  const SectionInfo& s = container.info.sections[index];
  std::string what = "weights";
  if (s.kind == SectionKind::kPacked) {
    const auto* name = container.model->targets()->Get(static_cast<uint32_t>(s.target))->name();
    what = fmt::format("packed for '{}'", name == nullptr ? "" : name->c_str());
  }
  return fmt::format("section {} ({}, {} bytes at {})", index, what, s.size, s.offset);
}

}  // namespace pj::format

namespace pj {

bool looks_like_pj(std::span<const std::byte> file) {
  return file.size() >= format::kMagic.size() &&
         std::memcmp(file.data(), format::kMagic.data(), format::kMagic.size()) == 0;
}

Status verify_sections(const SharedBytes& file) {
  PJ_ASSIGN(const format::Container container, format::open_container(file.bytes));
  for (size_t i = 0; i < container.info.sections.size(); ++i) {
    const SectionInfo& s = container.info.sections[i];
    const uint32_t checksum =
        crc32(file.bytes.subspan(static_cast<size_t>(s.offset), static_cast<size_t>(s.size)));
    if (checksum != s.crc32)
      return error(ErrorCode::kModelFormat,
                   "{} is damaged: checksum {:08x}, stored {:08x}; copy or convert the model again",
                   format::describe_section(container, i), checksum, s.crc32);
  }
  return {};
}

}  // namespace pj
