// All that nccl.h wants of CUDA's headers.
#pragma once
#include <stddef.h>
typedef struct CUstream_st *cudaStream_t;
