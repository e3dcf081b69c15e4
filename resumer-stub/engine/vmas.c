/* The target's mappings: everything of ours goes, theirs come, first writable where they must be filled, then as they were. */
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/stat.h>
#include <asm/stat.h>

#include "engine.h"
#include "fd/fd.h"

#define MAP_DROPPABLE_TYPE 0x08
#define HUGE_LIMIT (8ULL << 20)

struct mm_map {
	uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
	uint64_t arg_start, arg_end, env_start, env_end, auxv;
	uint32_t auxv_size, exe_fd;
};

static long unmap_between(struct engine *e, uint64_t from, uint64_t to)
{
	long ret = from < to ? sys_munmap(from, to - from) : 0;

	return ret < 0 ? refuse_range(e->r, "cannot unmap", from, to, ret, 0) : 0;
}

/* The part of [from, to) that is neither sealed vdso nor staged content goes. */
static long unmap_but(struct engine *e, uint64_t from, uint64_t to)
{
	struct piece keep[9];
	uint32_t count = 0, i;

	if (e->vdso.fixed)
		for (i = 0; i < e->vdso.count; i++)
			keep[count++] = e->vdso.parts[i];
	for (i = count; i > 0 && keep[i - 1].start > e->r->content_base; i--)
		keep[i] = keep[i - 1];
	keep[i] = (struct piece){e->r->content_base, e->r->content_span};
	count++;
	for (i = 0; i < count; i++) {
		if (!keep[i].length || keep[i].start < from || keep[i].start >= to)
			continue;
		if (unmap_between(e, from, keep[i].start) < 0)
			return -1;
		from = keep[i].start + keep[i].length;
	}
	return unmap_between(e, from, to);
}

/* Nothing but the working area (and what unmap_but() spares) stays. */
long vmas_unmap_all(struct engine *e)
{
	uint64_t low = e->area.all.start;

	if (unmap_but(e, 0, low) < 0)
		return -1;
	return unmap_but(e, low + e->area.all.length, TASK_END);
}

static int same_file(const struct frore_image *image, const struct stat *st)
{
	return st->st_dev == image->dev && st->st_ino == image->ino && (uint64_t)st->st_size == image->size &&
	       (int64_t)(st->st_mtime * 1000000000 + st->st_mtime_nsec) == image->mtime_ns &&
	       (int64_t)(st->st_ctime * 1000000000 + st->st_ctime_nsec) == image->ctime_ns;
}

/*
 * Opens the file behind `image` when it is the very file of the freeze: same device, inode, size, mtime and ctime. A ctime cannot
 * be set, so equality means equal content. Returns -1 when it is not.
 */
int image_open_same(const struct artefact *a, const struct frore_image *image, int flags)
{
	struct stat st;
	int fd;

	if (image->flags & FRORE_IMAGE_DELETED)
		return -1;
	fd = (int)sys_open(artefact_text(a, image->path), flags | O_CLOEXEC | O_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (sys2(__NR_fstat, fd, (long)&st) == 0 && same_file(image, &st))
		return fd;
	sys_close(fd);
	return -1;
}

/* Argument area, heap bounds, auxv and the exe link: now, while no mapping refers to the old exe (kernel/sys.c refuses EBUSY). */
long vmas_set_mm(struct engine *e)
{
	uint64_t images;
	const struct frore_image *image = ROWS(&e->r->artefact, IMAGE, &images);
	const uint64_t *auxv = artefact_bytes(&e->r->artefact, e->mm->auxv);
	struct mm_map map;
	uint32_t pairs = 0;
	long ret;

	while ((pairs + 1) * 16 <= e->mm->auxv.length && auxv[pairs * 2] != 0)
		pairs++;
	memcpy(&map, &e->mm->start_code, 11 * sizeof(uint64_t));
	map.auxv = (uint64_t)auxv;
	map.auxv_size = (pairs + 1) * 16 <= e->mm->auxv.length ? (pairs + 1) * 16 : pairs * 16;
	map.exe_fd = ~0U;
	if (e->mm->exe != FRORE_NONE && e->mm->exe < images)
		map.exe_fd = (uint32_t)image_open_same(&e->r->artefact, &image[e->mm->exe], O_RDONLY);
	ret = sys_prctl(PR_SET_MM, PR_SET_MM_MAP, (unsigned long)&map, sizeof(map), 0);
	if (map.exe_fd != ~0U) {
		sys_close((int)map.exe_fd);
		if (ret < 0) { /* the exe link needs CAP_CHECKPOINT_RESTORE, the rest does not */
			map.exe_fd = ~0U;
			ret = sys_prctl(PR_SET_MM, PR_SET_MM_MAP, (unsigned long)&map, sizeof(map), 0);
		}
	}
	if (ret < 0)
		return refuse(e->r, "cannot set", "argument area and heap bounds (PR_SET_MM_MAP)", -ret,
			      "the kernel needs CONFIG_CHECKPOINT_RESTORE");
	return 0;
}

/* Row of the mapping of this mm that holds the whole range, or -1. */
int64_t vma_find(const struct engine *e, uint64_t address, uint64_t length)
{
	uint64_t low = 0, high = e->vma_count;

	while (low < high) {
		uint64_t middle = (low + high) / 2;
		const struct frore_vma *v = &e->vmas[middle];

		if (address >= v->end)
			low = middle + 1;
		else if (address < v->start)
			high = middle;
		else
			return length <= v->end - address ? (int64_t)middle : -1;
	}
	return -1;
}

/* Is the file of a private mapping here? The root has made a content of its pages when it is not (fd/content.c). */
static int is_local(const struct engine *e, const struct frore_image *image)
{
	int fd;

	if (image->pages != FRORE_NONE)
		return content_fd(e->r, image->pages) < 0;
	fd = image_open_same(&e->r->artefact, image, O_RDONLY);
	if (fd >= 0)
		sys_close(fd);
	return fd >= 0;
}

/*
 * A shared mapping that the program could only read from: the very file is mapped, with what has been written to it since; without
 * it the mapping gets the bytes of the freeze.
 */
static int is_same_file(const struct engine *e, const struct frore_image *image)
{
	struct stat st;

	return sys4(__NR_newfstatat, AT_FDCWD, (long)artefact_text(&e->r->artefact, image->path), (long)&st, 0) == 0 &&
	       st.st_dev == image->dev && st.st_ino == image->ino;
}

static long refuse_outside(struct engine *e, uint64_t address, uint64_t length)
{
	return refuse_range(e->r, "cannot resume this file: it is damaged, pages outside every mapping at", address, address + length, 0,
			    0);
}

/* A run is written to its mapping while memory is filled: only what is private may be. */
static long mark_filled(struct engine *e, uint64_t address, uint64_t length)
{
	int64_t at = vma_find(e, address, length);

	if (at < 0 || e->vmas[at].kind == FRORE_VMA_FILE_SHARED || e->vmas[at].kind == FRORE_VMA_CONTENT_SHARED)
		return refuse_outside(e, address, length);
	e->vma_state[at].fill += length;
	if (address < e->vma_state[at].filled_to)
		e->vma_state[at].flags |= VMA_UNORDERED;
	e->vma_state[at].filled_to = address + length;
	return 0;
}

/*
 * What is read again then may lie in several mappings: those that something is filled in. They stay readable until then, even when all
 * of that is mapped from the file.
 */
static long mark_source(struct engine *e, const struct frore_run *run)
{
	uint64_t at = run->from, left = run->source == FRORE_SOURCE_COPY ? run->length : PAGE;

	while (left) {
		int64_t row = vma_find(e, at, 1);
		uint64_t part = row < 0 ? 0 : e->vmas[row].end - at;

		if (row < 0 || !e->vma_state[row].fill)
			return refuse_outside(e, run->from, left);
		e->vma_state[row].fill++;
		part = part < left ? part : left;
		at += part;
		left -= part;
	}
	return 0;
}

static int is_copy(const struct frore_run *run)
{
	return run->source == FRORE_SOURCE_COPY || run->source == FRORE_SOURCE_REPEAT;
}

/* Which mappings use a local file, and which will be written to: decided before any of them is made. */
long vmas_mark(struct engine *e)
{
	const struct artefact *a = &e->r->artefact;
	uint64_t images, i;
	const struct frore_image *image = ROWS(a, IMAGE, &images);
	uint32_t last = FRORE_NONE;
	uint64_t last_state = 0;

	for (i = 0; i < e->vma_count; i++) {
		const struct frore_vma *v = &e->vmas[i];

		if (v->kind == FRORE_VMA_FILE_SHARED && v->source < images)
			e->vma_state[i].flags = v->flags & FRORE_VMA_FLAG_READ_ONLY && image[v->source].pages != FRORE_NONE &&
								!is_same_file(e, &image[v->source])
							? 0
							: VMA_LOCAL;
		if (v->kind != FRORE_VMA_FILE_PRIVATE || v->source >= images)
			continue;
		if (v->source != last) {
			last = v->source;
			last_state = is_local(e, &image[last]) ? VMA_LOCAL : 0;
		}
		e->vma_state[i].flags = last_state;
		if (!last_state && (image[last].flags & FRORE_IMAGE_NOT_EMBEDDED))
			return refuse(e->r, "cannot map", artefact_text(a, image[last].path), 0,
				      "the file is missing or has changed since the freeze, and it was too large to be embedded: put it back");
	}
	for (i = 0; i < a->run_count; i++) {
		const struct frore_run *run = &a->runs[i];

		if (run->space != FRORE_SPACE_MM || run->index != e->task->mm || run->source == FRORE_SOURCE_VOID)
			continue;
		if (mark_filled(e, run->address, run->length) < 0)
			return -1;
		e->copies |= (uint32_t)is_copy(run);
	}
	for (i = 0; e->copies && i < a->run_count; i++) {
		const struct frore_run *run = &a->runs[i];

		if (run->space == FRORE_SPACE_MM && run->index == e->task->mm && is_copy(run) && mark_source(e, run) < 0)
			return -1;
	}
	lazy_plan(e);
	return 0;
}

static int base_flags(const struct frore_vma *v)
{
	int flags = MAP_FIXED_NOREPLACE;

	if (v->flags & FRORE_VMA_FLAG_NORESERVE)
		flags |= MAP_NORESERVE;
	if (v->flags & FRORE_VMA_FLAG_GROWSDOWN)
		flags |= MAP_GROWSDOWN;
	return flags;
}

/* A file that is missing: its pages are a content, mapped in its place. */
static long map_pages_of(struct engine *e, const struct frore_vma *v, const struct frore_image *image, int prot, int flags)
{
	int fd = image->pages == FRORE_NONE ? -1 : content_map_fd(e->r, image->pages);

	if (fd < 0)
		return sys_mmap(v->start, v->end - v->start, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	return sys_mmap(v->start, v->end - v->start, prot, MAP_PRIVATE | flags, fd, v->offset);
}

/* Maps one VMA; *cached is the descriptor of the last image, so that the segments of one library open it once. */
static long map_one(struct engine *e, const struct frore_vma *v, const struct vma_state *state, uint32_t *cached_image, int *cached)
{
	const struct artefact *a = &e->r->artefact;
	uint64_t images, length = v->end - v->start;
	const struct frore_image *image = ROWS(a, IMAGE, &images);
	int prot = (int)v->prot, flags = base_flags(v), fd;
	long ret;

	if (state->fill)
		prot = PROT_READ | PROT_WRITE;
	switch (v->kind) {
	case FRORE_VMA_FILE_PRIVATE:
		if (v->source >= images)
			return -22;
		if (!(state->flags & VMA_LOCAL))
			return map_pages_of(e, v, &image[v->source], prot, flags);
		if (*cached_image != v->source) {
			if (*cached >= 0)
				sys_close(*cached);
			*cached_image = v->source;
			*cached = image_open_same(a, &image[v->source], O_RDONLY);
		}
		if (*cached < 0)
			return refuse(e->r, "cannot map", artefact_text(a, image[v->source].path), 0, "it has just changed");
		return sys_mmap(v->start, length, prot, MAP_PRIVATE | flags, *cached, v->offset);
	case FRORE_VMA_FILE_SHARED:
		if (v->source >= images)
			return -22;
		if (!(state->flags & VMA_LOCAL))
			return map_pages_of(e, v, &image[v->source], prot, flags);
		fd = (int)sys_open(artefact_text(a, image[v->source].path), O_RDWR | O_CLOEXEC, 0);
		if (fd < 0 && !(v->prot & PROT_WRITE))
			fd = (int)sys_open(artefact_text(a, image[v->source].path), O_RDONLY | O_CLOEXEC, 0);
		if (fd < 0)
			return refuse(e->r, "cannot open the mapped file", artefact_text(a, image[v->source].path), -fd,
				      "put it back, or use --map OLD=NEW");
		ret = sys_mmap(v->start, length, (int)v->prot,
			       MAP_FIXED_NOREPLACE | (v->flags & FRORE_VMA_FLAG_SYNC ? MAP_SYNC | MAP_SHARED_VALIDATE : MAP_SHARED),
			       fd, v->offset);
		sys_close(fd);
		return ret;
	case FRORE_VMA_CONTENT_SHARED:
	case FRORE_VMA_CONTENT_PRIVATE:
		fd = content_map_fd(e->r, v->source);
		if (fd < 0) { /* anonymous shared memory: a second mapping of what lies in the area (mremap of old size 0) */
			uint64_t contents, from = contents_address(e->r, v->source);
			const struct frore_content *c = ROWS(a, CONTENT, &contents);

			if (v->offset > PAGE_UP(c[v->source].size) || length > PAGE_UP(c[v->source].size) - v->offset)
				return -22;
			ret = sys_mremap(from + v->offset, 0, length, MREMAP_MAYMOVE | MREMAP_FIXED, v->start);
			if (ret >= 0 && v->prot != (PROT_READ | PROT_WRITE))
				sys_mprotect(v->start, length, (int)v->prot);
			return ret;
		}
		return sys_mmap(v->start, length, v->kind == FRORE_VMA_CONTENT_SHARED ? (int)v->prot : prot,
				MAP_FIXED_NOREPLACE | (v->kind == FRORE_VMA_CONTENT_SHARED ? MAP_SHARED : MAP_PRIVATE), fd,
				v->offset);
	}
	if (v->flags & FRORE_VMA_FLAG_DROPPABLE)
		flags |= MAP_DROPPABLE_TYPE;
	else
		flags |= MAP_PRIVATE;
	return sys_mmap(v->start, length, prot, flags | MAP_ANONYMOUS, -1, 0);
}

/* A name keeps neighbours from merging and tells people where the bytes came from; kernels without the option say EINVAL. */
static void name_it(struct engine *e, const struct frore_vma *v)
{
	const char *name = artefact_text(&e->r->artefact, v->name);

	if (name[0])
		sys_prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, v->start, v->end - v->start, (unsigned long)name);
}

/*
 * Big memory that was (almost) all there is filled in huge pages: a quarter less time. The advice stays, since the kernel has no
 * way back to "none"; NOHUGEPAGE of the target wins, as vmas_finish() gives its advice last.
 */
static void prefer_huge(const struct frore_vma *v, const struct vma_state *s)
{
	uint64_t length = v->end - v->start;

	if (v->kind == FRORE_VMA_ANON && length >= HUGE_LIMIT && s->fill >= length - length / 8 &&
	    !(v->flags & (FRORE_VMA_FLAG_GROWSDOWN | FRORE_VMA_FLAG_HEAP | FRORE_VMA_FLAG_NOHUGEPAGE)))
		sys_madvise(v->start, length, MADV_HUGEPAGE);
}

long vmas_map(struct engine *e)
{
	uint32_t cached_image = FRORE_NONE;
	int cached = -1;
	uint64_t i;

	for (i = 0; i < e->vma_count; i++) {
		const struct frore_vma *v = &e->vmas[i];
		int windowed = v->window != FRORE_NONE;
		long ret;

		e->vma_state[i].fill += windowed; /* writable at first, like the window */
		ret = windowed ? cow_take(e, v) : map_one(e, v, &e->vma_state[i], &cached_image, &cached);
		if (ret < 0)
			return e->r->status->failed ? -1
						    : refuse_range(e->r, "cannot map", v->start, v->end, ret,
								   ret == -12 ? "free memory, or raise ulimit -v" : 0);
		if ((uint64_t)ret != v->start)
			return refuse_range(e->r, "cannot map", v->start, v->end, -17, 0);
		name_it(e, v);
		prefer_huge(v, &e->vma_state[i]);
	}
	if (cached >= 0)
		sys_close(cached);
	return 0;
}

/* The whole of a window, writable, at its place in the stage. */
long vmas_map_staged(struct engine *e, const struct frore_vma *v)
{
	uint64_t images;
	const struct frore_image *image = ROWS(&e->r->artefact, IMAGE, &images);
	struct vma_state state = {.fill = 1};
	uint32_t cached_image = FRORE_NONE;
	int cached = -1;
	long ret;

	if (v->kind == FRORE_VMA_FILE_PRIVATE && v->source < images && is_local(e, &image[v->source]))
		state.flags = VMA_LOCAL;
	sys_munmap(v->start, v->end - v->start); /* reserved: MAP_FIXED_NOREPLACE would find it taken */
	ret = map_one(e, v, &state, &cached_image, &cached);
	if (cached >= 0)
		sys_close(cached);
	return ret;
}

static void advise(struct engine *e, const struct frore_vma *v, uint32_t flag, int advice, const char *name)
{
	long ret;

	if (!(v->flags & flag))
		return;
	ret = sys_madvise(v->start, v->end - v->start, advice);
	if (ret < 0)
		warn(e->r, "cannot give back the memory advice", name, -ret, 0);
}

static long allocate_keys(struct engine *e)
{
	uint32_t key, wanted = e->mm->pkeys & ~1U, extra = 0;

	for (key = 1; wanted >> key; key++) {
		long got = sys2(__NR_pkey_alloc, 0, 0);

		if (got < 0)
			return refuse(e->r, "cannot allocate", "the memory protection keys the program uses", -got,
				      "this processor or kernel has none");
		if (!(wanted & 1U << got))
			extra |= 1U << got;
	}
	for (key = 1; key < 16; key++)
		if (extra & 1U << key)
			sys1(__NR_pkey_free, key);
	return 0;
}

/* Protection, keys and advice as they were; after the pages are in. */
long vmas_finish(struct engine *e)
{
	uint64_t i;

	if (e->mm->pkeys & ~1U && allocate_keys(e) < 0)
		return -1;
	for (i = 0; i < e->vma_count; i++) {
		const struct frore_vma *v = &e->vmas[i];
		uint64_t length = v->end - v->start;
		long ret = 0;

		if (v->pkey)
			ret = sys4(__NR_pkey_mprotect, (long)v->start, (long)length, (long)v->prot, (long)v->pkey);
		else if (e->vma_state[i].fill && v->prot != (PROT_READ | PROT_WRITE))
			ret = sys_mprotect(v->start, length, (int)v->prot);
		if (ret < 0)
			return refuse_range(e->r, "cannot protect", v->start, v->end, ret, 0);
		advise(e, v, FRORE_VMA_FLAG_DONTFORK, MADV_DONTFORK, "dontfork");
		advise(e, v, FRORE_VMA_FLAG_WIPEONFORK, MADV_WIPEONFORK, "wipeonfork");
		advise(e, v, FRORE_VMA_FLAG_DONTDUMP, MADV_DONTDUMP, "dontdump");
		advise(e, v, FRORE_VMA_FLAG_HUGEPAGE, MADV_HUGEPAGE, "hugepage");
		advise(e, v, FRORE_VMA_FLAG_NOHUGEPAGE, MADV_NOHUGEPAGE, "nohugepage");
		advise(e, v, FRORE_VMA_FLAG_MERGEABLE, MADV_MERGEABLE, "mergeable");
		advise(e, v, FRORE_VMA_FLAG_SEQUENTIAL, MADV_SEQUENTIAL, "sequential");
		advise(e, v, FRORE_VMA_FLAG_RANDOM, MADV_RANDOM, "random");
		if (v->flags & FRORE_VMA_FLAG_LOCKED) {
			ret = sys3(__NR_mlock2, (long)v->start, (long)length, v->flags & FRORE_VMA_FLAG_LOCKONFAULT ? 1 : 0);
			if (ret < 0)
				warn(e->r, "cannot lock memory again,", "it may be swapped out", -ret, "raise ulimit -l");
		}
	}
	return 0;
}

/* mseal(2), 6.10: last, since nothing about a sealed mapping can be changed any more. */
long vmas_seal(struct engine *e)
{
	uint64_t i;

	for (i = 0; i < e->vma_count; i++) {
		const struct frore_vma *v = &e->vmas[i];
		long ret;

		if (!(v->flags & FRORE_VMA_FLAG_SEALED))
			continue;
		ret = sys3(462, (long)v->start, (long)(v->end - v->start), 0);
		if (ret < 0)
			warn(e->r, "cannot seal memory again", "(mseal)", -ret, 0);
	}
	return 0;
}
