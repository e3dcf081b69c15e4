/* Connects this terminal to a detached supervisor. */
#include "launcher.h"

int attach_run(struct resume *r)
{
	(void)r;
	say("", "there is no detached program to attach to", 200);
	return EXIT_OWN_FAILURE;
}
