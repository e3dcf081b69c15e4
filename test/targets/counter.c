/*
 * The simplest program: counts, one line each time, until SIGUSR1. It checks that no number is
 * left out, that its stack, heap, static data and stdio buffer came along, and ends with the code
 * it was asked for.
 *
 *   counter [milliseconds between lines [exit code]]
 */
#include "judge.h"

static unsigned long in_data = 1;
static unsigned long in_bss;

int main(int argc, char **argv)
{
	long pause_ms = argc > 1 ? atol(argv[1]) : 20;
	int code = argc > 2 ? atoi(argv[2]) : 0;
	unsigned long *in_heap = malloc(sizeof(*in_heap));
	unsigned long on_stack = 0;

	judge_subject = "counter";
	*in_heap = 0;
	ready();
	for (;;) {
		on_stack++;
		in_data++;
		in_bss++;
		++*in_heap;
		say("%lu", on_stack);
		if (judge_told)
			break;
		sleep_ms(pause_ms);
	}
	EQUAL(in_data, on_stack + 1, "the count in .data");
	EQUAL(in_bss, on_stack, "the count in .bss");
	EQUAL(*in_heap, on_stack, "the count on the heap");
	EQUAL(getpid(), judge_pid, "getpid()");
	return verdict("counter") ? 1 : code;
}
