// A stand-in for NVIDIA's libnccl.so.2 on machines without a GPU, built by the tests: the functions
// that nifty calls, with nccl.h's signatures and codes, over host memory that the ranks share.
// Ranks may be threads or processes. As in NCCL, a call waits for all ranks, and ncclCommAbort from
// another thread ends it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

enum { success = 0, systemError = 2, invalidArgument = 4, invalidUsage = 5, remoteError = 6 };
enum { ranksAtMost = 8, chunk = 1 << 20 };

typedef struct {
  char internal[128];
} ncclUniqueId;

// What the ranks of a communicator share.
typedef struct {
  atomic_int arrived;
  atomic_int generation;
  atomic_int aborted;
  char data[ranksAtMost][chunk];
} Shared;

typedef struct ncclComm {
  Shared *shared;
  int count, rank;
  atomic_int isAborted;
} * ncclComm_t;

static _Thread_local char lastError[256];

const char *ncclGetErrorString(int result) {
  switch (result) {
    case success: return "no error";
    case systemError: return "unhandled system error";
    case invalidArgument: return "invalid argument";
    case invalidUsage: return "invalid usage";
    case remoteError: return "remote process exited or there was a network error";
    default: return "unknown result code";
  }
}

const char *ncclGetLastError(ncclComm_t comm) { return lastError; }

int ncclGetUniqueId(ncclUniqueId *id) {
  memset(id, 0, sizeof *id);
  uint64_t number;
  if (getrandom(&number, sizeof number, 0) != sizeof number) return systemError;
  snprintf(id->internal, sizeof id->internal, "/nccl-stand-in-%016llx", (unsigned long long)number);
  int file = shm_open(id->internal, O_CREAT | O_EXCL | O_RDWR, 0600);
  if (file < 0 || ftruncate(file, sizeof(Shared)) != 0) return systemError;
  close(file);
  return success;
}

// Waits for all ranks.
static int meet(ncclComm_t comm) {
  Shared *shared = comm->shared;
  int generation = atomic_load(&shared->generation);
  if (atomic_fetch_add(&shared->arrived, 1) + 1 == comm->count) {
    atomic_store(&shared->arrived, 0);
    atomic_fetch_add(&shared->generation, 1);
    return success;
  }
  while (atomic_load(&shared->generation) == generation) {
    if (atomic_load(&comm->isAborted)) return invalidUsage;
    usleep(20);
  }
  return success;
}

int ncclCommInitRank(ncclComm_t *result, int count, ncclUniqueId id, int rank) {
  *lastError = 0;
  if (count < 1 || count > ranksAtMost || rank < 0 || rank >= count) return invalidArgument;
  int file = shm_open(id.internal, O_RDWR, 0600);
  if (file < 0) {
    snprintf(lastError, sizeof lastError, "no communicator %.100s", id.internal);
    return systemError;
  }
  void *memory = mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) return systemError;
  ncclComm_t comm = calloc(1, sizeof *comm);
  comm->shared = memory;
  comm->count = count;
  comm->rank = rank;
  int met = meet(comm);
  if (rank == 0) shm_unlink(id.internal);
  *result = comm;
  return met;
}

// Freed only by its process's end: another thread may still be leaving a call.
int ncclCommAbort(ncclComm_t comm) {
  atomic_store(&comm->isAborted, 1);
  atomic_store(&comm->shared->aborted, 1);
  return success;
}

int ncclCommDestroy(ncclComm_t comm) {
  munmap(comm->shared, sizeof(Shared));
  free(comm);
  return success;
}

int ncclCommGetAsyncError(ncclComm_t comm, int *result) {
  *result = atomic_load(&comm->shared->aborted) ? remoteError : success;
  return success;
}

static size_t bytesOf(int type) {
  switch (type) {
    case 1: return 1;  // ncclUint8
    case 2:
    case 7: return 4;  // ncclInt32, ncclFloat32
    case 4:
    case 8: return 8;  // ncclInt64, ncclFloat64
    case 6:
    case 9: return 2;  // ncclFloat16, ncclBfloat16
    default: return 0;
  }
}

// Shows all ranks a part of each one's buffer at a time.
static int exchange(
  ncclComm_t comm, const char *own, size_t bytes,
  void (*take)(ncclComm_t, size_t start, size_t bytes, void *), void *context) {
  for (size_t start = 0; start < bytes; start += chunk) {
    size_t length = bytes - start < chunk ? bytes - start : chunk;
    memcpy(comm->shared->data[comm->rank], own + start, length);
    int status = meet(comm);
    if (status != success) return status;
    take(comm, start, length, context);
    status = meet(comm);
    if (status != success) return status;
  }
  return success;
}

typedef struct {
  char *to;
  int type, root;
  size_t all;
} Target;

static void sum(ncclComm_t comm, size_t start, size_t bytes, void *context) {
  Target *target = context;
  for (size_t offset = 0; offset < bytes; offset += bytesOf(target->type)) {
    double total = 0;
    int64_t integer = 0;
    for (int rank = 0; rank < comm->count; rank++) {
      const void *from = comm->shared->data[rank] + offset;
      switch (target->type) {
        case 7: total += *(const float *)from; break;
        case 8: total += *(const double *)from; break;
        case 4: integer += *(const int64_t *)from; break;
      }
    }
    void *to = target->to + start + offset;
    switch (target->type) {
      case 7: *(float *)to = (float)total; break;
      case 8: *(double *)to = total; break;
      case 4: *(int64_t *)to = integer; break;
    }
  }
}

static void copyRoot(ncclComm_t comm, size_t start, size_t bytes, void *context) {
  Target *target = context;
  memcpy(target->to + start, comm->shared->data[target->root], bytes);
}

static void copyAll(ncclComm_t comm, size_t start, size_t bytes, void *context) {
  Target *target = context;
  for (int rank = 0; rank < comm->count; rank++)
    memcpy(target->to + (size_t)rank * target->all + start, comm->shared->data[rank], bytes);
}

int ncclAllReduce(
  const void *from, void *to, size_t count, int type, int operation, ncclComm_t comm,
  void *stream) {
  *lastError = 0;
  if (operation != 0 || (type != 4 && type != 7 && type != 8)) {
    snprintf(lastError, sizeof lastError, "the stand-in does not sum type %d", type);
    return invalidArgument;
  }
  Target target = {to, type, 0, 0};
  return exchange(comm, from, count * bytesOf(type), sum, &target);
}

int ncclBroadcast(
  const void *from, void *to, size_t count, int type, int root, ncclComm_t comm, void *stream) {
  *lastError = 0;
  if (root < 0 || root >= comm->count || !bytesOf(type)) return invalidArgument;
  Target target = {to, type, root, 0};
  return exchange(comm, from, count * bytesOf(type), copyRoot, &target);
}

int ncclAllGather(
  const void *from, void *to, size_t count, int type, ncclComm_t comm, void *stream) {
  *lastError = 0;
  if (!bytesOf(type)) return invalidArgument;
  Target target = {to, type, 0, count * bytesOf(type)};
  return exchange(comm, from, count * bytesOf(type), copyAll, &target);
}
