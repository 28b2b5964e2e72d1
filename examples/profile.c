/* profile MODEL: where the time and the energy of a model go, layer by layer.
 *
 *   profile models/fashion/fashion.tflite
 *
 * An energy is printed with its 95 % interval and where it comes from: a power counter of this
 * machine ("measured"), or a model ("calibrated", "prior"). "unknown" where there is neither.
 */
#include <pj/pj.h>
#include <stdio.h>

static int fail(void) {
  fprintf(stderr, "profile: %s\n", pj_last_error());
  return 1;
}

static void print_steps(const pj_profile* profile) {
  size_t i;
  for (i = 0; i < pj_profile_step_count(profile); ++i) {
    pj_step_profile step = PJ_STEP_PROFILE_INIT;
    if (pj_profile_step(profile, i, &step) != pj_ok) return;
    printf("%9.4f ms  %-20s %-30s %s\n", step.time_ms, step.op, step.name,
           pj_energy_text(pj_profile_step_energy(profile, i)));
  }
  printf("%9.4f ms  a run, %s\n", pj_profile_time_ms(profile),
         pj_energy_text(pj_profile_energy(profile)));
  printf("energy: %s\n", pj_profile_energy_origin(profile));
}

int main(int argc, char** argv) {
  pj_model* model;
  pj_session* session;
  pj_profile* profile;
  int status;
  if (argc != 2) {
    fprintf(stderr, "usage: profile MODEL\n");
    return 2;
  }
  if (pj_model_load(argv[1], NULL, &model) != pj_ok) return fail();
  if (pj_session_create(model, NULL, &session) != pj_ok) {
    status = fail();
  } else {
    status = 0;
    if (pj_session_profile(session, NULL, &profile) == pj_ok) {
      print_steps(profile);
      pj_profile_free(profile);
    } else {
      status = fail();
    }
    pj_session_free(session);
  }
  pj_model_free(model);
  return status;
}
