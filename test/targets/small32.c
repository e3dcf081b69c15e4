/* A 32-bit program that needs no library: says "ready", then "beat" ten times a second. */
static int call3(int number, int a, const void *b, int c)
{
	int result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

void _start(void)
{
	struct {
		int seconds, nanoseconds;
	} pause = {0, 100000000};

	call3(4 /* write */, 1, "ready\n", 6);
	for (;;) {
		call3(162 /* nanosleep */, (int)&pause, 0, 0);
		call3(4, 1, "beat\n", 5);
	}
}
