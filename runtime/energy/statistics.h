// The little statistics that intervals need.
#pragma once

namespace pj::energy {

// Half-width of the central interval of Student's t, in standard errors; `degrees` >= 1.
double student_t(double degrees, double confidence);
inline double student_t95(double degrees) { return student_t(degrees, 0.95); }

}  // namespace pj::energy
