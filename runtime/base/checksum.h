// CRC-32 (IEEE 802.3, polynomial 0xEDB88320 reflected), as in zip and PNG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pj {

// `crc` continues an earlier sum: crc32(b, crc32(a)) == crc32(a followed by b).
uint32_t crc32(std::span<const std::byte> bytes, uint32_t crc = 0);

}  // namespace pj
