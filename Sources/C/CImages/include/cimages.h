// The C side of Images: codecs (libjpeg-turbo, libpng, libwebp, libavif, libdeflate), the
// resampling and filling loops, and glyph outlines (HarfBuzz), directions of text (FriBidi).
//
// Rules of this boundary: no function keeps a pointer after it returns, except the two that hand
// out an object with its own release function; no function allocates pixels on behalf of the
// caller, who asks for the header first, checks it against limits, and brings the buffer. Input
// bytes may be anything.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// MARK: Results

typedef enum {
  CIMAGES_OK = 0,
  CIMAGES_CORRUPT,      // the bytes contradict their own format
  CIMAGES_TRUNCATED,    // the bytes end too early
  CIMAGES_UNSUPPORTED,  // a valid form of the format that is not decoded here
  CIMAGES_NO_MEMORY,
} cimages_status;

// What went wrong, in the codec's own words; empty after success. Always terminated.
typedef struct {
  char text[160];
} cimages_message;

typedef struct {
  uint32_t width, height;
  bool has_alpha;
} cimages_header;

// What happens to transparency.
typedef enum {
  CIMAGES_ALPHA_DROP = 0,  // keep the colour, ignore the alpha
  CIMAGES_ALPHA_WHITE,     // composite on white
} cimages_alpha;

// MARK: Decoding (jpeg.c, png_decode.c, webp.c, gif.c, avif.c, alpha.c)
//
// *_header reads the size only. *_decode writes width * height RGB triples to `rgb`, whose
// `capacity` must be exactly width * height * 3 of the header.

cimages_status cimages_jpeg_header(
  const uint8_t *bytes, size_t count, cimages_header *header, cimages_message *message);
cimages_status cimages_jpeg_decode(
  const uint8_t *bytes, size_t count, uint8_t *rgb, size_t capacity, cimages_message *message);
// Whether the decoder would give pixels: reads all codes, but computes an eighth of the size only.
cimages_status cimages_jpeg_check(
  const uint8_t *bytes, size_t count, size_t capacity, cimages_message *message);

cimages_status cimages_png_header(
  const uint8_t *bytes, size_t count, cimages_header *header, cimages_message *message);
cimages_status cimages_png_decode(
  const uint8_t *bytes, size_t count, cimages_alpha alpha, uint8_t *rgb, size_t capacity,
  cimages_message *message);

cimages_status cimages_webp_header(
  const uint8_t *bytes, size_t count, cimages_header *header, cimages_message *message);
cimages_status cimages_webp_decode(
  const uint8_t *bytes, size_t count, cimages_alpha alpha, uint8_t *rgb, size_t capacity,
  cimages_message *message);

// The first picture of a GIF, on its screen.
cimages_status cimages_gif_header(
  const uint8_t *bytes, size_t count, cimages_header *header, cimages_message *message);
cimages_status cimages_gif_decode(
  const uint8_t *bytes, size_t count, cimages_alpha alpha, uint8_t *rgb, size_t capacity,
  cimages_message *message);

// `turned` is the EXIF orientation that makes the picture stand as its container says.
cimages_status cimages_avif_header(
  const uint8_t *bytes, size_t count, cimages_header *header, int *turned,
  cimages_message *message);
cimages_status cimages_avif_decode(
  const uint8_t *bytes, size_t count, cimages_alpha alpha, uint8_t *rgb, size_t capacity,
  cimages_message *message);

// `count` RGBA quadruples to RGB triples.
void cimages_flatten_alpha(const uint8_t *rgba, size_t count, cimages_alpha alpha, uint8_t *rgb);

// MARK: Encoding (jpeg.c, png_encode.c, png_filter.c, webp.c, webp_lossless.c, prefix_code.c)

// The most bytes that cimages_png_encode can need; 0 when out of memory or too large.
size_t cimages_png_bound(uint32_t width, uint32_t height, int level);
// Writes an 8-bit RGB PNG and returns its length; 0 when out of memory.
size_t cimages_png_encode(
  const uint8_t *rgb, uint32_t width, uint32_t height, int level, uint8_t *png, size_t capacity);

// Writes a baseline 4:2:0 JPEG into memory that cimages_release frees.
cimages_status cimages_jpeg_encode(
  const uint8_t *rgb, uint32_t width, uint32_t height, int quality, uint8_t **jpeg, size_t *count,
  cimages_message *message);
// Writes a lossy WebP of sides up to 16,383 into memory that cimages_release frees.
cimages_status cimages_webp_encode(
  const uint8_t *rgb, uint32_t width, uint32_t height, int quality, uint8_t **webp, size_t *count);
// Writes a WebP of the very pixels, of sides up to 16,383, into memory that cimages_release frees.
cimages_status cimages_webp_encode_lossless(
  const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **webp, size_t *count);
void cimages_release(void *memory);

// Whether the system would give so many bytes now: Swift's arrays end the process where it does
// not.
bool cimages_has_memory(size_t count);

// MARK: Resampling (resample.c)

// One output sample: a weighted sum of `count` inputs from `first` on.
typedef struct {
  int32_t first, count;
} cimages_window;

// The weights are fixed-point numbers with this many fractional bits.
#define CIMAGES_WEIGHT_BITS 22

// Filters along rows of RGB triples: `rows` rows of `width` pixels, `row_bytes` apart, become rows
// of `out_width` pixels. Output sample x uses `windows[x].count` weights from weights[x * taps] on.
// `taps` must be a multiple of CIMAGES_TAP_GROUP, the weights behind a window's count zero, and the
// array of weights longer by CIMAGES_TAP_GROUP than its windows need.
#define CIMAGES_TAP_GROUP 5
void cimages_resample_horizontal(
  const uint8_t *source, size_t row_bytes, int32_t width, int32_t rows, uint8_t *out,
  int32_t out_width, const cimages_window *windows, const int32_t *weights, int32_t taps);

// Filters along columns: rows of `row_bytes` bytes become `out_height` such rows.
void cimages_resample_vertical(
  const uint8_t *source, size_t row_bytes, uint8_t *out, int32_t out_height,
  const cimages_window *windows, const int32_t *weights, int32_t taps);

// MARK: Drawing (fill.c, stroke.c)

// A straight piece of an outline, in pixels, y down.
typedef struct {
  float x0, y0, x1, y1;
} cimages_segment;

// Fills closed outlines with a colour, anti-aliased by the exact area covered of each pixel.
// Overlapping outlines of the same direction unite; opposite directions cut holes.
// `opacity` is in [0, 1]. Returns false when out of memory.
bool cimages_fill(
  uint8_t *rgb, int32_t width, int32_t height, const cimages_segment *segments, size_t count,
  uint8_t red, uint8_t green, uint8_t blue, float opacity);

// Draws a line with round joins and ends through `count` points, x and y in turn, in pixels.
// Returns false when out of memory.
bool cimages_stroke(
  uint8_t *rgb, int32_t width, int32_t height, const float *points, size_t count, float line_width,
  uint8_t red, uint8_t green, uint8_t blue);

// MARK: Fonts (font.c)

// An opened font file; immutable, may be used from several threads.
typedef struct cimages_font cimages_font;

// NULL when the file is missing or no font with a glyph in it.
cimages_font *cimages_font_open(const char *path, uint32_t face);
void cimages_font_close(cimages_font *font);

// In font units.
typedef struct {
  int32_t units_per_em, ascender, descender;
} cimages_font_metrics;

cimages_font_metrics cimages_font_get_metrics(const cimages_font *font);
bool cimages_font_covers(const cimages_font *font, uint32_t scalar);

// A positioned glyph, in font units; `cluster` is the index of its first scalar.
typedef struct {
  uint32_t glyph, cluster;
  int32_t advance, x_offset, y_offset;
} cimages_glyph;

// Shapes a run of one direction with kerning and ligatures, its glyphs from left to right. Returns
// their number, of which at most `capacity` are written.
size_t cimages_font_shape(
  const cimages_font *font, const uint32_t *scalars, size_t count, bool is_right_to_left,
  cimages_glyph *glyphs, size_t capacity);

// The embedding level of each scalar of a line by Unicode's bidirectional algorithm (FriBidi); odd
// ones go from right to left. False without memory; `levels` is then unchanged. (bidi.c)
bool cimages_bidi_levels(const uint32_t *scalars, size_t count, uint8_t *levels);

// The outline of a glyph as straight pieces in font units, y up. Returns their number, of which
// at most `capacity` are written.
size_t cimages_font_outline(
  const cimages_font *font, uint32_t glyph, cimages_segment *segments, size_t capacity);
