#include "cimages.h"

#include <stdio.h>
#include <stdlib.h>

#include <avif/avif.h>

// libavif 1.0 renamed this field and kept its values.
#if AVIF_VERSION >= 1000000
#define MIRROR axis
#else
#define MIRROR mode
#endif

static cimages_status explain(avifResult result, cimages_message *message) {
  snprintf(message->text, sizeof message->text, "%s", avifResultToString(result));
  switch (result) {
    case AVIF_RESULT_OK: message->text[0] = 0; return CIMAGES_OK;
    case AVIF_RESULT_TRUNCATED_DATA:
    case AVIF_RESULT_WAITING_ON_IO: return CIMAGES_TRUNCATED;
    case AVIF_RESULT_OUT_OF_MEMORY: return CIMAGES_NO_MEMORY;
    case AVIF_RESULT_UNSUPPORTED_DEPTH:
    case AVIF_RESULT_NOT_IMPLEMENTED:
    case AVIF_RESULT_NO_CODEC_AVAILABLE: return CIMAGES_UNSUPPORTED;
    default: return CIMAGES_CORRUPT;
  }
}

// A decoder that has read the containers and no pixel yet; NULL with a status otherwise.
//
// `maximum_pixels` binds the container and what is inside of it: dav1d is the codec that keeps to
// it.
static avifDecoder *open_avif(
  const uint8_t *bytes, size_t count, uint32_t maximum_pixels, cimages_status *status,
  cimages_message *message) {
  avifDecoder *decoder = avifDecoderCreate();
  if (!decoder) {
    *status = explain(AVIF_RESULT_OUT_OF_MEMORY, message);
    return NULL;
  }
  decoder->codecChoice = AVIF_CODEC_CHOICE_DAV1D;
  decoder->maxThreads = 1;
  decoder->ignoreExif = AVIF_TRUE;
  decoder->ignoreXMP = AVIF_TRUE;
  decoder->imageSizeLimit = maximum_pixels;
  decoder->imageDimensionLimit = 0;
  avifResult result = avifDecoderSetIOMemory(decoder, bytes, count);
  if (result == AVIF_RESULT_OK) result = avifDecoderParse(decoder);
  *status = explain(result, message);
  if (result == AVIF_RESULT_OK) return decoder;
  avifDecoderDestroy(decoder);
  return NULL;
}

// The EXIF orientation that turns the picture as the container says: first turned, then mirrored.
static int orientation(const avifImage *image) {
  int angle = image->transformFlags & AVIF_TRANSFORM_IROT ? image->irot.angle & 3 : 0;
  if (!(image->transformFlags & AVIF_TRANSFORM_IMIR)) return (const int[]){1, 8, 3, 6}[angle];
  return image->imir.MIRROR == 0 ? (const int[]){4, 5, 2, 7}[angle]
                               : (const int[]){2, 7, 4, 5}[angle];
}

cimages_status cimages_avif_header(
  const uint8_t *bytes, size_t count, cimages_header *header, int *turned,
  cimages_message *message) {
  cimages_status status;
  // libavif refuses more than this by itself.
  avifDecoder *decoder = open_avif(bytes, count, AVIF_DEFAULT_IMAGE_SIZE_LIMIT, &status, message);
  if (!decoder) return status;
  *header =
    (cimages_header){decoder->image->width, decoder->image->height, decoder->alphaPresent != 0};
  *turned = orientation(decoder->image);
  avifDecoderDestroy(decoder);
  return CIMAGES_OK;
}

static avifResult convert(const avifImage *image, bool keeps_alpha, uint8_t *out) {
  avifRGBImage rgb;
  avifRGBImageSetDefaults(&rgb, image);
  rgb.depth = 8;
  rgb.format = keeps_alpha ? AVIF_RGB_FORMAT_RGBA : AVIF_RGB_FORMAT_RGB;
  rgb.pixels = out;
  rgb.rowBytes = image->width * (keeps_alpha ? 4 : 3);
  return avifImageYUVToRGB(image, &rgb);
}

cimages_status cimages_avif_decode(
  const uint8_t *bytes, size_t count, cimages_alpha alpha, uint8_t *rgb, size_t capacity,
  cimages_message *message) {
  cimages_status status;
  size_t pixels = capacity / 3;
  avifDecoder *decoder = open_avif(bytes, count, (uint32_t)pixels, &status, message);
  if (!decoder) return status;
  uint8_t *rgba = NULL;
  uint32_t width = decoder->image->width, height = decoder->image->height;
  avifResult result = avifDecoderNextImage(decoder);
  const avifImage *image = decoder->image;
  // What is inside of the container may contradict it.
  if (
    result == AVIF_RESULT_OK &&
    (image->width != width || image->height != height || (size_t)width * height * 3 != capacity)) {
    result = AVIF_RESULT_ISPE_SIZE_MISMATCH;
  }
  bool keeps_alpha = image->alphaPlane && alpha == CIMAGES_ALPHA_WHITE;
  if (result == AVIF_RESULT_OK && keeps_alpha) {
    rgba = malloc(pixels * 4);
    if (!rgba) result = AVIF_RESULT_OUT_OF_MEMORY;
  }
  if (result == AVIF_RESULT_OK) result = convert(image, keeps_alpha, keeps_alpha ? rgba : rgb);
  if (result == AVIF_RESULT_OK && keeps_alpha) cimages_flatten_alpha(rgba, pixels, alpha, rgb);
  avifDecoderDestroy(decoder);
  free(rgba);
  return explain(result, message);
}
