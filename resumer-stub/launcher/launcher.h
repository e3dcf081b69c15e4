/*
 * The processes around a resumed tree, by their parts:
 *   launcher     what the user started: chooses the way, hands over the terminal, forwards signals, ends as the root ends
 *   relay        pid 1 of an own pid namespace: reaps orphans (private way only)
 *   fake parent  has the pid that the root's parent had: waits for the root and reports to the launcher
 * They share one table of descriptors (CLONE_FILES), so that one of them closes for all, and hold the marker by which a later
 * freeze recognises them. The root task gets a copy of the table, without what is theirs.
 */
#ifndef FRORE_LAUNCHER_H
#define FRORE_LAUNCHER_H

#include <asm/termbits.h>
#include <asm/termios.h>

#include "../resume.h"
#include "../text.h"

#define BIT(signo) (1ULL << ((signo)-1))
#define EVENT 0x10000U /* one step of the upper half of status->ready */
#define NS 1000000000LL

/* Content of the memfd "frore-helper". */
struct marker {
	char magic[8];
	uint32_t role; /* 0: any of the helpers of one resume */
	int32_t root;  /* pid of the root task as the launcher sees it, 0 unknown */
};

/* Where starting the root task can fail before anything of it exists. */
enum step {
	STEP_NONE,
	STEP_BUSY,	 /* error holds the id that is in use */
	STEP_TREE,	 /* only a single process can be given its ids by walking */
	STEP_NAMESPACES, /* clone with the namespace flags */
	STEP_MAPS,	 /* writing uid_map and gid_map */
	STEP_MOUNT,	 /* making the mounts private */
	STEP_SET_TID,	 /* clone3 with set_tid */
	STEP_FORK,
	STEP_WALK, /* the wanted pid did not come up in time */
	STEP_USER, /* this way cannot give the recorded user */
	STEP_IPC,  /* it has System V IPC objects, for which this way has no namespace */
};

#define WAYS 4

struct launch {
	struct resume *r;
	const struct frore_task *root;
	uint32_t root_row, task_count, thread_count;
	uint32_t awaited; /* tasks that must be ready before go */
	int32_t highest_id;
	int marker, event; /* descriptors: the marker, the eventfd that wakes the launcher */
	int pid;	   /* of the launcher */
	int child;	   /* the launcher's own child: relay or fake parent */
	uint32_t uid, gid; /* of the launcher */
	int foreign;	   /* the target was another user's and we are not root: only a user namespace can give that uid */
	int user_namespace; /* the way being tried makes one */
	int own_ipc;	    /* it has System V IPC objects: they come back in a namespace of their own */
	int sets_ids;	    /* the way being tried gives ids by set_tid */
	int new_session;    /* the root does not stay in the launcher's session */
	int leads_anyway;   /* the root leads its new session because that could not have its old id */
	uint64_t ignored;   /* signals that were ignored when we were started */
	struct {
		enum step step;
		int32_t error;
	} why[WAYS]; /* why each way was not possible */

	/* terminal.c */
	int tty; /* our terminal, or -1 */
	int job_control; /* it is our controlling terminal */
	int lazy_terminal; /* hand it over when the program asks for it */
	int handed;
	int32_t outer_group; /* the root's process group as we see it */
	int has_launcher_modes, has_target_modes;
	enum { REDRAW_NONE, REDRAW_DUE, REDRAW_SHAKEN } redraw; /* SHAKEN: the window is one row lower than it is */
	int draws; /* it handles SIGWINCH */
	struct winsize size;

	/* own-tty.c, attach.c */
	struct {
		int master, slave; /* the pty */
		int connected;	   /* terminal that shows it */
		int listening, client;
		int has_modes;
		struct termios2 modes; /* of the connected terminal before */
		int pending_length;    /* typed, but not taken by the pty yet */
		char pending[1024];
	} own;
	int announce; /* --detach: pipe to the process the user started, -1 otherwise */
	struct termios2 launcher_modes, target_modes;
};

/* own-tty.c: a terminal of the program's own. Descriptors are -1 where there is none. */
long own_tty_open(struct launch *l);
void own_tty_session(struct launch *l);
void own_tty_streams(struct launch *l);
void own_tty_connect(struct launch *l, int fd);
void own_tty_disconnect(struct launch *l);
void own_tty_resize(struct launch *l);
int own_tty_output(struct launch *l);
int own_tty_input(struct launch *l);
void own_tty_push(struct launch *l);
void own_tty_drain(struct launch *l);

/* take-down.c: ends a process and all its descendants. */
void take_down(int root);

/* attach.c */
void attach_listen(struct launch *l);
void attach_unlisten(struct launch *l);
void attach_accept(struct launch *l);
void attach_client(struct launch *l);
void attach_farewell(struct launch *l, int ended, int wait_status);

struct kernel_sigaction {
	uint64_t handler, flags, restorer, mask;
};

extern void stub_sigreturn(void) __attribute__((visibility("hidden")));

static inline long sys_kill(int pid, int signo)
{
	return sys2(__NR_kill, pid, signo);
}

static inline long sys_wait(int pid, int *status, int options)
{
	return sys4(__NR_wait4, pid, (long)status, options, 0);
}

static inline long sys_sigmask(int how, uint64_t mask)
{
	return sys4(__NR_rt_sigprocmask, how, (long)&mask, 0, 8);
}

static inline void status_event(struct resume *r)
{
	__atomic_fetch_add(&r->status->ready, EVENT, __ATOMIC_SEQ_CST);
	sys_futex(&r->status->ready, 1 /* FUTEX_WAKE */, 1, 0);
}

/* ways.c: starts the root task by `way`; -1 when that is not possible here, with the reason in l->why[way]. */
long way_start(struct launch *l, enum way way);
/* Is anything known beforehand that makes the way impossible? Fills l->why[way]. */
int way_hopeless(struct launch *l, enum way way);

/* remedy.c: the refusal when no way was possible. */
long remedy_refuse(struct launch *l);
void remedy_describe(struct text *t, struct launch *l, enum way way);

/* clone.c */
long clone_plain(uint64_t flags, int *pidfd);
/* clone3 with an id in the innermost pid namespace; -EPERM, -EEXIST, -ENOSYS where that is refused. */

/* namespaces.c: by the relay. */
long namespaces_enter(struct launch *l);
/* By the launcher, for its new child: 0 or -errno. */
long namespaces_write_maps(struct launch *l, int child);
/* 0, or -errno where there is nothing to detach. */
long detach_mounts(void);
/* devpts.c */
int devpts_needed(const struct launch *l);
void devpts_mount(struct launch *l);
void devpts_enter(struct launch *l);
/* clock.c: monotonic and boot time go on from the freeze, for the children made after this. */
void clock_continue(struct launch *l);
void clock_warn(struct launch *l);

/* family.c: the fake parent and the root task, by the relay or by the launcher; returns the pid of whoever is to be watched, or -1. */
_Noreturn void family_relay(struct launch *l);
_Noreturn void family_init(struct launch *l);
long family_start(struct launch *l);
void family_failed(struct launch *l, enum step step, long err);
/* helper.c */
void helper_prepare(struct launch *l, const char *name);
_Noreturn void helper_wait(struct launch *l, int watched, int root);

/* terminal.c */
const struct frore_tty *terminal_recorded(const struct launch *l); /* the one the program had, 0 none */
long terminal_find(struct launch *l);
void terminal_hand_over(struct launch *l);
void terminal_take_back(struct launch *l);
int terminal_is_ours(const struct launch *l);
/* To be called again after the milliseconds it returns, -1 when nothing is left to do. */
int terminal_redraw(struct launch *l);

/* start.c: 0 ready, 1 the way is not possible, -1 failed; unless ready, everything is torn down. */
long start_until_ready(struct launch *l);
void start_signals(struct launch *l);
void start_tear_down(struct launch *l);

/* jobs.c */
struct signalfd_siginfo;
void job_send(struct launch *l, int signo, void *info);
void job_forward(struct launch *l, const struct signalfd_siginfo *s);
void job_stopped(struct launch *l, int status);

/* supervise.c */
_Noreturn void supervise(struct launch *l);
_Noreturn void end_like(int wait_status);

/* reexec.c: executes the artefact once more when the target's stack limit or personality ask for another layout of memory. */
long reexec_if_needed(struct resume *r);

#endif
