#include "cimages.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#define JMAKE_ENUM_LIST
#include <jerror.h>

// A progressive file may repeat its scans as often as it likes, each at the price of a full pass.
// Encoders in the wild write about ten.
#define MAXIMUM_SCANS 100

// Huffman coding spends at least one bit on each block of a component, and a component of full
// resolution in some direction has at least four blocks in 32 x 32 pixels; two such share them.
#define MAXIMUM_PIXELS_PER_BYTE 1024

typedef struct {
  struct jpeg_error_mgr base;
  struct jpeg_progress_mgr progress;
  jmp_buf escape;
  cimages_status status;
  cimages_message *message;
} jpeg_failure;

static void fail(j_common_ptr info) {
  jpeg_failure *failure = (jpeg_failure *)info->err;
  char text[JMSG_LENGTH_MAX];
  failure->base.format_message(info, text);
  snprintf(failure->message->text, sizeof failure->message->text, "%s", text);
  switch (info->err->msg_code) {
    case JERR_OUT_OF_MEMORY: failure->status = CIMAGES_NO_MEMORY; break;
    case JWRN_JPEG_EOF:
    case JERR_INPUT_EMPTY:
    case JERR_INPUT_EOF: failure->status = CIMAGES_TRUNCATED; break;
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_SOF_UNSUPPORTED: failure->status = CIMAGES_UNSUPPORTED; break;
    default: failure->status = CIMAGES_CORRUPT;
  }
  longjmp(failure->escape, 1);
}

// libjpeg invents grey pixels for what it cannot read and only warns. Those warnings end the
// decoding here; the few that leave every pixel intact are let through.
static void warn(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_TOO_MUCH_DATA: return;
    default: fail(info);
  }
}

static void silent(j_common_ptr info) { (void)info; }

static void limit_scans(j_common_ptr info) {
  if (!info->is_decompressor) return;
  if (((j_decompress_ptr)info)->input_scan_number <= MAXIMUM_SCANS) return;
  jpeg_failure *failure = (jpeg_failure *)info->err;
  snprintf(
    failure->message->text, sizeof failure->message->text, "more than %d scans", MAXIMUM_SCANS);
  failure->status = CIMAGES_CORRUPT;
  longjmp(failure->escape, 1);
}

static struct jpeg_error_mgr *prepare(jpeg_failure *failure, cimages_message *message) {
  jpeg_std_error(&failure->base);
  failure->base.error_exit = fail;
  failure->base.emit_message = warn;
  failure->base.output_message = silent;
  failure->progress.progress_monitor = limit_scans;
  failure->status = CIMAGES_OK;
  failure->message = message;
  message->text[0] = 0;
  return &failure->base;
}

static uint8_t scaled(uint8_t a, uint8_t b) {
  uint32_t product = (uint32_t)a * b + 128;
  return (uint8_t)((product + (product >> 8)) >> 8);
}

// One row of CMYK as Adobe stores it, 255 meaning no ink, to RGB.
static void adobe_cmyk_to_rgb(const uint8_t *cmyk, uint32_t width, uint8_t *rgb) {
  for (uint32_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
    uint8_t white = cmyk[3];
    for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(white - scaled((uint8_t)~cmyk[c], white));
  }
}

// Without `rgb` the pixels are thrown away, and only an eighth of each side is computed: all codes are
// read all the same.
static void decode(
  struct jpeg_decompress_struct *info, size_t count, uint8_t *rgb, size_t capacity) {
  bool inks = info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK;
  info->out_color_space = inks ? JCS_CMYK : JCS_RGB;
  if ((size_t)info->image_width * info->image_height * 3 != capacity) {
    ERREXIT(info, JERR_WIDTH_OVERFLOW);
  }
  if (!info->arith_code && capacity / 3 / MAXIMUM_PIXELS_PER_BYTE > count) {
    ERREXIT(info, JERR_INPUT_EOF);
  }
  info->scale_num = 1;
  info->scale_denom = rgb ? 1 : 8;
  jpeg_start_decompress(info);
  size_t row_bytes = (size_t)info->output_width * 3;
  JSAMPARRAY inked = NULL;
  if (inks || !rgb) {
    inked = info->mem->alloc_sarray((j_common_ptr)info, JPOOL_IMAGE, info->output_width * 4, 1);
  }
  while (info->output_scanline < info->output_height) {
    uint8_t *row = rgb ? rgb + info->output_scanline * row_bytes : NULL;
    if (!rgb) {
      jpeg_read_scanlines(info, inked, 1);
    } else if (inks) {
      jpeg_read_scanlines(info, inked, 1);
      adobe_cmyk_to_rgb(inked[0], info->output_width, row);
    } else {
      jpeg_read_scanlines(info, &row, 1);
    }
  }
}

// Reads the header, and then `capacity` bytes of pixels if that is not 0.
static cimages_status read_jpeg(
  const uint8_t *bytes, size_t count, cimages_header *header, uint8_t *rgb, size_t capacity,
  cimages_message *message) {
  struct jpeg_decompress_struct info;
  jpeg_failure failure;
  memset(&info, 0, sizeof info);
  info.err = prepare(&failure, message);
  if (setjmp(failure.escape)) {
    jpeg_destroy_decompress(&info);
    return failure.status;
  }
  jpeg_create_decompress(&info);
  info.progress = &failure.progress;
  jpeg_mem_src(&info, bytes, count);
  jpeg_read_header(&info, TRUE);
  if (header) *header = (cimages_header){info.image_width, info.image_height, false};
  if (capacity > 0) decode(&info, count, rgb, capacity);
  jpeg_destroy_decompress(&info);
  return CIMAGES_OK;
}

cimages_status cimages_jpeg_header(
  const uint8_t *bytes, size_t count, cimages_header *header, cimages_message *message) {
  return read_jpeg(bytes, count, header, NULL, 0, message);
}

cimages_status cimages_jpeg_decode(
  const uint8_t *bytes, size_t count, uint8_t *rgb, size_t capacity, cimages_message *message) {
  return read_jpeg(bytes, count, NULL, rgb, capacity, message);
}

cimages_status cimages_jpeg_check(
  const uint8_t *bytes, size_t count, size_t capacity, cimages_message *message) {
  return read_jpeg(bytes, count, NULL, NULL, capacity, message);
}

cimages_status cimages_jpeg_encode(
  const uint8_t *rgb, uint32_t width, uint32_t height, int quality, uint8_t **jpeg, size_t *count,
  cimages_message *message) {
  struct jpeg_compress_struct info;
  jpeg_failure failure;
  unsigned char *growing = NULL;
  unsigned long size = 0;
  memset(&info, 0, sizeof info);
  info.err = prepare(&failure, message);
  if (setjmp(failure.escape)) {
    // Out of memory is the only way here. libjpeg does not say which of its buffers is alive then,
    // so that one is given up.
    jpeg_destroy_compress(&info);
    return failure.status;
  }
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &growing, &size);
  info.image_width = width;
  info.image_height = height;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < height) {
    JSAMPROW row = (JSAMPROW)(rgb + (size_t)info.next_scanline * width * 3);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  *jpeg = growing;
  *count = size;
  return CIMAGES_OK;
}
