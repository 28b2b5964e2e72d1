#include "runtime/peak/available.h"

namespace pj::peak {
namespace {

// CMake defines PJ_HAVE_<LEVEL> where the compiler can build that level for this platform.
const LevelLoops* const kBuilt[] = {
    &scalar_loops,
#ifdef PJ_HAVE_AVX2
    &avx2_loops,
#endif
#ifdef PJ_HAVE_AVXVNNI
    &avxvnni_loops,
#endif
#ifdef PJ_HAVE_AVX512
    &avx512_loops,
#endif
#ifdef PJ_HAVE_AVX512VNNI
    &avx512vnni_loops,
#endif
#ifdef PJ_HAVE_NEON
    &neon_loops,
#endif
#ifdef PJ_HAVE_NEONDOT
    &neondot_loops,
#endif
#ifdef PJ_HAVE_NEONI8MM
    &neoni8mm_loops,
#endif
};

}  // namespace

std::vector<const LevelLoops*> available_loops(IsaSet isa) {
  std::vector<const LevelLoops*> loops;
  for (const LevelLoops* level : kBuilt)
    if (isa.includes(*isa_by_name(level->level))) loops.push_back(level);
  return loops;
}

MoveLoops widest_moves(IsaSet isa) {
  MoveLoops widest;
  for (const LevelLoops* level : available_loops(isa))
    if (level->moves.width > widest.width) widest = level->moves;
  return widest;
}

}  // namespace pj::peak
