/* davit C ABI: the types that every other header is made of.
 *
 * Rules (docs/adr/0001-plugin-abi.md has the reasons):
 *  - C11, also valid C++17. No enum, bool, bit-field, long, time_t, FILE, va_list or errno crosses the
 * boundary.
 *  - FROZEN structs never change. OPEN structs begin with struct_size, set by whoever fills them; a reader
 * tests a field with DAVIT_HAS before it touches it; fields are only appended; they travel by pointer, or in
 * a davit_list, which carries the stride of whoever wrote it.
 *  - Text is UTF-8 unless said otherwise; it is not NUL-terminated. Times are milliseconds: *_unix_ms since
 * 1970,
 *    *_mono_ms of the host's monotonic clock. Sizes are bytes.
 *  - Memory: inputs are borrowed for the duration of the call. Results of variable length go to the caller's
 * sink. Nobody frees another side's memory.
 *  - Nothing unwinds across the boundary: no C++ exception, no longjmp.
 *  - Thread tags, on every function: [call] only on the thread, and during the call, that the davit_call was
 * given for; [any] any thread between start() and stop(); [pure] any thread at any time, no side effect.
 */
#ifndef DAVIT_ABI_H
#define DAVIT_ABI_H

#include <stddef.h>
#include <stdint.h>

#define DAVIT_ABI_MAJOR 1u
#define DAVIT_ABI_MINOR 0u

#ifdef __cplusplus
extern "C" {
#endif

/* Result of a call. 0 is success; anything else, also a value unknown to the reader, is failure. */
typedef int32_t davit_status;
#define DAVIT_OK 0
#define DAVIT_INVALID 1      /* bad input: the user can mend it */
#define DAVIT_NOT_FOUND 2    /* what was named does not exist */
#define DAVIT_CONFLICT 3     /* exists already, is locked, or another operation runs */
#define DAVIT_DENIED 4       /* not allowed; also a gate's veto */
#define DAVIT_FAILED 5       /* the user's code or data failed: a build, a check */
#define DAVIT_UNAVAILABLE 6  /* a part that is needed does not answer */
#define DAVIT_TIMEOUT 7      /* a deadline passed */
#define DAVIT_CANCELLED 8    /* the cancel token of the call was set */
#define DAVIT_INTERNAL 9     /* a mistake in the code that answers */
#define DAVIT_UNSUPPORTED 10 /* the function or field exists, but not here */

/* FROZEN. Borrowed bytes. data may be NULL when size is 0. */
typedef struct davit_str {
  const char* data;
  uint64_t size;
} davit_str;

/* FROZEN. Borrowed arrays of frozen structs. */
typedef struct davit_strs {
  const davit_str* data;
  uint64_t size; /* elements */
} davit_strs;

typedef struct davit_kv {
  davit_str key;
  davit_str value;
} davit_kv;

typedef struct davit_kvs {
  const davit_kv* data;
  uint64_t size; /* elements */
} davit_kvs;

/* FROZEN. Borrowed array of OPEN structs; element i starts at (const char *)data + i * stride. */
typedef struct davit_list {
  const void* data;
  uint64_t size;   /* elements */
  uint64_t stride; /* bytes from one element to the next, as the writer's compiler laid them out */
} davit_list;

/* FROZEN. Where a result of variable length goes. write may be called any number of times; chunks add up.
 * A status other than DAVIT_OK means: stop writing, return that status. */
typedef struct davit_sink {
  void* sink_data;
  davit_status (*write)(void* sink_data, davit_str chunk); /* [call] */
} davit_sink;

/* FROZEN. Like davit_sink, one whole item a call. */
typedef struct davit_str_sink {
  void* sink_data;
  davit_status (*put)(void* sink_data, davit_str item); /* [call] */
} davit_str_sink;

typedef struct davit_kv_sink {
  void* sink_data;
  davit_status (*put)(void* sink_data, davit_str key, davit_str value); /* [call] */
} davit_kv_sink;

/* FROZEN. Something leased from the host until it is given back by its id. */
typedef struct davit_lease {
  uint64_t id;
  uint64_t value; /* what was leased, e.g. a TCP port */
} davit_lease;

/* FROZEN. A text map that a filter event lets its handlers edit. Keys are unique. */
typedef struct davit_map {
  void* map_data;
  davit_status (*get)(void* map_data, davit_str key,
                      const davit_sink* value);                        /* [call] NOT_FOUND when absent */
  davit_status (*set)(void* map_data, davit_str key, davit_str value); /* [call] */
  davit_status (*unset)(void* map_data, davit_str key);                /* [call] absent is OK */
  davit_status (*each)(void* map_data, const davit_kv_sink* sink);     /* [call] sorted by key */
} davit_map;

/* Does the struct that `pointer` points to, as its writer knew it, have `field`? */
#define DAVIT_HAS(pointer, type, field) \
  ((pointer)->struct_size >= offsetof(type, field) + sizeof((pointer)->field))

/* Element `index` of a davit_list of `type`. */
#define DAVIT_AT(list, type, index) \
  ((const type*)(const void*)((const char*)(list).data + (uint64_t)(index) * (list).stride))

#ifdef __cplusplus
}
#endif
#endif
