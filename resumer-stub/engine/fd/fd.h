/* Descriptors: one file per kind, named like its counterpart in freezer/capture/fd. */
#ifndef FRORE_FD_H
#define FRORE_FD_H

#include "../../resume.h"

/* Opens every description of the task, in table order, above every wanted number, all O_CLOEXEC for the moment. */
long descriptors_open(struct resume *r, uint32_t task);
/* Moves descriptors into place and closes the rest, except those the engine still needs. */
long descriptors_place(struct resume *r, uint32_t task);
/* What must come last: registrations, timers, locks, owners. */
long descriptors_finish(struct resume *r, uint32_t task);

/* Removes the files that a resume has made so far; for every failure between descriptors_open() and descriptors_finish(). */
void descriptors_undo(struct resume *r, uint32_t task);

/* pty-session.c: a session gets its controlling terminal from its leader before that forks, and its foreground once groups exist. */
void pty_session(struct resume *r, const struct frore_task *t, uint32_t task);
void pty_foreground(struct resume *r, const struct frore_task *t, uint32_t task);

/* Descriptor of a content that is a memfd or a file; -1 for anonymous shared memory. Valid until contents_seal(). */
int content_fd(struct resume *r, uint32_t content);
/* The same for the target's own mappings of it: read-only where a seal will forbid writing. */
int content_map_fd(struct resume *r, uint32_t content);
/* The bytes are in: seals the memfds. */
long contents_seal(struct resume *r);

#endif
