#include "cimages.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/encode.h>

static cimages_status explain(VP8StatusCode code, cimages_message *message) {
  cimages_status status = CIMAGES_CORRUPT;
  const char *text = "invalid bitstream";
  switch (code) {
    case VP8_STATUS_OK: status = CIMAGES_OK, text = ""; break;
    case VP8_STATUS_OUT_OF_MEMORY: status = CIMAGES_NO_MEMORY, text = "out of memory"; break;
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED: status = CIMAGES_TRUNCATED, text = "the file ends too early"; break;
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      status = CIMAGES_UNSUPPORTED, text = "unsupported feature";
      break;
    default: break;
  }
  snprintf(message->text, sizeof message->text, "%s", text);
  return status;
}

static cimages_status features(
  const uint8_t *bytes, size_t count, WebPBitstreamFeatures *found, cimages_message *message) {
  VP8StatusCode code = WebPGetFeatures(bytes, count, found);
  if (code != VP8_STATUS_OK) return explain(code, message);
  if (found->width <= 0 || found->height <= 0) {
    return explain(VP8_STATUS_BITSTREAM_ERROR, message);
  }
  return explain(VP8_STATUS_OK, message);
}

cimages_status cimages_webp_header(
  const uint8_t *bytes, size_t count, cimages_header *header, cimages_message *message) {
  WebPBitstreamFeatures found;
  cimages_status status = features(bytes, count, &found, message);
  if (status != CIMAGES_OK) return status;
  *header = (cimages_header){(uint32_t)found.width, (uint32_t)found.height, found.has_alpha != 0};
  return CIMAGES_OK;
}

static cimages_status decode_into(
  const uint8_t *bytes, size_t count, WEBP_CSP_MODE mode, uint8_t *out, size_t capacity,
  int row_bytes, cimages_message *message) {
  WebPDecoderConfig configuration;
  if (!WebPInitDecoderConfig(&configuration)) {
    return explain(VP8_STATUS_UNSUPPORTED_FEATURE, message);
  }
  configuration.output.colorspace = mode;
  configuration.output.is_external_memory = 1;
  configuration.output.u.RGBA.rgba = out;
  configuration.output.u.RGBA.stride = row_bytes;
  configuration.output.u.RGBA.size = capacity;
  VP8StatusCode code = WebPDecode(bytes, count, &configuration);
  WebPFreeDecBuffer(&configuration.output);
  return explain(code, message);
}

static uint32_t little(const uint8_t *bytes, int count) {
  uint32_t value = 0;
  for (int i = 0; i < count; i++) value |= (uint32_t)bytes[i] << 8 * i;
  return value;
}

// A frame of an animation: where its bitstream is, and where on the canvas it goes.
typedef struct {
  const uint8_t *bytes;
  size_t count;
  uint32_t x, y, width, height;
} webp_frame;

// Finds the first frame among the chunks of the file (RFC 9649, section 2.7).
static bool find_first_frame(const uint8_t *bytes, size_t count, webp_frame *frame) {
  size_t position = 12;
  while (position <= count && count - position >= 8) {
    const uint8_t *chunk = bytes + position;
    size_t length = little(chunk + 4, 4);
    size_t left = count - position - 8;
    // A frame that is cut off is the decoder's to judge.
    if (length > left) length = left;
    if (memcmp(chunk, "ANMF", 4) == 0) {
      if (length < 16) return false;
      *frame = (webp_frame){
        chunk + 24,
        length - 16,
        little(chunk + 8, 3) * 2,
        little(chunk + 11, 3) * 2,
        little(chunk + 14, 3) + 1,
        little(chunk + 17, 3) + 1};
      return true;
    }
    position += 8 + length + length % 2;
  }
  return false;
}

// The first picture of an animation, on a canvas that is transparent elsewhere.
static cimages_status decode_first_frame(
  const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, cimages_alpha alpha,
  uint8_t *rgb, cimages_message *message) {
  webp_frame frame;
  WebPBitstreamFeatures found;
  // A file that is cut is refused, whichever frame is missing.
  bool is_whole = count >= 12 && little(bytes + 4, 4) <= count - 8;
  if (!is_whole || !find_first_frame(bytes, count, &frame))
    return explain(VP8_STATUS_NOT_ENOUGH_DATA, message);
  VP8StatusCode code = WebPGetFeatures(frame.bytes, frame.count, &found);
  if (code != VP8_STATUS_OK) return explain(code, message);
  if (
    found.has_animation || (uint32_t)found.width != frame.width ||
    (uint32_t)found.height != frame.height || frame.x > width || frame.y > height ||
    frame.width > width - frame.x || frame.height > height - frame.y) {
    return explain(VP8_STATUS_BITSTREAM_ERROR, message);
  }
  size_t pixels = (size_t)width * height;
  uint8_t *canvas = calloc(pixels, 4);
  if (!canvas) return explain(VP8_STATUS_OUT_OF_MEMORY, message);
  size_t start = ((size_t)frame.y * width + frame.x) * 4;
  cimages_status status = decode_into(
    frame.bytes, frame.count, MODE_RGBA, canvas + start, pixels * 4 - start, (int)width * 4,
    message);
  if (status == CIMAGES_OK) cimages_flatten_alpha(canvas, pixels, alpha, rgb);
  free(canvas);
  return status;
}

cimages_status cimages_webp_decode(
  const uint8_t *bytes, size_t count, cimages_alpha alpha, uint8_t *rgb, size_t capacity,
  cimages_message *message) {
  WebPBitstreamFeatures found;
  cimages_status status = features(bytes, count, &found, message);
  if (status != CIMAGES_OK) return status;
  size_t pixels = (size_t)found.width * (size_t)found.height;
  if (pixels * 3 != capacity) return explain(VP8_STATUS_BITSTREAM_ERROR, message);
  if (found.has_animation) {
    return decode_first_frame(
      bytes, count, (uint32_t)found.width, (uint32_t)found.height, alpha, rgb, message);
  }
  if (!found.has_alpha || alpha == CIMAGES_ALPHA_DROP) {
    return decode_into(bytes, count, MODE_RGB, rgb, capacity, found.width * 3, message);
  }
  uint8_t *rgba = malloc(pixels * 4);
  if (!rgba) return explain(VP8_STATUS_OUT_OF_MEMORY, message);
  status = decode_into(bytes, count, MODE_RGBA, rgba, pixels * 4, found.width * 4, message);
  if (status == CIMAGES_OK) cimages_flatten_alpha(rgba, pixels, alpha, rgb);
  free(rgba);
  return status;
}

cimages_status cimages_webp_encode(
  const uint8_t *rgb, uint32_t width, uint32_t height, int quality, uint8_t **webp, size_t *count) {
  uint8_t *encoded = NULL;
  *webp = NULL;
  *count = WebPEncodeRGB(rgb, (int)width, (int)height, (int)width * 3, (float)quality, &encoded);
  if (*count == 0) return CIMAGES_NO_MEMORY;
  // The library's memory is its own to free.
  *webp = malloc(*count);
  if (*webp != NULL) memcpy(*webp, encoded, *count);
  WebPFree(encoded);
  return *webp == NULL ? CIMAGES_NO_MEMORY : CIMAGES_OK;
}
