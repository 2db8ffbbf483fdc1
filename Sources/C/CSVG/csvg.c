#include "csvg.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What is used of GLib, Cairo and librsvg, as their headers of Debian 12 declare it.
typedef struct {
  uint32_t domain;
  int code;
  char *message;
} GError;

typedef struct {
  double x, y, width, height;
} RsvgRectangle;

enum { CAIRO_FORMAT_RGB24 = 1, CAIRO_STATUS_SUCCESS = 0 };

static struct {
  void *(*rsvg_handle_new_from_data)(const uint8_t *, size_t, GError **);
  int (*rsvg_handle_render_document)(void *, void *, const RsvgRectangle *, GError **);
  void (*g_object_unref)(void *);
  void (*g_error_free)(GError *);
  void *(*cairo_image_surface_create)(int, int, int);
  int (*cairo_surface_status)(void *);
  void *(*cairo_create)(void *);
  void (*cairo_set_source_rgb)(void *, double, double, double);
  void (*cairo_paint)(void *);
  void (*cairo_destroy)(void *);
  void (*cairo_surface_flush)(void *);
  uint8_t *(*cairo_image_surface_get_data)(void *);
  int (*cairo_image_surface_get_stride)(void *);
  void (*cairo_surface_destroy)(void *);
} library;

static csvg_message load_failure;
static pthread_once_t loaded = PTHREAD_ONCE_INIT;

static void say(csvg_message *message, const char *text) {
  // Messages are one line: what GLib says may be several.
  size_t length = strcspn(text, "\r\n");
  if (length >= sizeof message->text) length = sizeof message->text - 1;
  memcpy(message->text, text, length);
  message->text[length] = 0;
}

static void load(void) {
  void *rsvg = dlopen("librsvg-2.so.2", RTLD_NOW | RTLD_LOCAL);
  if (rsvg == NULL) {
    say(&load_failure, "librsvg-2.so.2 is missing");
    return;
  }
  // librsvg brings Cairo and GObject with it: the same handle finds their functions.
  const struct {
    const char *name;
    void *target;
  } functions[] = {
#define FUNCTION(name) {#name, &library.name}
    FUNCTION(rsvg_handle_new_from_data),
    FUNCTION(rsvg_handle_render_document),
    FUNCTION(g_object_unref),
    FUNCTION(g_error_free),
    FUNCTION(cairo_image_surface_create),
    FUNCTION(cairo_surface_status),
    FUNCTION(cairo_create),
    FUNCTION(cairo_set_source_rgb),
    FUNCTION(cairo_paint),
    FUNCTION(cairo_destroy),
    FUNCTION(cairo_surface_flush),
    FUNCTION(cairo_image_surface_get_data),
    FUNCTION(cairo_image_surface_get_stride),
    FUNCTION(cairo_surface_destroy),
#undef FUNCTION
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    void *symbol = dlsym(rsvg, functions[i].name);
    if (symbol == NULL) {
      snprintf(
        load_failure.text, sizeof load_failure.text, "librsvg-2.so.2 is too old: it has no %s",
        functions[i].name);
      return;
    }
    memcpy(functions[i].target, &symbol, sizeof symbol);
  }
}

bool csvg_is_available(csvg_message *message) {
  pthread_once(&loaded, load);
  *message = load_failure;
  return load_failure.text[0] == 0;
}

static bool fail(GError *error, csvg_message *message) {
  say(
    message, error != NULL && error->message != NULL ? error->message : "librsvg gives no reason");
  if (error != NULL) library.g_error_free(error);
  return false;
}

static bool render(
  const uint8_t *bytes, size_t count, int side, void *surface, csvg_message *message) {
  GError *error = NULL;
  void *handle = library.rsvg_handle_new_from_data(bytes, count, &error);
  if (handle == NULL) return fail(error, message);
  void *context = library.cairo_create(surface);
  library.cairo_set_source_rgb(context, 1, 1, 1);
  library.cairo_paint(context);
  const RsvgRectangle viewport = {0, 0, side, side};
  bool drawn = library.rsvg_handle_render_document(handle, context, &viewport, &error);
  if (!drawn) fail(error, message);
  library.cairo_destroy(context);
  library.g_object_unref(handle);
  return drawn;
}

// Copies the pixels, and finds those that are not white.
static void copy(const uint8_t *pixels, size_t stride, int side, uint8_t *rgb, csvg_box *ink) {
  csvg_box box = {side, side, 0, 0};
  for (int y = 0; y < side; y++) {
    for (int x = 0; x < side; x++) {
      uint32_t pixel;
      memcpy(&pixel, pixels + (size_t)y * stride + (size_t)x * 4, sizeof pixel);
      *rgb++ = (uint8_t)(pixel >> 16);
      *rgb++ = (uint8_t)(pixel >> 8);
      *rgb++ = (uint8_t)pixel;
      if ((pixel & 0xFFFFFF) == 0xFFFFFF) continue;
      if (x < box.left) box.left = x;
      if (x >= box.right) box.right = x + 1;
      if (y < box.top) box.top = y;
      if (y >= box.bottom) box.bottom = y + 1;
    }
  }
  if (box.right > 0) *ink = box;
}

bool csvg_draw(
  const uint8_t *bytes, size_t count, int side, uint8_t *rgb, csvg_box *ink,
  csvg_message *message) {
  message->text[0] = 0;
  *ink = (csvg_box){0, 0, 0, 0};
  if (!csvg_is_available(message)) return false;
  if (side < 1 || side > 4096 || count == 0) {
    say(message, "an empty file, or a size that is not drawn");
    return false;
  }
  void *surface = library.cairo_image_surface_create(CAIRO_FORMAT_RGB24, side, side);
  bool drawn = false;
  if (library.cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
    say(message, "there is no memory for the picture");
  } else {
    drawn = render(bytes, count, side, surface, message);
  }
  if (drawn) {
    library.cairo_surface_flush(surface);
    const uint8_t *pixels = library.cairo_image_surface_get_data(surface);
    const size_t stride = (size_t)library.cairo_image_surface_get_stride(surface);
    copy(pixels, stride, side, rgb, ink);
  }
  library.cairo_surface_destroy(surface);
  return drawn;
}
