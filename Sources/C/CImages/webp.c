#include "cimages.h"

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
    case VP8_STATUS_SUSPENDED:
      status = CIMAGES_TRUNCATED, text = "the file ends too early";
      break;
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
  *header =
    (cimages_header){(uint32_t)found.width, (uint32_t)found.height, found.has_alpha != 0};
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

cimages_status cimages_webp_decode(
  const uint8_t *bytes, size_t count, cimages_alpha alpha, uint8_t *rgb, size_t capacity,
  cimages_message *message) {
  WebPBitstreamFeatures found;
  cimages_status status = features(bytes, count, &found, message);
  if (status != CIMAGES_OK) return status;
  if (found.has_animation) {
    snprintf(message->text, sizeof message->text, "animated");
    return CIMAGES_UNSUPPORTED;
  }
  size_t pixels = (size_t)found.width * (size_t)found.height;
  if (pixels * 3 != capacity) return explain(VP8_STATUS_BITSTREAM_ERROR, message);
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
