/* Functions that the freezer calls through koffi; everything else stays hidden in the shared object. */
#ifndef FRORE_NATIVE_H
#define FRORE_NATIVE_H

#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

/* unstick.c: from now on the thread is reaped if it ends while others are being seized. */
void unstick_add(int32_t tid);

#endif
