// Vectors of 16 floats. To be included inside of a namespace whose functions are compiled for
// AVX-512, after <cstring> and c10's BFloat16.
#pragma once

#define WG_INLINE inline __attribute__((always_inline))

typedef float Vector __attribute__((ext_vector_type(16)));
typedef uint32_t Words __attribute__((ext_vector_type(16)));
typedef uint16_t Halves __attribute__((ext_vector_type(16)));

WG_INLINE Vector load(const float *source) {
  Vector result;
  std::memcpy(&result, source, sizeof result);
  return result;
}

WG_INLINE Vector load(const c10::BFloat16 *source) {
  Halves halves;
  std::memcpy(&halves, source, sizeof halves);
  return __builtin_bit_cast(Vector, __builtin_convertvector(halves, Words) << 16);
}

WG_INLINE void store(Vector value, float *target) { std::memcpy(target, &value, sizeof value); }

/// To the nearest, to the even one of two; any NaN becomes one NaN.
WG_INLINE void store(Vector value, c10::BFloat16 *target) {
  Words bits = __builtin_bit_cast(Words, value);
  Words rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  Words isNaN = __builtin_bit_cast(Words, (bits & 0x7FFFFFFF) > 0x7F800000);
  Halves halves = __builtin_convertvector((isNaN & 0x7FC0) | (~isNaN & rounded), Halves);
  std::memcpy(target, &halves, sizeof halves);
}

/// [from][from] to [to][to]: columns, then rows.
template <typename Step>
WG_INLINE void both_ways(const Vector *in, Vector *out) {
  Vector half[Step::to * Step::from];
#pragma unroll
  for (int x = 0; x < Step::from; x++) Step::apply(in + x, Step::from, half + x, Step::from);
#pragma unroll
  for (int y = 0; y < Step::to; y++) Step::apply(half + y * Step::from, 1, out + y * Step::to, 1);
}
