// The whole boundary between Swift and libtorch, as plain C.
//
// Ownership: a CTTensor* is one owned reference to a c10::TensorImpl. Functions that return or fill
// in a CTTensor* give ownership (+1) to the caller; arguments are borrowed. NULL stands for "no
// tensor". Errors: functions that can fail return 0 on success and non-zero on failure; ct_error()
// then gives the message of this thread's last failure. No C++ exception ever leaves this library.
// Threads: a handle may be released on any thread; a CTCall belongs to the thread that began it.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define CT_NOEXCEPT noexcept
extern "C" {
#else
#define CT_NOEXCEPT
#endif

typedef struct CTTensor CTTensor;
typedef struct CTOp CTOp;
typedef struct CTCall CTCall;
typedef struct CTGenerator CTGenerator;
typedef struct CTScript CTScript;

/// The message of this thread's last failure; valid until the next one.
const char *ct_error(void) CT_NOEXCEPT;

// ---- operators
// ----------------------------------------------------------------------------------- Every
// operator of the dispatcher is reached in the same way: find, begin, push each argument in the
// order of the schema, call. Arguments that are not pushed take the schema's defaults.

/// Finds "aten::add.Tensor" (name and overload). Lives for ever; NULL if there is none.
const CTOp *ct_op_find(const char *qualified_name) CT_NOEXCEPT;
/// The operator's schema as text; lives for ever.
const char *ct_op_schema(const CTOp *op) CT_NOEXCEPT;
/// Begins a call. One call at a time per thread; ct_call or ct_call_list ends it.
CTCall *ct_call_begin(const CTOp *op) CT_NOEXCEPT;
void ct_push_tensor(CTCall *call, CTTensor *value) CT_NOEXCEPT;
void ct_push_int(CTCall *call, int64_t value) CT_NOEXCEPT;
void ct_push_double(CTCall *call, double value) CT_NOEXCEPT;
void ct_push_bool(CTCall *call, bool value) CT_NOEXCEPT;
void ct_push_none(CTCall *call) CT_NOEXCEPT;
void ct_push_string(CTCall *call, const char *value) CT_NOEXCEPT;
void ct_push_device(CTCall *call, int32_t type, int32_t index) CT_NOEXCEPT;
void ct_push_generator(CTCall *call, CTGenerator *value) CT_NOEXCEPT;
void ct_push_ints(CTCall *call, const int64_t *values, size_t count) CT_NOEXCEPT;
void ct_push_doubles(CTCall *call, const double *values, size_t count) CT_NOEXCEPT;
void ct_push_tensors(CTCall *call, CTTensor *const *values, size_t count) CT_NOEXCEPT;
/// Runs the call. Tensor results are written to `results` (lists are flattened); at most
/// `capacity`. Returns the number of results, or -1.
int32_t ct_call(CTCall *call, CTTensor **results, int32_t capacity) CT_NOEXCEPT;

// ---- tensors
// -------------------------------------------------------------------------------------

void ct_release(CTTensor *tensor) CT_NOEXCEPT;
/// Number of handles alive in the process: a leak check.
int64_t ct_live_handles(void) CT_NOEXCEPT;
/// Copies `bytes` bytes, row-major, of the given c10::ScalarType into a new CPU tensor.
int32_t ct_from_bytes(
  const void *data, size_t bytes, const int64_t *sizes, int32_t dimensions, int32_t dtype,
  CTTensor **result) CT_NOEXCEPT;
/// Copies the tensor, row-major, converted to `dtype`, to host memory of exactly `bytes` bytes.
int32_t ct_to_bytes(CTTensor *tensor, int32_t dtype, void *data, size_t bytes) CT_NOEXCEPT;
/// The elements where they are, if they lie in host memory in row-major order; NULL if not. Valid
/// while the handle lives and nothing gives the tensor other memory.
const void *ct_row_major_data(CTTensor *tensor) CT_NOEXCEPT;
/// Turns a leaf into one of libtorch's device `meta`, in place: `aten::set_data` refuses that
/// device.
int32_t ct_move_to_meta(CTTensor *tensor) CT_NOEXCEPT;
int32_t ct_dimensions(CTTensor *tensor) CT_NOEXCEPT;
int64_t ct_size(CTTensor *tensor, int32_t dimension) CT_NOEXCEPT;
int64_t ct_count(CTTensor *tensor) CT_NOEXCEPT;
/// Elements of memory from one index of a dimension to the next.
int64_t ct_stride(CTTensor *tensor, int32_t dimension) CT_NOEXCEPT;
/// Whether libtorch takes the four dimensions for [N, H, W, C] in memory.
bool ct_is_channels_last(CTTensor *tensor) CT_NOEXCEPT;
int32_t ct_dtype(CTTensor *tensor) CT_NOEXCEPT;
void ct_device(CTTensor *tensor, int32_t *type, int32_t *index) CT_NOEXCEPT;
/// The one element of a tensor as double.
int32_t ct_item(CTTensor *tensor, double *value) CT_NOEXCEPT;

// ---- automatic differentiation
// -------------------------------------------------------------------

bool ct_requires_grad(CTTensor *tensor) CT_NOEXCEPT;
int32_t ct_set_requires_grad(CTTensor *tensor, bool value) CT_NOEXCEPT;
/// Turns gradient recording of this thread on or off; returns what it was.
bool ct_set_grad_enabled(bool enabled) CT_NOEXCEPT;
/// Vector-Jacobian products of `outputs` (weighted by `weights`, NULL entries mean ones) with
/// respect to `inputs`. An input that does not take part gives NULL if `allow_unused`, else an
/// error.
int32_t ct_grad(
  CTTensor *const *outputs, CTTensor *const *weights, size_t output_count, CTTensor *const *inputs,
  size_t input_count, bool retain_graph, bool create_graph, bool allow_unused,
  CTTensor **gradients) CT_NOEXCEPT;

// ---- random numbers
// ------------------------------------------------------------------------------

/// A CPU generator (MT19937) that starts at `seed`.
CTGenerator *ct_generator_create(uint64_t seed) CT_NOEXCEPT;
void ct_generator_free(CTGenerator *generator) CT_NOEXCEPT;

// ---- several processes
// --------------------------------------------------------------------------- A group is used by
// one thread at a time. A call fails when another rank is gone or does not answer within the
// group's timeout.

typedef struct CTGroup CTGroup;

/// Joins the group of `count` processes that meet at rank 0's host and port; waits for all of them.
int32_t ct_group_join(
  const char *host, uint16_t port, int32_t rank, int32_t count, double timeout_seconds,
  CTGroup **result) CT_NOEXCEPT;
void ct_group_leave(CTGroup *group) CT_NOEXCEPT;
/// Closes the connections to the other ranks, whose calls fail then; texts can still be left and
/// read.
void ct_group_hang_up(CTGroup *group) CT_NOEXCEPT;
/// Lets NCCL carry the tensors of a device from now on; called by all ranks, and fails on all of
/// them if one cannot. `library` is the file or soname of libnccl. What NCCL is given is only
/// enqueued: `ct_group_check` tells of failures that came later.
int32_t ct_group_use_nccl(CTGroup *group, const char *library, int32_t type, int32_t index)
  CT_NOEXCEPT;
/// Whether NCCL carries tensors that are where this one is.
bool ct_group_uses_nccl(CTGroup *group, CTTensor *tensor) CT_NOEXCEPT;
/// Fails if something that was enqueued failed or was not done in time.
int32_t ct_group_check(CTGroup *group) CT_NOEXCEPT;
/// Replaces a contiguous tensor by its sum over all ranks.
int32_t ct_group_sum(CTGroup *group, CTTensor *tensor) CT_NOEXCEPT;
/// Replaces a contiguous tensor by that of rank `root`.
int32_t ct_group_broadcast(CTGroup *group, CTTensor *tensor, int32_t root) CT_NOEXCEPT;
/// Fills `results` with the tensors of all ranks in order; all must be of one shape and type.
int32_t ct_group_gather(CTGroup *group, CTTensor *tensor, CTTensor **results) CT_NOEXCEPT;
/// Leaves a text for the other ranks under a key.
int32_t ct_group_publish(CTGroup *group, const char *key, const char *text) CT_NOEXCEPT;
/// The text under a key, cut to the capacity: 1 if there is one, 0 if not, -1 on failure.
int32_t ct_group_published(CTGroup *group, const char *key, char *text, size_t capacity)
  CT_NOEXCEPT;

// ---- gradients on their way
// ----------------------------------------------------------------------

/// Gradients of some tensors, summed over a group while the rest of them is still being computed.
typedef struct CTExchange CTExchange;

/// Prepares the exchange of leaf tensors' gradients, one bucket after the other: tensor i belongs
/// to `buckets[i]`, and no bucket is empty. A tensor that requires no gradient is averaged itself.
/// The group must outlive the exchange. NULL on failure.
CTExchange *ct_exchange_create(
  CTGroup *group, CTTensor *const *tensors, const int32_t *buckets, size_t count,
  int32_t bucket_count) CT_NOEXCEPT;
void ct_exchange_free(CTExchange *exchange) CT_NOEXCEPT;
/// Computes the gradients of a scalar, adds `within` and `before` (NULL adds nothing), divides by
/// `rounds`, and begins to sum each bucket over the group once it and those before it are complete;
/// none if this rank `is_cut_off` from the others, which `ct_exchange_finish` gives as its failure.
int32_t ct_exchange_grad(
  CTExchange *exchange, CTTensor *output, CTTensor *const *within, CTTensor *const *before,
  double rounds, bool is_cut_off) CT_NOEXCEPT;
/// How many buckets of the last pass were begun before all of its gradients had come.
int32_t ct_exchange_early(CTExchange *exchange) CT_NOEXCEPT;
/// Waits for all buckets. Fills `results` with the means over the group; if it fails, as when
/// another rank is gone, with this rank's own values.
int32_t ct_exchange_finish(CTExchange *exchange, CTTensor **results) CT_NOEXCEPT;

// ---- TorchScript modules
// --------------------------------------------------------------------------- A module is a
// program: loading and calling it runs what its author wrote, in libtorch's language.

/// Loads a module from the bytes of its file, onto the CPU, in evaluation mode; NULL on failure.
CTScript *ct_script_load(const void *bytes, size_t count) CT_NOEXCEPT;
void ct_script_free(CTScript *script) CT_NOEXCEPT;
/// Moves parameters and buffers to a device.
int32_t ct_script_move(CTScript *script, int32_t type, int32_t index) CT_NOEXCEPT;
/// Whether `forward` has an argument of that name.
bool ct_script_takes(CTScript *script, const char *argument) CT_NOEXCEPT;
/// Calls `forward` with one tensor and flags by name; NULL unless it gives one tensor.
CTTensor *ct_script_forward(
  CTScript *script, CTTensor *input, const char *const *names, const bool *values,
  size_t count) CT_NOEXCEPT;

// ---- the process
// ---------------------------------------------------------------------------------

void ct_set_threads(int32_t count) CT_NOEXCEPT;
int32_t ct_threads(void) CT_NOEXCEPT;
/// Tells the C library to keep freed memory in the process.
void ct_keep_freed_memory(void) CT_NOEXCEPT;

/// Sets whether convolutions may take Winograd's algorithm; they may at the start.
void ct_set_winograd(int32_t allowed) CT_NOEXCEPT;
/// Whether this processor has that algorithm.
int32_t ct_has_winograd(void) CT_NOEXCEPT;
/// Begins or ends a time in which this thread's convolutions are direct, whatever is set.
void ct_direct_convolutions(int32_t begins) CT_NOEXCEPT;
/// Sets whether cuDNN tries its algorithms, and whether float32 may be computed in TF32.
void ct_set_cuda(int32_t benchmark, int32_t tf32) CT_NOEXCEPT;
/// Loads the CUDA library if the wheel has one, and counts devices; 0 without CUDA.
int32_t ct_cuda_devices(void) CT_NOEXCEPT;
/// The most bytes that tensors on an accelerator have taken at once; 0 without one.
int64_t ct_device_peak_bytes(int32_t index) CT_NOEXCEPT;
/// Begins a new measurement of `ct_device_peak_bytes`.
void ct_device_reset_peak(int32_t index) CT_NOEXCEPT;

typedef struct CTEvent CTEvent;
/// A moment in the work that an accelerator has been given so far; NULL without one.
CTEvent *ct_event_record(int32_t index) CT_NOEXCEPT;
void ct_event_free(CTEvent *event) CT_NOEXCEPT;
/// Waits until the accelerator has come to `to`; nanoseconds since it was at `from`, -1 on failure.
int64_t ct_event_nanoseconds(CTEvent *from, CTEvent *to) CT_NOEXCEPT;

/// Told of an operator's call: its name, its thread, start and duration in nanoseconds of the
/// monotonic clock.
typedef void (*CTTraceVisitor)(
  void *context, const char *name, uint64_t thread, int64_t start, int64_t duration);
/// Begins to note every operator's call in the process.
int32_t ct_trace_begin(void) CT_NOEXCEPT;
/// Ends that; visits the calls in the order in which they ended.
int32_t ct_trace_end(CTTraceVisitor visit, void *context) CT_NOEXCEPT;

/// libtorch's version.
const char *ct_version(void) CT_NOEXCEPT;

#ifdef __cplusplus
}
#endif
