// Single operators for the tests of elementwise, pool and reduction kernels, by kernel class.
#pragma once

#include <string>
#include <vector>

#include "kernels/catalog/catalog.h"
#include "runtime/graph/graph.h"

namespace pj::testing {

struct ElementCase {
  std::string name;
  Graph graph;  // one operator; its inputs are graph inputs
};

// Cases that the rows of this class and these types must compute, over awkward sizes, scales and
// zero points.
std::vector<ElementCase> element_cases(const KernelDesc& row);

}  // namespace pj::testing
