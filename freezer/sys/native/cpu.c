/* What only machine instructions tell about the processor. */
#include <cpuid.h>
#include <stdint.h>

#include "native.h"

#define CPUID1_ECX_OSXSAVE (1U << 27)

/* EAX, EBX, ECX, EDX of one leaf; zeros when the processor has no such leaf. */
EXPORT void frore_native_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	out[0] = out[1] = out[2] = out[3] = 0;
	if (leaf > (uint32_t)__get_cpuid_max(leaf & 0x80000000, 0))
		return;
	__cpuid_count(leaf, subleaf, out[0], out[1], out[2], out[3]);
}

/* XCR0, or 0 when the kernel has not enabled XSAVE. */
EXPORT void frore_native_xgetbv(uint64_t *out)
{
	uint32_t a, b, c, d;

	*out = 0;
	__cpuid(1, a, b, c, d);
	if (!(c & CPUID1_ECX_OSXSAVE))
		return;
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	*out = (uint64_t)d << 32 | a;
}
