/* The program that `npm run demo` freezes: counts to 12 on standard output, three numbers a second. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	int n;

	/* Whatever the terminal, the editor or the CI that started it has left open. */
	for (n = 3; n < 1024; n++)
		close(n);
	for (n = 1; n <= 12; n++) {
		printf("%d\n", n);
		fflush(stdout);
		usleep(330000);
	}
	return 7;
}
