/* Functions that the freezer calls through koffi; everything else stays hidden in the shared object. */
#ifndef FRORE_NATIVE_H
#define FRORE_NATIVE_H

#define EXPORT __attribute__((visibility("default")))

#endif
