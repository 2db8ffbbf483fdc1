#include "cimages.h"

#include <stdlib.h>

void cimages_release(void *memory) { free(memory); }

bool cimages_has_memory(size_t count) {
  // Volatile, or the compiler leaves out both calls.
  void *volatile memory = malloc(count);
  free(memory);
  return memory != NULL;
}
