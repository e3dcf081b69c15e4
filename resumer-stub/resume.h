/*
 * What the parts of the stub share: the opened artefact, the options, the way the pids are given back, and the status page
 * through which the processes of one resume speak to each other.
 */
#ifndef FRORE_RESUME_H
#define FRORE_RESUME_H

#include <stdint.h>

#include "gen/frore_format.h"
#include "sys.h"

#define PAGE 4096ULL
#define PAGE_UP(x) (((uint64_t)(x) + PAGE - 1) & ~(PAGE - 1))
#define EXIT_OWN_FAILURE 125

/* The artefact, read and bounded: every pointer below lies in one private mapping at `base`. */
struct artefact {
	int fd; /* opened O_RDONLY|O_CLOEXEC on our own file */
	uint32_t pad0;
	uint64_t file_size;
	uint8_t *base; /* mapping that holds HEAD and INDEX, page aligned, movable as a whole */
	uint64_t base_length;
	struct frore_trailer trailer;
	struct frore_preamble preamble;
	const struct frore_head *head;
	const struct frore_directory *directory;
	const uint8_t *blob;
	uint64_t blob_length;
	const struct frore_group *groups;
	uint64_t group_count;
	const struct frore_frame *frames;
	uint64_t frame_count;
	const struct frore_run *runs;
	uint64_t run_count;
};

/* Rows of table `id`; *count is 0 when it is empty. */
const void *artefact_table(const struct artefact *a, uint32_t id, uint64_t *count);
/* NUL-terminated text of a str field. */
const char *artefact_text(const struct artefact *a, struct frore_ref ref);
/* Bytes of a bytes field (ref.length of them, 8-byte aligned). */
const void *artefact_bytes(const struct artefact *a, struct frore_ref ref);

enum pid_mode { PID_AUTO, PID_HOST, PID_PRIVATE, PID_RENUMBER };

/* How the pids are given back; chosen by the launcher. */
enum way { WAY_HOST, WAY_PRIVATE, WAY_WALK, WAY_RENUMBER };

struct options {
	enum pid_mode pid;
	int verbose, force, own_tty, detach, lazy, json;
	enum { SHOW_NOTHING, SHOW_INSPECT, SHOW_CHECK, SHOW_HELP, SHOW_VERSION } show;
	int attach;	/* --attach: connect to a detached supervisor */
	int attach_pid; /* its pid, 0: the only one */
	int argc;
	char **argv; /* for the repeatable ones: --fd N=WHAT, --map OLD=NEW, --external WHAT */
	char **envp;
};

/* What the launcher's own processes tell each other; the engine leaves it alone. */
struct family {
	uint32_t maps;	      /* futex: 1 the id maps are written, 2 they could not be */
	uint32_t launched;    /* 1: the root task exists */
	uint32_t step;	      /* enum step (launcher.h) that failed before that */
	int32_t error;	      /* and why, as a positive errno */
	int32_t pid;	      /* of the root task as its parent sees it */
	int32_t parent;	      /* pid of the fake parent when a session leader made it */
	uint32_t root_reaped; /* 1: wait_status is set, and told as soon as `ended` is */
	int32_t pidfd;	      /* of the root task, in the table that launcher, relay and fake parent share */
	uint32_t own_clock;   /* 1: monotonic and boot time go on from the freeze */
	uint32_t interrupted; /* signal that came to the launcher before go */
	uint32_t ended;	      /* 1: wait_status is the end of the root task */
	int32_t wait_status;
	uint32_t stopped; /* 1: stop_status is news */
	int32_t stop_status;
};

#define READY_MASK 0xffffU /* the lower half of status->ready: how many tasks are */

/* Shared by all processes of one resume (MAP_SHARED|MAP_ANONYMOUS). */
struct status {
	uint32_t phase; /* enum phase, futex */
	uint32_t go;	/* futex: 0 wait, 1 resume, 2 give up */
	int32_t root_outer_pid;
	uint32_t failed;	 /* 1 when `message` says why */
	uint32_t ready;		 /* futex: low half tasks that are ready, high half counts what else the launcher has to look at */
	uint32_t warning_length; /* bytes of `warnings` */
	uint32_t message_taken;	 /* 1 as soon as somebody writes `message` */
	uint32_t pid_taken;	 /* 1 when the failure is an id in use: the launcher may try another way */
	uint32_t arrived[5];	 /* how many tasks have come to each meeting point, enum meeting */
	uint32_t open[5];	 /* futexes: 1 when all have */
	struct family family;
	char message[1024];	 /* one line without "frore: " and newline */
	char warnings[8192];	 /* newline-terminated lines without "frore: warning: " */
};

enum phase { PHASE_STARTING, PHASE_FAILED, PHASE_READY };

struct resume {
	struct artefact artefact;
	struct options options;
	enum way way;
	int own_user_namespace; /* capabilities are to be dropped before the target runs */
	int own_devpts;		/* all numbers of /dev/pts are free */
	int own_time_namespace; /* monotonic and boot time go on from the freeze */
	int terminal_fd;	/* the launcher's terminal for the target, or -1 (O_CLOEXEC, number high) */
	char **argv;		/* as we were executed */
	const char *exec_path;	/* AT_EXECFN: how we were executed, for where /proc is missing */
	int proc_fd;		/* /proc of the target's pid namespace, or -1 */
	uint64_t content_base;	/* where contents are staged in every task until it has mapped them */
	uint64_t content_span;
	uint64_t window_base;	/* in it, where what relatives share is staged */
	int dry_run;		/* --check: the root task ends as soon as it exists */
	int check_reasons;	/* --check: reasons found against a resume */
	struct status *status;
};

/*
 * Fails the resume: one line "<what> <thing>: <error text>; <hint>" into the status page. err is a positive errno, 0 leaves it out;
 * thing and hint may be NULL. Returns -1, so that callers can `return refuse(...)`.
 */
long refuse(struct resume *r, const char *what, const char *thing, long err, const char *hint);
/* The same shape as a warning: the target is resumed all the same. */
void warn(struct resume *r, const char *what, const char *thing, long err, const char *hint);

/*
 * engine/: turns the calling process (already at its pid when r->way gives pids back, all signals blocked, in its namespaces, holding
 * fds 0-2 of the launcher, r->artefact.fd, r->terminal_fd) into task `task`: never returns on success. On failure the status page
 * says why and the process ends with EXIT_OWN_FAILURE. It announces readiness by status->ready++ and futex wake,
 * then waits for status->go.
 */
_Noreturn void engine_resume(struct resume *r, uint32_t task);

/* One line "frore: <kind><line>" on standard error. */
void say(const char *kind, const char *line, size_t length);

/* launcher/: starts the processes, waits for readiness, gives go, supervises; returns the exit code or dies by the same signal. */
int launcher_run(struct resume *r);
/* launcher/walk.c: lets ids pass by until the next one is `wanted`; 0, or -1 when it does not come up in time. */
long walk_to(int32_t wanted);
/* launcher/clone.c: a new process with this id; its end is told by SIGCHLD. */
long clone_with_id(uint64_t flags, int32_t id, int *pidfd);
/* Everything up to the root task's existence, for --check. Returns the way, or -1 with the reason in the status page. */
int launcher_probe(struct resume *r);

/* inspect/: what the artefact tells about itself without resuming anything; they return the exit code. */
int inspect_run(struct resume *r);
int check_run(struct resume *r);
int version_run(struct resume *r);
int help_run(const char *name);

/* launcher/attach.c: connects this terminal to a detached supervisor; returns the exit code. */
int attach_run(struct resume *r);

/* main.c: the one writable global, for signal handlers. */
extern struct resume stub_resume __attribute__((visibility("hidden")));

#endif
