/*
 * vdso and vvar. A kernel with the very same image gets its own mappings moved to where the target knows them. Any other kernel:
 * its vdso stays where it is parked, and the target's old image is put back with every entry point patched to jump there
 * (or to make the plain system call).
 */
#include <linux/elf.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "engine.h"


static uint64_t parse_hex(const char **at)
{
	uint64_t value = 0;

	for (;; (*at)++) {
		char c = **at;

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return value;
	}
}

static void note_line(struct vdso *v, const char *line, const char *name)
{
	const char *at = line;
	uint64_t start = parse_hex(&at), end;

	if (!text_starts(name, "[vdso]") && !text_starts(name, "[vvar"))
		return;
	at++;
	end = parse_hex(&at);
	if (v->count == 8)
		return;
	v->parts[v->count++] = (struct piece){start, end - start};
	if (name[2] == 'd') {
		v->start = start;
		v->size = end - start;
	} else {
		if (v->vvar == 0)
			v->vvar = start;
		v->vvar_size = end - v->vvar;
	}
}

/* Reads our own /proc/self/maps in pieces; lines are short, so a piece always holds whole ones. */
long vdso_find(struct resume *r, struct vdso *v)
{
	char buffer[4096];
	size_t have = 0;
	int fd = (int)sys_open("/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);

	(void)r;
	memset(v, 0, sizeof(*v));
	if (fd < 0)
		return 0; /* without /proc the vdso stays behind and entry points are patched into plain system calls */
	for (;;) {
		long got = sys_read(fd, buffer + have, sizeof(buffer) - 1 - have);
		char *line = buffer, *end;

		if (got <= 0)
			break;
		have += (size_t)got;
		buffer[have] = 0;
		for (end = line; *end; end++) {
			char *name = end;

			if (*end != '\n')
				continue;
			*end = 0;
			while (name > line && name[-1] != ' ')
				name--;
			note_line(v, line, name);
			line = end + 1;
		}
		have = (size_t)(buffer + have - line);
		memmove(buffer, line, have);
	}
	sys_close(fd);
	return 0;
}

/* Moves vdso and vvar, whole and at their mutual distances, into the area, so that everything else can be unmapped. */
long vdso_park(struct engine *e)
{
	struct vdso *v = &e->vdso;
	uint64_t base = v->count ? v->parts[0].start : 0;
	uint32_t i;

	for (i = 0; i < v->count; i++) {
		struct piece *p = &v->parts[i];
		uint64_t to = e->area.vdso.start + (p->start - base);
		long ret = sys_mremap(p->start, p->length, p->length, MREMAP_MAYMOVE | MREMAP_FIXED, to);

		if (ret < 0 && i == 0) {
			v->fixed = 1; /* CONFIG_MSEAL_SYSTEM_MAPPINGS, 6.16 */
			return 0;
		}
		if (ret < 0)
			return refuse(e->r, "cannot move", "the vdso", -ret, 0);
		p->start = to;
	}
	if (v->start)
		v->start = v->start - base + e->area.vdso.start;
	if (v->vvar)
		v->vvar = v->vvar - base + e->area.vdso.start;
	return 0;
}

struct symbols {
	const Elf64_Sym *table;
	const char *names; /* ends in NUL */
	uint64_t count, names_size;
};

/* Dynamic symbols of a vdso image of `size` bytes at `image`; everything stays inside the image. */
static int find_symbols(const uint8_t *image, uint64_t size, struct symbols *s)
{
	const Elf64_Ehdr *eh = (const void *)image;
	const Elf64_Shdr *sh;
	uint32_t i;

	if (size < sizeof(*eh) || eh->e_shoff > size || eh->e_shentsize != sizeof(*sh) ||
	    eh->e_shnum > (size - eh->e_shoff) / sizeof(*sh))
		return 0;
	sh = (const void *)(image + eh->e_shoff);
	for (i = 0; i < eh->e_shnum; i++) {
		const Elf64_Shdr *names;

		if (sh[i].sh_type != SHT_DYNSYM || sh[i].sh_link >= eh->e_shnum)
			continue;
		names = &sh[sh[i].sh_link];
		if (sh[i].sh_offset > size || sh[i].sh_size > size - sh[i].sh_offset || names->sh_offset >= size ||
		    names->sh_size == 0 || names->sh_size > size - names->sh_offset ||
		    image[names->sh_offset + names->sh_size - 1] != 0)
			return 0;
		s->table = (const void *)(image + sh[i].sh_offset);
		s->count = sh[i].sh_size / sizeof(Elf64_Sym);
		s->names = (const char *)image + names->sh_offset;
		s->names_size = names->sh_size;
		return 1;
	}
	return 0;
}

static const char *symbol_name(const struct symbols *s, uint64_t i)
{
	return s->table[i].st_name < s->names_size ? s->names + s->table[i].st_name : "";
}

static uint64_t new_entry(const struct engine *e, const char *name)
{
	const struct vdso *v = &e->vdso;
	struct symbols s;
	uint64_t i;

	if (!v->start || !find_symbols((const uint8_t *)v->start, v->size, &s))
		return 0;
	for (i = 0; i < s.count; i++)
		if (s.table[i].st_value && text_equal(symbol_name(&s, i), name))
			return v->start + s.table[i].st_value;
	return 0;
}

static long call_number(const char *name)
{
	if (text_equal(name, "__vdso_clock_gettime"))
		return __NR_clock_gettime;
	if (text_equal(name, "__vdso_gettimeofday"))
		return __NR_gettimeofday;
	if (text_equal(name, "__vdso_clock_getres"))
		return __NR_clock_getres;
	if (text_equal(name, "__vdso_time"))
		return __NR_time;
	if (text_equal(name, "__vdso_getcpu"))
		return __NR_getcpu;
	return 318; /* getrandom: the only other entry, __vdso_getrandom (6.11) */
}

/* movabs $target,%rax; jmp *%rax -- or -- mov $nr,%eax; syscall; ret */
static void patch(uint8_t *at, uint64_t target, long number)
{
	if (target) {
		at[0] = 0x48;
		at[1] = 0xb8;
		memcpy(at + 2, &target, 8);
		at[10] = 0xff;
		at[11] = 0xe0;
		return;
	}
	at[0] = 0xb8;
	memcpy(at + 1, &number, 4);
	at[5] = 0x0f;
	at[6] = 0x05;
	at[7] = 0xc3;
}

static long place_patched(struct engine *e)
{
	const uint8_t *old = artefact_bytes(&e->r->artefact, e->mm->vdso_image);
	uint64_t size = PAGE_UP(e->mm->vdso_image.length), i;
	struct symbols s;
	long ret = sys_mmap(e->mm->vdso, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (ret < 0)
		return refuse_range(e->r, "cannot map the old vdso at", e->mm->vdso, e->mm->vdso + size, ret, 0);
	memcpy((void *)e->mm->vdso, old, e->mm->vdso_image.length);
	if (find_symbols(old, e->mm->vdso_image.length, &s)) {
		for (i = 0; i < s.count; i++) {
			const char *name = symbol_name(&s, i);

			if (!s.table[i].st_value || !text_starts(name, "__vdso_") ||
			    e->mm->vdso_image.length < 16 || s.table[i].st_value > e->mm->vdso_image.length - 16)
				continue;
			patch((uint8_t *)e->mm->vdso + s.table[i].st_value, new_entry(e, name), call_number(name));
		}
	}
	ret = sys_mprotect(e->mm->vdso, size, PROT_READ | PROT_EXEC);
	return ret < 0 ? refuse_range(e->r, "cannot protect the old vdso at", e->mm->vdso, e->mm->vdso + size, ret, 0) : 0;
}

static int same_image(const struct engine *e)
{
	const struct vdso *v = &e->vdso;

	return v->start && !v->fixed && v->size == e->mm->vdso_size && v->vvar_size == e->mm->vvar_size &&
	       v->start - v->vvar == e->mm->vdso - e->mm->vvar && e->mm->vdso_image.length <= v->size &&
	       memcmp((const void *)v->start, artefact_bytes(&e->r->artefact, e->mm->vdso_image),
		      e->mm->vdso_image.length) == 0;
}

long vdso_place(struct engine *e)
{
	struct vdso *v = &e->vdso;
	uint64_t base = v->count ? v->parts[0].start : 0;
	uint64_t to = e->mm->vvar && e->mm->vvar < e->mm->vdso ? e->mm->vvar : e->mm->vdso;
	uint32_t i;

	if (!e->mm->vdso)
		return 0;
	if (!same_image(e))
		return place_patched(e);
	for (i = 0; i < v->count; i++) {
		long ret = sys_mremap(v->parts[i].start, v->parts[i].length, v->parts[i].length,
				      MREMAP_MAYMOVE | MREMAP_FIXED, to + (v->parts[i].start - base));

		if (ret < 0)
			return refuse_range(e->r, "cannot move the vdso to", to, to + v->size, ret, 0);
	}
	e->area.vdso.length = 0;
	return 0;
}
