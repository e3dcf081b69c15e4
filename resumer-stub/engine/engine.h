/*
 * The restore engine. One process becomes one task of the snapshot: engine.c tells the story, the other files do one kind of
 * kernel thing each and are named like their counterpart in freezer/capture.
 */
#ifndef FRORE_ENGINE_H
#define FRORE_ENGINE_H

#include "../resume.h"
#include "../text.h"

#define ROWS(artefact, TABLE, count) artefact_table(artefact, FRORE_TABLE_##TABLE, count)

/* Where the image of this stub begins and ends (linker script). */
extern const uint8_t frore_image_start[], frore_image_end[];

/* One stretch of the working area. */
struct piece {
	uint64_t start, length;
};

/*
 * The working area: one hole that is free in our own address space and in the target's. Everything the engine still needs after
 * the rest of memory is gone lies in it; only `mark` and `resident` stay when the target runs.
 */
struct area {
	struct piece all;
	struct piece mark;     /* --lazy: tells a later freeze which file is mapped; stays, below `resident` */
	struct piece resident; /* final code, signal frames; stays mapped */
	struct piece image;    /* copy of the stub */
	struct piece engine;   /* struct engine */
	struct piece stacks;   /* one for the engine, then one per thread */
	struct piece workers;  /* stack and decoding workspace per fill worker */
	struct piece vma_state;
	struct piece lazy; /* --lazy: what is mapped from the file */
	struct piece artefact;
	struct piece status;
	struct piece vdso;    /* where vdso and vvar are parked */
};

/* vdso and vvar of the running kernel. */
struct vdso {
	uint64_t start, size;	   /* [vdso]; 0 when there is none to move */
	uint64_t vvar, vvar_size;  /* lowest [vvar*] and the span up to the end of the last */
	struct piece parts[8];	   /* each mapping of both, in order of addresses */
	uint32_t count;
	int fixed; /* sealed: cannot be moved or unmapped */
};

#define VMA_LOCAL 1	/* maps the local file, not a content with its pages */
#define VMA_UNORDERED 2 /* its runs do not come in the order of addresses: some may lie over others */
#define VMA_LAZY 4	/* its pages may be mapped from the artefact */

/* What is known of a mapping before it is made. */
struct vma_state {
	uint64_t fill; /* bytes that runs will write into it */
	uint64_t flags;
	uint64_t filled_to; /* end of the last run so far */
};

/* Number of helpers that fill memory. */
#define MAX_WORKERS 8
#define STACK_SIZE (128 * 1024ULL)
#define THREAD_STACK (16 * 1024ULL)
#define FRAME_LIMIT (4 * 1024 * 1024ULL) /* longest decoded frame that is accepted */

/* Where this processor keeps each state component in a signal frame; asked once, CPUID is slow under a hypervisor. */
#define COMPONENTS 20
struct state_layout {
	uint64_t features; /* components a frame may hold; 0 without XSAVE */
	uint32_t size;	   /* bytes in standard format */
	uint32_t pad0;
	uint32_t offset[COMPONENTS], length[COMPONENTS];
};

struct resident_header; /* switch.h */

struct engine {
	struct resume *r;
	struct resume resume; /* our copy, in the area */
	uint32_t task_row;
	const struct frore_task *task;
	const struct frore_mm *mm;
	const struct frore_vma *vmas; /* of this mm */
	uint64_t vma_count;
	struct vma_state *vma_state;
	const struct frore_thread *threads; /* of this task, the leader first */
	uint32_t thread_count;
	struct area area;
	struct vdso vdso;
	struct resident_header *resident;
	struct state_layout state;
	uint64_t frame_size; /* bytes of one signal frame with its extended state */
	uint32_t workers;
	uint32_t next_piece; /* groups, then frames, taken by the fill workers */
	uint32_t workers_left;
	uint32_t failed;
	uint32_t staging; /* only what descendants have from us is filled, in the stage */
	uint32_t lazy;	  /* lazy_plan() has been made */
	uint32_t copies, copying; /* are there pages that equal others; it is their turn */
	uint64_t workspace;    /* bytes of decoding workspace per worker */
	uint64_t stored_limit; /* longest compressed frame */
	uint64_t raw_limit;    /* longest decoded compressed frame */
};

/* refuse() when err is negative; the thing is named by two numbers in hex. */
long refuse_range(struct resume *r, const char *what, uint64_t start, uint64_t end, long err, const char *hint);

/* What to do when an id is not to be had. */
static inline const char *id_hint(long err)
{
	return err == -17   ? "the id is in use: run it with --pid private"
	       : err == -22 ? "the id is above kernel.pid_max here: raise that, or run it with --pid private"
			    : 0;
}

/* Points that every task of the tree passes before any goes on. */
enum meeting { MEETING_EXIST, MEETING_GROUPS, MEETING_MAPPED, MEETING_PLACED, MEETING_READ };

/* tree.c */
int tree_is_root(const struct resume *r, uint32_t task);
long tree_fork(struct resume *r, uint32_t *task);
int tree_shares(const struct resume *r, uint32_t task, uint32_t flag);
long tree_groups(struct resume *r, uint32_t task);
void tree_await_zombies(struct resume *r, uint32_t task);
void tree_await_stops(struct resume *r, uint32_t task);
void tree_foreground(struct resume *r, uint32_t task);

/* Where user space ends with four levels of page tables (Documentation/arch/x86/x86_64/mm.rst). */
#define TASK_END 0x7ffffffff000ULL

/* meet.c */
void tree_arrive(struct resume *r, enum meeting meeting);
long tree_meet(struct resume *r, enum meeting meeting);
/* The same, but only where tasks share a descriptor table: one of them is not to close what another still needs. */
long tree_meet_sharers(struct resume *r, enum meeting meeting);
/* True when the resume is given up. */
int tree_given_up(struct resume *r);
/* True, after a refusal, when a child has been killed that was to be resumed. */
int tree_lost_child(struct resume *r);
void tree_ready(struct resume *r);
/* What waitid(2) tells of a child, without taking it: si_code, or 0 when there is nothing. */
int32_t child_news(int32_t pid, int options, int32_t *signo);

/* artefact.c */
long artefact_open(struct resume *r);
long artefact_verify_all(struct resume *r);
#define VERIFY_CHUNK (256 * 1024ULL)
long artefact_verify_group(struct resume *r, const struct frore_group *g, uint8_t *buffer);

/* validate.c: of the tables, right after they have been read */
long validate(struct resume *r);

/* cpu.c: refuses, in words, a processor that lacks what the program was bound to. */
long cpu_check(struct resume *r);
void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
uint64_t xgetbv0(void);

/* area.c */
long area_find(struct engine *e);
uint64_t area_free(const struct artefact *a, uint32_t mm, uint64_t at, uint64_t length);
_Noreturn void area_enter(struct engine *e, void (*story)(struct engine *));

/* vmas.c */
long vmas_unmap_all(struct engine *e);
long vmas_set_mm(struct engine *e);
long vmas_mark(struct engine *e);
long vmas_map(struct engine *e);
long vmas_map_staged(struct engine *e, const struct frore_vma *v);
/* The file behind `image` when it is the very file of the freeze, or -1. */
int image_open_same(const struct artefact *a, const struct frore_image *image, int flags);
long vmas_finish(struct engine *e);
long guards_install(struct engine *e); /* guards.c */
long vmas_seal(struct engine *e);
int64_t vma_find(const struct engine *e, uint64_t address, uint64_t length);

/* lazy.c */
#define LAZY_STRETCHES 8192 /* a process may have 65530 mappings (vm.max_map_count) */
long lazy_check(struct resume *r);
uint64_t lazy_room(const struct engine *e);
void lazy_plan(struct engine *e);
int lazy_maps(const struct engine *e, const struct frore_run *run);
long lazy_map(struct engine *e);

/* pages.c */
long pages_prepare(struct engine *e);
int pages_skip(const struct engine *e, const struct frore_run *run);
/* Does a run take bytes from its frame? */
int pages_have_data(const struct frore_run *run);
void pages_expect(struct engine *e, uint64_t bytes);
long pages_fill(struct engine *e);
long pages_stage(struct engine *e);

/* cow.c: what relatives share until somebody writes to it */
#define WINDOW_ROOM (4ULL << 20) /* beside each window in the stage: two huge pages */
uint64_t cow_span(const struct artefact *a);
long cow_stage(struct engine *e);
long cow_fill(struct engine *e);
long cow_take(struct engine *e, const struct frore_vma *v);
int cow_is_staged(const struct engine *e, const struct frore_run *run);
int cow_is_ours(const struct engine *e, const struct frore_run *run);
uint64_t cow_address(const struct engine *e, const struct frore_run *run);

/* contents.c */
long contents_stage(struct resume *r);
uint64_t contents_address(const struct resume *r, uint32_t content);
int contents_filled(const struct engine *e, uint32_t content);
long contents_map(struct engine *e);
long contents_unmap(struct engine *e);

/* sysv.c: by the root, in an IPC namespace that is the tree's own */
long sysv_stage(struct resume *r);

/* vdso.c */
long vdso_find(struct resume *r, struct vdso *v);
long vdso_park(struct engine *e);
long vdso_place(struct engine *e);

/* signals.c, timers.c, limits.c, process.c, credentials.c */
long signals_actions(struct engine *e);
long signals_pending(struct engine *e, uint32_t thread);
long timers_create(struct engine *e);
long timers_arm(struct engine *e);
long limits_restore(struct engine *e);
long process_place(struct engine *e);
long process_finish(struct engine *e);
long credentials_restore(struct engine *e);

/* threads.c */
long threads_create(struct engine *e);
long threads_leader(struct engine *e);
_Noreturn void threads_go(struct engine *e);

/* registers.c: writes the signal frame of a thread; returns the stack pointer to sigreturn with. */
void registers_prepare(struct engine *e);
uint64_t registers_frame(struct engine *e, uint32_t thread);
long registers_permission(struct engine *e);
long registers_dynamic(struct engine *e, uint32_t thread);

#endif
