/* Children that are other users than their parent, each with groups, capabilities and securebits of its own. */
#include "judge.h"
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define CHILDREN 6
#define LINES 12

/* What a child says of itself. */
struct identity {
	volatile int asked;
	char lines[LINES][128];
	int count, securebits, keepcaps, dumpable;
};

static struct identity *identities, before[CHILDREN];
static pid_t children[CHILDREN];
static int which;

static int tells_who(const char *line)
{
	static const char *const names[] = {"Uid:", "Gid:", "Groups:", "Cap", "NoNewPrivs:"};

	for (size_t i = 0; i < COUNT(names); i++)
		if (strncmp(line, names[i], strlen(names[i])) == 0)
			return 1;
	return 0;
}

static void tell(int signo)
{
	struct identity *me = &identities[which];
	char text[8192], *line, *rest;

	(void)signo;
	slurp("/proc/thread-self/status", text, sizeof(text));
	me->count = 0;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (tells_who(line) && me->count < LINES)
			snprintf(me->lines[me->count++], sizeof(me->lines[0]), "%s", line);
	me->securebits = prctl(PR_GET_SECUREBITS);
	me->keepcaps = prctl(PR_GET_KEEPCAPS);
	me->dumpable = prctl(PR_GET_DUMPABLE);
	me->asked++;
}

static void set_caps(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {
		{(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
		{(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
	};

	MUST(syscall(SYS_capset, &header, data));
}

#define CAP(name) (1ull << (CAP_##name))

static void become(void)
{
	gid_t groups[] = {4, 33, 1000};

	switch (which) {
	case 0: /* a worker, as nginx makes it */
		MUST(initgroups("www-data", 33));
		MUST(setgid(33));
		MUST(setuid(33));
		break;
	case 1: /* three of each */
		MUST(setgroups(3, groups));
		MUST(setresgid(5, 6, 7));
		MUST(setresuid(8, 9, 10));
		break;
	case 2: /* a user with one capability, also for what it executes */
		MUST(prctl(PR_SET_KEEPCAPS, 1));
		MUST(setgroups(0, NULL));
		MUST(setresgid(1000, 1000, 1000));
		MUST(setresuid(1000, 1000, 1000));
		set_caps(CAP(NET_BIND_SERVICE), CAP(NET_BIND_SERVICE) | CAP(KILL), CAP(NET_BIND_SERVICE));
		MUST(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0));
		break;
	case 3: /* root without its powers */
		MUST(prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE));
		MUST(prctl(PR_CAPBSET_DROP, CAP_MKNOD));
		MUST(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE));
		set_caps(CAP(CHOWN), CAP(CHOWN) | CAP(FOWNER), 0);
		break;
	case 4: /* for good */
		MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		MUST(setgroups(1, groups));
		MUST(setresgid(33, 33, 33));
		MUST(setresuid(33, 33, 33));
		MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
		break;
	default: /* may become root again */
		MUST(prctl(PR_SET_KEEPCAPS, 1));
		MUST(setresgid(33, 33, 0));
		MUST(setresuid(33, 33, 0));
		break;
	}
}

static void live(int index)
{
	which = index;
	become();
	signal(SIGUSR2, tell);
	signal(SIGUSR1, SIG_DFL);
	tell(0);
	for (;;)
		pause();
}

static void await(int index, int asked)
{
	for (int i = 0; identities[index].asked < asked && i < 5000; i++)
		sleep_ms(1);
	if (identities[index].asked < asked)
		FAIL("child %d does not answer", index);
}

int main(void)
{
	judge_subject = "identities";
	if (geteuid() != 0)
		CANNOT("only root can be others");
	setvbuf(stdout, NULL, _IOLBF, 0);
	identities = MUST(mmap(NULL, CHILDREN * sizeof(*identities), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = MUST(fork());
		if (children[i] == 0)
			live(i);
		await(i, 1);
	}
	memcpy(before, identities, sizeof(before));
	ready();
	judge_wait();
	for (int i = 0; i < CHILDREN; i++) {
		struct identity *now = &identities[i];

		kill(children[i], SIGUSR2);
		await(i, before[i].asked + 1);
		EQUAL(now->count, before[i].count, "the number of lines");
		for (int line = 0; line < now->count; line++)
			SAME_TEXT(now->lines[line], before[i].lines[line], "a line");
		EQUAL(now->securebits, before[i].securebits, "the securebits");
		EQUAL(now->keepcaps, before[i].keepcaps, "whether capabilities are kept");
		EQUAL(now->dumpable, before[i].dumpable, "dumpable");
		kill(children[i], SIGKILL);
		EQUAL(waitpid(children[i], NULL, 0), children[i], "a child's end");
	}
	return verdict("identities");
}
