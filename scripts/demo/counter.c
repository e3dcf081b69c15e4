/* The program that `npm run demo` freezes: counts to 12 on standard output, three numbers a second. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	int n;

	for (n = 1; n <= 12; n++) {
		printf("%d\n", n);
		fflush(stdout);
		usleep(330000);
	}
	return 7;
}
