/* Refuses a processor that lacks what the program was bound to, in words, instead of a SIGILL later. */
#include "engine.h"

void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(subleaf));
}

uint64_t xgetbv0(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

/* AVX and AVX-512 need the kernel's consent as well (XCR0), which shows in OSXSAVE and XCR0 alone. */
static int state_missing(const struct frore_cpu_need *need)
{
	uint32_t regs[4];

	cpuid(1, 0, regs);
	if (!(regs[2] & 1U << 27))
		return 1;
	if (need->leaf == 7 && need->reg == 1 && need->bit == 16)
		return (xgetbv0() & 0xe6) != 0xe6;
	return (xgetbv0() & 6) != 6;
}

long cpu_check(struct resume *r)
{
	uint64_t count, i;
	const struct frore_cpu_need *need = ROWS(&r->artefact, CPU_NEED, &count);
	uint32_t leaf = ~0U, subleaf = 0, regs[4] = {0, 0, 0, 0}, highest[4];
	char line[256];
	struct text missing = text_in(line, sizeof(line));

	if (count == 0)
		return 0;
	cpuid(0, 0, highest);
	for (i = 0; i < count; i++) {
		int lacks;

		if (need[i].leaf != leaf || need[i].subleaf != subleaf) {
			leaf = need[i].leaf;
			subleaf = need[i].subleaf;
			memset(regs, 0, sizeof(regs));
			if (leaf >= 0x80000000U || leaf <= highest[0])
				cpuid(leaf, subleaf, regs);
		}
		lacks = need[i].reg > 3 || !(regs[need[i].reg] & 1U << (need[i].bit & 31));
		if (!lacks && need[i].leaf == 7 && need[i].reg == 1 && (need[i].bit == 16 || need[i].bit == 5))
			lacks = state_missing(&need[i]);
		if (!lacks)
			continue;
		if (missing.length)
			text_char(&missing, ' ');
		text_str(&missing, artefact_text(&r->artefact, need[i].name));
	}
	if (!missing.length)
		return 0;
	if (r->options.force) {
		warn(r, "this processor lacks", line, 0, "the program may die of SIGILL");
		return 0;
	}
	return refuse(r, "cannot resume here: the program was bound to processor features that this one lacks:", line, 0,
		      "run it on a processor that has them, or start it there with GLIBC_TUNABLES=glibc.cpu.hwcaps; --force tries all the same");
}
