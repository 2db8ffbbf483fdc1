#include "cimages.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

// Deflate cannot expand by more than this.
#define MAXIMUM_DEFLATE_RATIO 1032

typedef struct {
  const uint8_t *bytes;
  size_t count, position;
  cimages_status status;
  cimages_message *message;
} png_input;

static void read_bytes(png_structp png, png_bytep out, size_t count) {
  png_input *input = png_get_io_ptr(png);
  if (count > input->count - input->position) {
    input->status = CIMAGES_TRUNCATED;
    png_error(png, "the file ends too early");
  }
  memcpy(out, input->bytes + input->position, count);
  input->position += count;
}

static void fail(png_structp png, png_const_charp text) {
  png_input *input = png_get_error_ptr(png);
  if (input->status == CIMAGES_OK) input->status = CIMAGES_CORRUPT;
  snprintf(input->message->text, sizeof input->message->text, "%s", text);
  png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static png_structp open_png(
  png_input *input, const uint8_t *bytes, size_t count, cimages_message *message) {
  *input = (png_input){bytes, count, 0, CIMAGES_OK, message};
  message->text[0] = 0;
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, input, fail, ignore_warning);
  return png;
}

// To be called under setjmp: reads up to the first image data.
//
// Texts, profiles and all else that does not change the pixels are skipped unread: libpng would
// keep them, and a small file can hold gigabytes of compressed text. Since nothing of them is
// allocated, their length needs no limit.
static void read_header(png_structp png, png_infop info, png_input *input) {
  png_set_read_fn(png, input, read_bytes);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_chunk_malloc_max(png, 0);
  png_read_info(png, info);
}

cimages_status cimages_png_header(
  const uint8_t *bytes, size_t count, cimages_header *header, cimages_message *message) {
  png_input input;
  png_structp png = open_png(&input, bytes, count, message);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    return CIMAGES_NO_MEMORY;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    return input.status;
  }
  read_header(png, info, &input);
  bool has_alpha = (png_get_color_type(png, info) & PNG_COLOR_MASK_ALPHA) != 0 ||
                   png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  *header =
    (cimages_header){png_get_image_width(png, info), png_get_image_height(png, info), has_alpha};
  png_destroy_read_struct(&png, &info, NULL);
  return CIMAGES_OK;
}

// Asks libpng for 8-bit RGB, or RGBA where there is transparency; returns the number of channels.
static int convert_to_rgb(png_structp png, png_infop info, cimages_alpha alpha) {
  int colour = png_get_color_type(png, info);
  bool keyed = png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  bool has_alpha = (colour & PNG_COLOR_MASK_ALPHA) != 0 || keyed;
  png_set_strip_16(png);
  if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (!(colour & PNG_COLOR_MASK_COLOR)) {
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_gray_to_rgb(png);
  }
  if (has_alpha && alpha == CIMAGES_ALPHA_WHITE) {
    if (keyed) png_set_tRNS_to_alpha(png);
    return 4;
  }
  if (has_alpha) png_set_strip_alpha(png);
  return 3;
}

// Without interlacing one row of RGBA is enough; with it, earlier passes must be kept.
static void read_alpha_rows(
  png_structp png, uint8_t *rgba, uint32_t width, uint32_t height, int passes, uint8_t *rgb) {
  size_t row_bytes = (size_t)width * 4;
  for (int pass = 0; pass < passes; pass++) {
    for (uint32_t y = 0; y < height; y++) {
      uint8_t *row = passes > 1 ? rgba + y * row_bytes : rgba;
      png_read_row(png, row, NULL);
      if (pass == passes - 1) {
        cimages_flatten_alpha(row, width, CIMAGES_ALPHA_WHITE, rgb + (size_t)y * width * 3);
      }
    }
  }
}

static void read_rows(png_structp png, uint32_t width, uint32_t height, int passes, uint8_t *rgb) {
  for (int pass = 0; pass < passes; pass++) {
    for (uint32_t y = 0; y < height; y++) png_read_row(png, rgb + (size_t)y * width * 3, NULL);
  }
}

// Whether a file that ends too early holds all of its image data: what was cut off came behind it.
static bool is_cut_behind_image(const uint8_t *bytes, size_t count) {
  size_t position = 8;
  while (count - position >= 8) {
    const uint8_t *chunk = bytes + position;
    size_t length =
      (size_t)chunk[0] << 24 | (size_t)chunk[1] << 16 | (size_t)chunk[2] << 8 | chunk[3];
    if (length > count - position - 8 || count - position - 8 - length < 4) {
      return memcmp(chunk + 4, "IDAT", 4) != 0;
    }
    position += 12 + length;
  }
  return true;
}

cimages_status cimages_png_decode(
  const uint8_t *bytes, size_t count, cimages_alpha alpha, uint8_t *rgb, size_t capacity,
  cimages_message *message) {
  png_input input;
  png_structp png = open_png(&input, bytes, count, message);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  uint8_t *volatile rgba = NULL;
  volatile bool has_all_rows = false;
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    return CIMAGES_NO_MEMORY;
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    free(rgba);
    // As PIL does: a picture is not refused for its missing end chunk.
    bool is_whole = has_all_rows && input.status == CIMAGES_TRUNCATED;
    return is_whole && is_cut_behind_image(bytes, count) ? CIMAGES_OK : input.status;
  }
  read_header(png, info, &input);
  uint32_t width = png_get_image_width(png, info);
  uint32_t height = png_get_image_height(png, info);
  if ((size_t)width * height * 3 != capacity) png_error(png, "the size changed");
  if (png_get_rowbytes(png, info) * height / MAXIMUM_DEFLATE_RATIO > count) {
    input.status = CIMAGES_TRUNCATED;
    png_error(png, "the file is too short for its size in pixels");
  }
  int channels = convert_to_rgb(png, info, alpha);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != (size_t)width * (size_t)channels) {
    png_error(png, "unexpected row size");
  }
  if (channels == 4) {
    rgba = malloc((size_t)width * 4 * (passes > 1 ? height : 1));
    if (!rgba) {
      input.status = CIMAGES_NO_MEMORY;
      png_error(png, "out of memory");
    }
    read_alpha_rows(png, rgba, width, height, passes, rgb);
  } else {
    read_rows(png, width, height, passes, rgb);
  }
  has_all_rows = true;
  png_read_end(png, NULL);
  png_destroy_read_struct(&png, &info, NULL);
  free(rgba);
  return CIMAGES_OK;
}
