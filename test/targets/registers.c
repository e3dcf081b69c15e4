/*
 * Registers: each kind is a thread that fills them, spins in assembly without touching them until
 * it is told, and compares them with what it had put in.
 */
#include "judge.h"
#include <asm/prctl.h>
#include <cpuid.h>

#define XFEATURE_XTILEDATA 18
#ifndef ARCH_REQ_XCOMP_PERM
#define ARCH_REQ_XCOMP_PERM 0x1023
#endif

volatile int registers_go;

static unsigned char in[32 * 64] __attribute__((aligned(64))), xmm_out[16 * 16] __attribute__((aligned(64))),
	ymm_out[16 * 32] __attribute__((aligned(64))), zmm_out[32 * 64] __attribute__((aligned(64)));
static uint64_t masks_in[8], masks_out[8];

/* Stringed for each register number. */
#define TIMES_8(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)
#define TIMES_16(M) TIMES_8(M) M(8) M(9) M(10) M(11) M(12) M(13) M(14) M(15)
#define TIMES_32(M) \
	TIMES_16(M) M(16) M(17) M(18) M(19) M(20) M(21) M(22) M(23) \
	M(24) M(25) M(26) M(27) M(28) M(29) M(30) M(31)
#define SPIN "1: pause\n cmpl $0, registers_go(%%rip)\n je 1b\n"

#define LOAD_XMM(n) "movdqu " #n "*16(%0), %%xmm" #n "\n"
#define STORE_XMM(n) "movdqu %%xmm" #n ", " #n "*16(%1)\n"
#define LOAD_YMM(n) "vmovdqu " #n "*32(%0), %%ymm" #n "\n"
#define STORE_YMM(n) "vmovdqu %%ymm" #n ", " #n "*32(%1)\n"
#define LOAD_ZMM(n) "vmovdqu64 " #n "*64(%0), %%zmm" #n "\n"
#define STORE_ZMM(n) "vmovdqu64 %%zmm" #n ", " #n "*64(%1)\n"
#define LOAD_MASK(n) "kmovq " #n "*8(%2), %%k" #n "\n"
#define STORE_MASK(n) "kmovq %%k" #n ", " #n "*8(%3)\n"

static void general(void)
{
	uint64_t out[16] = {0}, base = 0;

	MUST((int)syscall(SYS_arch_prctl, ARCH_SET_GS, 0x123456789000));
	__asm__ volatile(
		"push %%rbp\n push %%rbx\n push %0\n"
		"mov $0x1111111111111101, %%rax\n mov $0x1111111111111102, %%rbx\n"
		"mov $0x1111111111111103, %%rcx\n mov $0x1111111111111104, %%rdx\n"
		"mov $0x1111111111111105, %%rsi\n mov $0x1111111111111106, %%rdi\n"
		"mov $0x1111111111111107, %%rbp\n mov $0x1111111111111108, %%r8\n"
		"mov $0x1111111111111109, %%r9\n mov $0x111111111111110a, %%r10\n"
		"mov $0x111111111111110b, %%r11\n mov $0x111111111111110c, %%r12\n"
		"mov $0x111111111111110d, %%r13\n mov $0x111111111111110e, %%r14\n"
		"mov $0x111111111111110f, %%r15\n std\n" SPIN
		"push %%r15\n mov 8(%%rsp), %%r15\n"
		"mov %%rax, 8(%%r15)\n mov %%rbx, 16(%%r15)\n mov %%rcx, 24(%%r15)\n mov %%rdx, 32(%%r15)\n"
		"mov %%rsi, 40(%%r15)\n mov %%rdi, 48(%%r15)\n mov %%rbp, 56(%%r15)\n mov %%r8, 64(%%r15)\n"
		"mov %%r9, 72(%%r15)\n mov %%r10, 80(%%r15)\n mov %%r11, 88(%%r15)\n mov %%r12, 96(%%r15)\n"
		"mov %%r13, 104(%%r15)\n mov %%r14, 112(%%r15)\n pop %%rax\n mov %%rax, 120(%%r15)\n"
		"pushf\n pop %%rax\n mov %%rax, (%%r15)\n cld\n"
		"pop %0\n pop %%rbx\n pop %%rbp\n"
		: : "r"(out)
		: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
		  "memory", "cc");
	for (int i = 1; i < 16; i++)
		if (out[i] != 0x1111111111111100ull + i)
			FAIL("general register %d is 0x%llx", i, (unsigned long long)out[i]);
	EQUAL(out[0] & 0x400, 0x400, "the direction flag");
	syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
	EQUAL(base, 0x123456789000, "the base of gs");
}

static void sse(void)
{
	uint32_t want = 0x1f80 | 0x6000 | 0x8000 | 0x3f, got = 0, old;

	__asm__ volatile("stmxcsr %0" : "=m"(old));
	__asm__ volatile("ldmxcsr %2\n" TIMES_16(LOAD_XMM) SPIN TIMES_16(STORE_XMM) "stmxcsr %3\n ldmxcsr %4\n"
			 : : "r"(in), "r"(xmm_out), "m"(want), "m"(got), "m"(old)
			 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
			   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
	SAME_PATTERN(xmm_out, sizeof(xmm_out), 30, "SSE");
	EQUAL(*(volatile uint32_t *)&got, want, "MXCSR");
}

static void x87(void)
{
	uint16_t want = 0x0c7f, got = 0, old, status = 0;
	double back[8] = {0};

	__asm__ volatile("fnstcw %0" : "=m"(old));
	__asm__ volatile("fldcw %1\n fldz\n fld1\n fldpi\n fldl2e\n fldl2t\n fldlg2\n fldln2\n fld1\n" SPIN
			 "fnstcw %2\n fnstsw %4\n fldcw %3\n fstpl (%0)\n fstpl 8(%0)\n fstpl 16(%0)\n"
			 "fstpl 24(%0)\n fstpl 32(%0)\n fstpl 40(%0)\n fstpl 48(%0)\n fstpl 56(%0)\n"
			 : : "r"(back), "m"(want), "m"(got), "m"(old), "m"(status)
			 : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "memory", "cc");
	EQUAL(*(volatile uint16_t *)&got, want, "the x87 control word");
	EQUAL(*(volatile uint16_t *)&status & 0x3800, 0, "the top of the x87 stack");
	CHECK(back[0] == 1 && back[6] == 1 && back[7] == 0 && back[5] > 3.14159 && back[5] < 3.1416 &&
	      back[1] > 0.6931 && back[1] < 0.6932, "the x87 stack holds other values");
}

static void avx(void)
{
	if (!__builtin_cpu_supports("avx2"))
		return;
	__asm__ volatile(TIMES_16(LOAD_YMM) SPIN TIMES_16(STORE_YMM) "vzeroupper\n"
			 : : "r"(in), "r"(ymm_out)
			 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
			   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
	SAME_PATTERN(ymm_out, sizeof(ymm_out), 30, "AVX");
}

static void avx512(void)
{
	if (!__builtin_cpu_supports("avx512bw"))
		CANNOT("this processor has no AVX-512");
	for (int i = 0; i < 8; i++)
		masks_in[i] = 0x0123456789abcdefull * (i + 1);
	__asm__ volatile(TIMES_32(LOAD_ZMM) TIMES_8(LOAD_MASK) SPIN TIMES_32(STORE_ZMM) TIMES_8(STORE_MASK)
			 "vzeroupper\n"
			 : : "r"(in), "r"(zmm_out), "r"(masks_in), "r"(masks_out)
			 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
			   "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
	SAME_PATTERN(zmm_out, sizeof(zmm_out), 30, "AVX-512");
	CHECK(memcmp(masks_in, masks_out, sizeof(masks_in)) == 0, "the mask registers differ");
}

static int has_amx(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 24 & 1) &&
	       syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

#define LOAD_TILE(n) "tileloadd (%0, %3), %%tmm" #n "\n add $64, %0\n"
#define STORE_TILE(n) "tilestored %%tmm" #n ", (%1, %3)\n add $1024, %1\n"

static void amx(void)
{
	static struct { uint8_t palette, start, reserved[14]; uint16_t bytes[16]; uint8_t rows[16]; }
		__attribute__((packed, aligned(64))) shape = {.palette = 1}, shape_back;
	static unsigned char tiles[8 * 1024] __attribute__((aligned(64)));
	unsigned char *from = in, *to = tiles;

	if (!has_amx())
		CANNOT("this processor or kernel has no AMX");
	for (int i = 0; i < 8; i++) {
		shape.bytes[i] = 64;
		shape.rows[i] = 16;
	}
	__asm__ volatile("ldtilecfg (%2)\n" TIMES_8(LOAD_TILE) SPIN TIMES_8(STORE_TILE)
			 "sttilecfg (%4)\n tilerelease\n"
			 : "+r"(from), "+r"(to) : "r"(&shape), "r"(64l), "r"(&shape_back) : "memory", "cc");
	for (int i = 0; i < 8; i++)
		CHECK(memcmp(tiles + i * 1024, in + i * 64, 1024) == 0, "tile %d differs", i);
	CHECK(memcmp(&shape, &shape_back, sizeof(shape)) == 0, "the tile configuration differs");
}

static void (*current)(void);
static pthread_t thread;
static volatile int spinning;

static void *run(void *unused)
{
	sigset_t mask;

	(void)unused;
	sigfillset(&mask);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	spinning = 1;
	current();
	return NULL;
}

static void start(void (*what)(void))
{
	current = what;
	pattern_fill(in, sizeof(in), 30);
	pthread_create(&thread, NULL, run, NULL);
	while (!spinning)
		sleep_ms(1);
	sleep_ms(50);
}

static void finish(void)
{
	registers_go = 1;
	pthread_join(thread, NULL);
}

#define CASE(name) \
	static void name##_prepare(void) { start(name); }
CASE(general)
CASE(sse)
CASE(x87)
CASE(avx)
CASE(avx512)
CASE(amx)

static const struct judge_case cases[] = {
	{"general", general_prepare, finish},
	{"sse", sse_prepare, finish},
	{"x87", x87_prepare, finish},
	{"avx", avx_prepare, finish},
	{"avx512", avx512_prepare, finish},
	{"amx", amx_prepare, finish},
};

int main(int argc, char **argv)
{
	return judge_cases(argc, argv, cases, COUNT(cases));
}
