/* The size of every struct of the ABI and the offset and size of every field stand as recorded
 * (sdk/abi/layout.inc). Compiled as C and as C++ (layout_test.cpp); that it compiles is the test. An OPEN
 * struct may have grown: its size is a minimum. */
#include "davit/builder.h"
#include "davit/commands.h"
#include "davit/hooks.h"
#include "davit/host.h"
#include "davit/note.h"
#include "davit/proxy.h"
#include "davit/runtime.h"
#include "davit/runtime_images.h"
#include "davit/service.h"

#ifdef __cplusplus
#define DAVIT_ASSERT static_assert
#else
#define DAVIT_ASSERT _Static_assert
#endif
#define DAVIT_SIZE(type, bytes) DAVIT_ASSERT(sizeof(struct type) >= (bytes), #type " has shrunk");
#define DAVIT_FIELD(type, field, offset, bytes)                                          \
  DAVIT_ASSERT(offsetof(struct type, field) == (offset), #type "." #field " has moved"); \
  DAVIT_ASSERT(sizeof(((struct type*)0)->field) == (bytes), #type "." #field " has another size");
#include "../../sdk/abi/layout.inc"
