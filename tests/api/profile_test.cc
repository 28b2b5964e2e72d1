// Profiles through the API. Joules here are computed from figures that the test makes up.
#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <pj/pj.hpp>
#include <string>
#include <type_traits>

#include "tests/api/models.h"
#include "tests/support/temporary.h"

namespace pj::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

struct FreeProfile {
  void operator()(pj_profile* p) const { pj_profile_free(p); }
};
using ProfileHandle = std::unique_ptr<pj_profile, FreeProfile>;

// A machine of one folder: without counters, and with no CPU that figures are known of.
class Profiles : public ::testing::Test {
 protected:
  Profiles() {
    root_ = testing::temporary_path("profiles");
    std::filesystem::create_directories(root_);
    model_file_ = root_ + "/model.json";
    std::ofstream(model_file_)
        << R"({"version":1,"source":"calibrated","idle_policy":"dynamic","origin":"made up",)"
           R"("joules":{"seconds":{"value":2.0,"low":1.5,"high":3.0}}})";
    setenv("PJ_SYSROOT", root_.c_str(), 1);
    options_.runs = 5;
    options_.energy_model = model_file_.c_str();
  }
  ~Profiles() override {
    unsetenv("PJ_SYSROOT");
    std::filesystem::remove_all(root_);
  }
  ProfileHandle profile() {
    pj_profile* made = nullptr;
    EXPECT_EQ(pj_session_profile(session_.get(), &options_, &made), pj_ok) << pj_last_error();
    return ProfileHandle(made);
  }
  pj_status refused() {
    pj_profile* made = nullptr;
    const pj_status status = pj_session_profile(session_.get(), &options_, &made);
    EXPECT_EQ(made, nullptr);
    return status;
  }

  std::string root_, model_file_;
  SessionHandle session_ = open(block_model());
  pj_profile_options options_ = PJ_PROFILE_OPTIONS_INIT;
};

TEST_F(Profiles, SayWhereTimeAndEnergyGo) {
  const ProfileHandle p = profile();
  ASSERT_GT(pj_profile_step_count(p.get()), 0u);
  double ms = 0, sum_uj = 0, uj = 0, low = 0, high = 0;
  pj_energy_source source{};
  pj_idle_policy policy{};
  for (size_t i = 0; i < pj_profile_step_count(p.get()); ++i) {
    pj_step_profile step = PJ_STEP_PROFILE_INIT;
    ASSERT_EQ(pj_profile_step(p.get(), i, &step), pj_ok);
    EXPECT_STRNE(step.op, "");
    EXPECT_GT(step.time_ms, 0);
    ms += step.time_ms;
    const pj_energy* energy = pj_profile_step_energy(p.get(), i);
    ASSERT_EQ(pj_energy_values(energy, &uj, &low, &high, &source, &policy), pj_ok);
    EXPECT_NEAR(uj, step.time_ms * 2e3, uj * 1e-6);
    EXPECT_NEAR(low, uj * 0.75, uj * 1e-6);
    EXPECT_NEAR(high, uj * 1.5, uj * 1e-6);
    EXPECT_EQ(source, pj_energy_calibrated);
    EXPECT_EQ(policy, pj_idle_dynamic);
    EXPECT_THAT(pj_energy_text(energy), MatchesRegex(".+J \\[.+, .+\\] calibrated, dynamic"));
    sum_uj += uj;
  }
  EXPECT_LE(ms, pj_profile_time_ms(p.get()) * 1.5);
  ASSERT_EQ(pj_energy_values(pj_profile_energy(p.get()), &uj, &low, &high, &source, &policy),
            pj_ok);
  EXPECT_NEAR(uj, sum_uj, sum_uj * 1e-6);
  EXPECT_STREQ(pj_profile_energy_origin(p.get()), "made up");
  EXPECT_EQ(pj_profile_residual(p.get()), nullptr);  // only what was measured has one
}

TEST_F(Profiles, AnEnergyIsHandedOutWholeOrNotAtAll) {
  const ProfileHandle p = profile();
  const pj_energy* energy = pj_profile_energy(p.get());
  double uj = -1, low = -1, high = -1;
  pj_energy_source source{};
  pj_idle_policy policy{};
  EXPECT_EQ(pj_energy_values(energy, &uj, nullptr, &high, &source, &policy), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), HasSubstr("'low_uj'"));
  EXPECT_EQ(pj_energy_values(energy, &uj, &low, &high, nullptr, &policy), pj_invalid_argument);
  EXPECT_EQ(pj_energy_values(energy, &uj, &low, &high, &source, nullptr), pj_invalid_argument);
  EXPECT_EQ(pj_energy_values(nullptr, &uj, &low, &high, &source, &policy), pj_invalid_argument);
  EXPECT_EQ(uj, -1);
  static_assert(!std::is_convertible_v<picojoule::Energy, double>);
}

TEST_F(Profiles, WithoutAnyFigureThereIsNone) {
  options_.energy_model = nullptr;
  const ProfileHandle unknown = profile();
  EXPECT_EQ(pj_profile_energy(unknown.get()), nullptr);
  EXPECT_EQ(pj_profile_step_energy(unknown.get(), 0), nullptr);
  EXPECT_STREQ(pj_energy_text(nullptr), "unknown");
  EXPECT_STREQ(pj_profile_energy_origin(unknown.get()), "");
  options_.energy = pj_energy_measure;
  EXPECT_EQ(refused(), pj_platform_unsupported);
  EXPECT_THAT(pj_last_error(), HasSubstr("no power counter on this machine"));
}

TEST_F(Profiles, Mistakes) {
  options_.energy = static_cast<pj_energy_how>(9);
  EXPECT_EQ(refused(), pj_invalid_argument);
  options_.energy = pj_energy_auto;
  options_.idle_policy = static_cast<pj_idle_policy>(-1);
  EXPECT_EQ(refused(), pj_invalid_argument);
  options_.idle_policy = pj_idle_gross;
  options_.energy_seconds = -1;
  EXPECT_EQ(refused(), pj_invalid_argument);
  options_.energy_seconds = 0;
  options_.energy_model = "no/such.json";
  EXPECT_EQ(refused(), pj_file_not_found);
  options_.struct_size = 3;
  EXPECT_EQ(refused(), pj_invalid_argument);
  pj_profile* made = nullptr;
  EXPECT_EQ(pj_session_profile(nullptr, nullptr, &made), pj_invalid_argument);
  EXPECT_EQ(pj_session_profile(session_.get(), nullptr, nullptr), pj_invalid_argument);
  EXPECT_EQ(pj_profile_step_count(nullptr), 0u);
  EXPECT_EQ(pj_profile_energy(nullptr), nullptr);
  pj_step_profile step = PJ_STEP_PROFILE_INIT;
  options_ = PJ_PROFILE_OPTIONS_INIT;
  options_.runs = 1;
  const ProfileHandle p = profile();
  EXPECT_EQ(pj_profile_step(p.get(), SIZE_MAX, &step), pj_invalid_argument);
  EXPECT_EQ(pj_profile_step_energy(p.get(), SIZE_MAX), nullptr);
  pj_profile_free(nullptr);
}

TEST_F(Profiles, InCpp) {
  const Bytes bytes = block_model();
  auto model = picojoule::Model::load_memory(bytes.data(), bytes.size());
  auto session = model->session();
  const auto p = session->profile(options_);
  ASSERT_TRUE(p.ok()) << p.error().message;
  double sum = 0;
  for (size_t i = 0; i < p->step_count(); ++i)
    p->step_energy(i).visit(
        [&](double uj, double low, double high, pj_energy_source source, pj_idle_policy policy) {
          EXPECT_LE(low, uj);
          EXPECT_LE(uj, high);
          EXPECT_EQ(source, pj_energy_calibrated);
          EXPECT_EQ(policy, pj_idle_dynamic);
          sum += uj;
        });
  EXPECT_GT(sum, 0);
  EXPECT_THAT(p->energy().text(), HasSubstr("] calibrated, dynamic"));
  EXPECT_FALSE(p->residual().known());
  EXPECT_GT(p->time_ms(), 0);
  EXPECT_GT(p->step(0)->macs, 0);
}

}  // namespace
}  // namespace pj::testing
