/*
 * Signal frames: rt_sigreturn(2) sets every register, the vector state, the signal mask and the alternate stack at once.
 * Layout: arch/x86/include/asm/sigframe.h and uapi/asm/sigcontext.h, Linux 6.18.
 */
#include "engine.h"
#include "switch.h"

#define UC_FP_XSTATE 1
#define UC_SIGCONTEXT_SS 2
#define UC_STRICT_RESTORE_SS 4
#define XSTATE_MAGIC1 0x46505853U
#define XSTATE_MAGIC2 0x46505845U
#define LEGACY_SIZE 512U
#define HEADER_END 576U
#define XTILEDATA (1ULL << 18)
#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_REQ_XCOMP_PERM 0x1023

struct user_registers { /* struct user_regs_struct */
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax, rip, cs, eflags, rsp, ss;
	uint64_t fs_base, gs_base, ds, es, fs, gs;
};

struct signal_frame { /* struct rt_sigframe, whose first word is what rsp has passed */
	uint64_t pretcode;
	uint64_t uc_flags, uc_link;
	uint64_t ss_sp;
	uint32_t ss_flags, pad0;
	uint64_t ss_size;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
	uint64_t sigmask;
	uint8_t siginfo[128];
	int64_t timespec[2]; /* ours: what a restarted system call is to wait */
};

static int has_xsave(void)
{
	uint32_t regs[4];

	cpuid(1, 0, regs);
	return (regs[2] & 1U << 27) != 0;
}

/* The components a frame may hold here: those the kernel has enabled, the dynamic ones only with the task's permission. */
static uint64_t frame_features(const struct frore_task *task)
{
	uint64_t enabled = xgetbv0();

	if (!(task->xcomp_perm & XTILEDATA))
		enabled &= ~XTILEDATA;
	return enabled;
}

/* Learns the layout of the extended state and with it the size of a signal frame. */
void registers_prepare(struct engine *e)
{
	struct state_layout *s = &e->state;
	uint32_t i, regs[4];

	s->size = LEGACY_SIZE;
	if (has_xsave()) {
		s->features = frame_features(e->task);
		s->size = HEADER_END;
		for (i = 2; i < COMPONENTS; i++) {
			if (!(s->features >> i & 1))
				continue;
			cpuid(0xd, i, regs);
			s->offset[i] = regs[1];
			s->length[i] = regs[0];
			if (regs[1] + regs[0] > s->size)
				s->size = regs[1] + regs[0];
		}
		s->features &= (1ULL << COMPONENTS) - 1;
	}
	e->frame_size = (sizeof(struct signal_frame) + 64 + s->size + 8 + 63) & ~63ULL;
}

static void copy_component(struct engine *e, uint32_t id, uint8_t *to, const uint8_t *from, uint64_t length)
{
	uint64_t count, i;
	const struct frore_xcomp *c = ROWS(&e->r->artefact, XCOMP, &count);

	for (i = 0; i < count; i++)
		if (c[i].id == id && c[i].offset <= length && c[i].size <= length - c[i].offset &&
		    e->state.length[id] >= c[i].size)
			memcpy(to + e->state.offset[id], from + c[i].offset, c[i].size);
}

/*
 * The saved state, component by component, at the offsets of this processor. A frame larger than the kernel expects would be
 * taken for a plain FXSAVE one without any error, so the size is exactly that of the enabled components.
 */
static uint32_t write_state(struct engine *e, uint8_t *to, const uint8_t *from, uint64_t length)
{
	const struct state_layout *s = &e->state;
	uint32_t *software = (uint32_t *)(to + 464), i, magic = XSTATE_MAGIC2;
	uint64_t saved;

	if (length < LEGACY_SIZE)
		return 0;
	memcpy(to, from, 464);
	memset(software, 0, 48);
	if (!s->features || length < HEADER_END)
		return LEGACY_SIZE;
	memcpy(&saved, from + LEGACY_SIZE, 8);
	saved &= s->features;
	memset(to + LEGACY_SIZE, 0, s->size - LEGACY_SIZE);
	for (i = 2; i < COMPONENTS; i++)
		if (saved & 1ULL << i)
			copy_component(e, i, to, from, length);
	memcpy(to + LEGACY_SIZE, &saved, 8);
	software[0] = XSTATE_MAGIC1;
	software[1] = s->size + 4;
	memcpy(software + 2, &s->features, 8);
	software[4] = s->size;
	memcpy(to + s->size, &magic, 4);
	return s->size;
}

static void set_restart(struct signal_frame *f, const struct frore_thread *t)
{
	uint64_t at = (uint64_t)f->timespec;

	f->timespec[0] = t->restart_sec;
	f->timespec[1] = t->restart_nsec;
	switch (t->restart_reg) {
	case FRORE_RESTART_REG_RDI: f->di = at; break;
	case FRORE_RESTART_REG_RSI: f->si = at; break;
	case FRORE_RESTART_REG_RDX: f->dx = at; break;
	case FRORE_RESTART_REG_R10: f->r10 = at; break;
	case FRORE_RESTART_REG_R8: f->r8 = at; break;
	case FRORE_RESTART_REG_R9: f->r9 = at; break;
	}
}

static uint64_t frame_base(const struct engine *e, uint32_t thread)
{
	return (e->area.resident.start + PAGE + sizeof(struct final_shared) + 63 + (uint64_t)thread * e->frame_size) & ~63ULL;
}

uint64_t registers_frame(struct engine *e, uint32_t thread)
{
	const struct artefact *a = &e->r->artefact;
	const struct frore_thread *t = &e->threads[thread];
	const struct user_registers *u = artefact_bytes(a, t->regs);
	struct signal_frame *f = (struct signal_frame *)frame_base(e, thread);
	uint8_t *state = (uint8_t *)(((uint64_t)(f + 1) + 63) & ~63ULL);

	memset(f, 0, sizeof(*f));
	f->uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | (e->state.features ? UC_FP_XSTATE : 0);
	f->ss_sp = t->sas_sp;
	f->ss_flags = t->sas_flags;
	f->ss_size = t->sas_size;
	f->r8 = u->r8, f->r9 = u->r9, f->r10 = u->r10, f->r11 = u->r11;
	f->r12 = u->r12, f->r13 = u->r13, f->r14 = u->r14, f->r15 = u->r15;
	f->di = u->rdi, f->si = u->rsi, f->bp = u->rbp, f->bx = u->rbx;
	f->dx = u->rdx, f->ax = u->rax, f->cx = u->rcx, f->sp = u->rsp;
	f->ip = u->rip, f->flags = u->eflags;
	f->cs = (uint16_t)u->cs, f->ss = (uint16_t)u->ss;
	f->sigmask = t->sigmask;
	set_restart(f, t);
	if (write_state(e, state, artefact_bytes(a, t->xstate), t->xstate.length))
		f->fpstate = (uint64_t)state;
	return (uint64_t)f + sizeof(f->pretcode);
}

/* Permission for large state is the process's and comes before the first thread that uses it (arch/x86/kernel/fpu/xstate.c). */
long registers_permission(struct engine *e)
{
	long ret = 0;

	if (e->task->xcomp_perm & XTILEDATA)
		ret = sys2(__NR_arch_prctl, ARCH_REQ_XCOMP_PERM, 18);
	return ret < 0 ? refuse(e->r, "cannot get", "permission for AMX tiles", -ret, "this processor or kernel has none") : 0;
}

/*
 * Thread-wide registers outside the frame: segment bases, and one tile instruction where AMX is in use, so that the kernel
 * enlarges this thread's state before rt_sigreturn looks at it (ldtilecfg alone does not).
 */
long registers_dynamic(struct engine *e, uint32_t thread)
{
	const struct frore_thread *t = &e->threads[thread];
	const struct user_registers *u = artefact_bytes(&e->r->artefact, t->regs);
	const uint8_t *state = artefact_bytes(&e->r->artefact, t->xstate);
	uint64_t saved = 0;
	long ret;

	if (t->xstate.length >= HEADER_END)
		memcpy(&saved, state + LEGACY_SIZE, 8);
	if (saved & XTILEDATA) {
		uint8_t config[64] __attribute__((aligned(64)));

		memset(config, 0, sizeof(config));
		config[0] = 1;
		config[16] = 64;
		config[48] = 1;
		__asm__ volatile("ldtilecfg %0\n\t"
				 ".byte 0xc4, 0xe2, 0x7b, 0x49, 0xc0\n\t" /* tilezero tmm0 */
				 :
				 : "m"(config));
	}
	ret = sys2(__NR_arch_prctl, ARCH_SET_FS, (long)u->fs_base);
	if (ret == 0)
		ret = sys2(__NR_arch_prctl, ARCH_SET_GS, (long)u->gs_base);
	return ret < 0 ? refuse(e->r, "cannot set", "the thread pointer", -ret, 0) : 0;
}
