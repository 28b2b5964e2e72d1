// ARM cores by the number that they carry (MIDR).
#pragma once

#include <cstdint>
#include <string>

namespace pj {

struct ArmCore {
  uint32_t implementer, part;
  const char* name;
  bool in_order;
  // Where the system does not tell: data caches of the boards that have it, in KiB. Several cores
  // may share the second level; 0: none.
  int32_t l1_kib, l2_kib, l3_kib;
};

// Null for a core that is not in the table.
const ArmCore* find_arm_core(uint32_t implementer, uint32_t part);

// Its name, or its numbers: "ARM core 0x41/0xd99".
std::string arm_core_name(uint32_t implementer, uint32_t part);

}  // namespace pj
