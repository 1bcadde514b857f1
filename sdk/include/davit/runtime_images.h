/* davit.runtime.images/1: from a runtime that runs images (DAVIT_ARTIFACT_IMAGE) besides slugs. Provided
 * beside davit.runtime/1; a builder that makes images asks davit.host.registry/1 who provides it, and does
 * not build for an app whose runtime does not. */
#ifndef DAVIT_RUNTIME_IMAGES_H
#define DAVIT_RUNTIME_IMAGES_H

#include "davit/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DAVIT_RUNTIME_IMAGES_ID "davit.runtime.images/1"

/* OPEN table. Images come to the runtime through davit.runtime/1: apply, run_task and exec take an artifact
 * of kind image. With an empty argv the image's own command runs; what is in argv stands behind the image's
 * entrypoint. */
typedef struct davit_runtime_images {
  uint32_t struct_size;
  uint32_t reserved;
} davit_runtime_images;

#ifdef __cplusplus
}
#endif
#endif
