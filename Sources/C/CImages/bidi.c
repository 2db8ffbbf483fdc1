#include "cimages.h"

#include <stdlib.h>

#include <fribidi/fribidi.h>

bool cimages_bidi_levels(const uint32_t *scalars, size_t count, uint8_t *levels) {
  if (count == 0) return true;
  if (count > INT32_MAX / 2) return false;
  FriBidiStrIndex length = (FriBidiStrIndex)count;
  FriBidiCharType *types = malloc(count * sizeof *types);
  FriBidiBracketType *brackets = malloc(count * sizeof *brackets);
  FriBidiLevel *found = malloc(count * sizeof *found);
  // The first strong character decides on the direction of the line.
  FriBidiParType direction = FRIBIDI_PAR_ON;
  bool ok = types && brackets && found;
  if (ok) {
    fribidi_get_bidi_types(scalars, length, types);
    fribidi_get_bracket_types(scalars, length, types, brackets);
    ok = fribidi_get_par_embedding_levels_ex(types, brackets, length, &direction, found) > 0;
  }
  for (size_t i = 0; ok && i < count; i++) levels[i] = (uint8_t)found[i];
  free(types);
  free(brackets);
  free(found);
  return ok;
}
