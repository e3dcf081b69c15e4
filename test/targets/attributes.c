/* What belongs to the process or a thread as a whole and is neither memory nor a descriptor. */
#include "judge.h"
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif

extern char **environ;

static char before[65536], after[65536];

static void keep(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	memset(before, 0, sizeof(before));
	if (read(fd, before, sizeof(before) - 1) <= 0)
		FAIL("%s cannot be read", path);
	close(fd);
}

static void same(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	memset(after, 0, sizeof(after));
	if (read(fd, after, sizeof(after) - 1) <= 0)
		FAIL("%s cannot be read", path);
	close(fd);
	CHECK(memcmp(before, after, sizeof(before)) == 0, "%s has changed to \"%.200s\"", path, after);
}

static void put(const char *path, const char *text)
{
	int fd = MUST(open(path, O_WRONLY | O_CLOEXEC));

	if (write(fd, text, strlen(text)) < 0)
		MUST(-1);
	close(fd);
}

static char cwd[4096];

static void cwd_prepare(void)
{
	mkdir("a directory", 0700);
	MUST(chdir("a directory"));
	if (!getcwd(cwd, sizeof(cwd)))
		MUST(-1);
	umask(0137);
}

static void cwd_check(void)
{
	char now[4096] = "";

	if (!getcwd(now, sizeof(now)))
		FAIL("getcwd: %s", strerror(errno));
	SAME_TEXT(now, cwd, "the working directory");
	EQUAL(umask(0), 0137, "the umask");
}

static const struct { int resource; unsigned long soft; } limits[] = {
	{RLIMIT_NOFILE, 321}, {RLIMIT_STACK, 3 << 20}, {RLIMIT_CORE, 0}, {RLIMIT_DATA, 1ul << 33},
	{RLIMIT_FSIZE, 1ul << 40}, {RLIMIT_AS, 1ul << 45}, {RLIMIT_MSGQUEUE, 5000},
};
static struct rlimit hard[16];

static void limits_prepare(void)
{
	struct rlimit limit;

	for (size_t i = 0; i < COUNT(limits); i++) {
		getrlimit(limits[i].resource, &limit);
		limit.rlim_cur = limits[i].soft < limit.rlim_max ? limits[i].soft : limit.rlim_max;
		MUST(setrlimit(limits[i].resource, &limit));
	}
	limit = (struct rlimit){333, 444};
	MUST(setrlimit(RLIMIT_NOFILE, &limit));
	for (int i = 0; i < 16; i++)
		getrlimit(i, &hard[i]);
}

static void limits_check(void)
{
	struct rlimit now;

	for (int i = 0; i < 16; i++) {
		getrlimit(i, &now);
		if (now.rlim_cur != hard[i].rlim_cur || now.rlim_max != hard[i].rlim_max)
			FAIL("limit %d is %lu/%lu, expected %lu/%lu", i, now.rlim_cur, now.rlim_max,
			     hard[i].rlim_cur, hard[i].rlim_max);
	}
}

static pthread_t other;
static volatile pid_t other_tid;
static volatile int go;

static void *batch_thread(void *unused)
{
	struct sched_param parameter = {0};
	sigset_t mask;

	(void)unused;
	sigfillset(&mask);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	setpriority(PRIO_PROCESS, syscall(SYS_gettid), 12);
	sched_setscheduler(0, SCHED_BATCH, &parameter);
	prctl(PR_SET_TIMERSLACK, 222222);
	prctl(PR_SET_NAME, "batch (thread");
	other_tid = syscall(SYS_gettid);
	while (!go)
		sleep_ms(5);
	EQUAL(getpriority(PRIO_PROCESS, other_tid), 12, "the nice value of the thread");
	EQUAL(sched_getscheduler(0), SCHED_BATCH, "the policy of the thread");
	EQUAL(prctl(PR_GET_TIMERSLACK), 222222, "the timer slack of the thread");
	char name[32] = "";

	prctl(PR_GET_NAME, name);
	SAME_TEXT(name, "batch (thread", "the name of the thread");
	return NULL;
}

static void sched_prepare(void)
{
	cpu_set_t one;

	MUST(nice(5) == -1 ? -1 : 0);
	MUST((int)syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6));
	MUST(prctl(PR_SET_TIMERSLACK, 123456));
	pthread_create(&other, NULL, batch_thread, NULL);
	while (!other_tid)
		sleep_ms(1);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	MUST(sched_setaffinity(0, sizeof(one), &one));
}

static void sched_check(void)
{
	cpu_set_t now, want;

	EQUAL(getpriority(PRIO_PROCESS, 0), 5, "the nice value");
	EQUAL(sched_getscheduler(0), SCHED_OTHER, "the policy");
	EQUAL(syscall(SYS_ioprio_get, 1, 0), 2 << 13 | 6, "the I/O priority");
	EQUAL(prctl(PR_GET_TIMERSLACK), 123456, "the timer slack");
	CPU_ZERO(&want);
	CPU_SET(0, &want);
	sched_getaffinity(0, sizeof(now), &now);
	CHECK(CPU_EQUAL(&now, &want), "the affinity has %d processors", CPU_COUNT(&now));
	sched_getaffinity(other_tid, sizeof(now), &now);
	EQUAL(CPU_COUNT(&now), sysconf(_SC_NPROCESSORS_ONLN), "processors of the other thread");
	go = 1;
	pthread_join(other, NULL);
}

static void proc_prepare(void)
{
	put("/proc/self/oom_score_adj", "321");
	put("/proc/self/coredump_filter", "0x15");
}

static void proc_check(void)
{
	SAME_TEXT(slurp("/proc/self/oom_score_adj", after, 100), "321", "oom_score_adj");
	SAME_TEXT(slurp("/proc/self/coredump_filter", after, 100), "00000015", "coredump_filter");
}

static void personality_prepare(void)
{
	MUST(personality(ADDR_COMPAT_LAYOUT | UNAME26));
}

static void personality_check(void)
{
	EQUAL(personality(0xffffffff), ADDR_COMPAT_LAYOUT | UNAME26, "the personality");
}

static void names_prepare(void)
{
	prctl(PR_SET_NAME, "odd) (name");
	keep("/proc/self/cmdline");
}

static void names_check(void)
{
	SAME_TEXT(slurp("/proc/self/comm", after, 100), "odd) (name", "the name");
	same("/proc/self/cmdline");
}

static void environment_prepare(void)
{
	setenv("ADDED_LATER", "yes", 1);
	keep("/proc/self/environ");
}

static void environment_check(void)
{
	same("/proc/self/environ");
	SAME_TEXT(getenv("ADDED_LATER") ?: "", "yes", "a variable added later");
}

static void auxv_prepare(void)
{
	keep("/proc/self/auxv");
}

static void auxv_check(void)
{
	same("/proc/self/auxv");
	EQUAL(getauxval(AT_PAGESZ), 4096, "AT_PAGESZ");
}

static char exe[4096];

static void exe_prepare(void)
{
	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
		MUST(-1);
}

static void exe_check(void)
{
	char now[4096] = "";

	if (readlink("/proc/self/exe", now, sizeof(now) - 1) < 0)
		FAIL("readlink: %s", strerror(errno));
	SAME_TEXT(now, exe, "/proc/self/exe");
}

static void flags_prepare(void)
{
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	MUST(prctl(PR_SET_PDEATHSIG, SIGWINCH));
	MUST(prctl(PR_SET_KEEPCAPS, 1));
	MUST(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1));
}

static void flags_check(void)
{
	int value = 0;

	EQUAL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1, "no_new_privs");
	prctl(PR_GET_PDEATHSIG, &value);
	EQUAL(value, SIGWINCH, "the parent-death signal");
	EQUAL(prctl(PR_GET_KEEPCAPS), 1, "keepcaps");
	EQUAL(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1, "THP_DISABLE");
	prctl(PR_GET_CHILD_SUBREAPER, &value);
	EQUAL(value, 1, "child subreaper");
}

static void undumpable_prepare(void)
{
	MUST(prctl(PR_SET_DUMPABLE, 0));
}

static void undumpable_check(void)
{
	EQUAL(prctl(PR_GET_DUMPABLE), 0, "dumpable");
}

static void mdwe_prepare(void)
{
	if (prctl(PR_SET_MDWE, 1, 0, 0, 0) == -1)
		CANNOT("no PR_SET_MDWE here: %s", strerror(errno));
}

static void mdwe_check(void)
{
	EQUAL(prctl(PR_GET_MDWE, 0, 0, 0, 0), 1, "MDWE");
}

static void membarrier_prepare(void)
{
	MUST((int)syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
	MUST((int)syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0));
}

static void membarrier_check(void)
{
	EQUAL(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0, "membarrier");
	long now = syscall(SYS_membarrier, 512 /* GET_REGISTRATIONS, Linux 6.3 */, 0, 0);

	CHECK(now == -1 || now == (MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED),
	      "the registrations are 0x%lx", now);
}

static uid_t ids[8];
static struct __user_cap_data_struct caps[2];

static void read_caps(struct __user_cap_data_struct *into)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};

	syscall(SYS_capget, &head, into);
}

static void ids_prepare(void)
{
	getresuid(&ids[0], &ids[1], &ids[2]);
	getresgid(&ids[3], &ids[4], &ids[5]);
	ids[6] = getgroups(0, NULL);
	read_caps(caps);
}

static void ids_check(void)
{
	uid_t now[6];
	struct __user_cap_data_struct have[2];

	getresuid(&now[0], &now[1], &now[2]);
	getresgid(&now[3], &now[4], &now[5]);
	for (int i = 0; i < 6; i++)
		EQUAL(now[i], ids[i], i < 3 ? "a user id" : "a group id");
	EQUAL(getgroups(0, NULL), ids[6], "the number of groups");
	read_caps(have);
	for (int i = 0; i < 2; i++)
		CHECK((have[i].effective & ~caps[i].effective) == 0 && (have[i].permitted & ~caps[i].permitted) == 0,
		      "more capabilities than before: %x", have[i].permitted);
}

static pid_t parent, group, session;

static void family_prepare(void)
{
	parent = getppid();
	group = getpgrp();
	session = getsid(0);
}

static void family_check(void)
{
	char line[1000], *behind;
	int of_proc = 0;

	EQUAL(getppid(), parent, "getppid()");
	EQUAL(getpgrp(), group, "getpgrp()");
	EQUAL(getsid(0), session, "getsid()");
	behind = strrchr(slurp("/proc/self/stat", line, sizeof(line)), ')');
	if (behind)
		sscanf(behind, ") %*c %d", &of_proc);
	EQUAL(of_proc, parent, "the parent in /proc/self/stat");
	EQUAL(atoi(line), getpid(), "the pid in /proc/self/stat");
}

static void real_time_prepare(void)
{
	struct sched_param parameter = {.sched_priority = 3};

	if (sched_setscheduler(0, SCHED_FIFO, &parameter) == -1)
		CANNOT("SCHED_FIFO is not allowed: %s", strerror(errno));
}

static void real_time_check(void)
{
	struct sched_param parameter = {0};

	EQUAL(sched_getscheduler(0), SCHED_FIFO, "the policy");
	sched_getparam(0, &parameter);
	EQUAL(parameter.sched_priority, 3, "the priority");
}

static const struct judge_case cases[] = {
	{"cwd", cwd_prepare, cwd_check},
	{"limits", limits_prepare, limits_check},
	{"sched", sched_prepare, sched_check},
	{"proc", proc_prepare, proc_check},
	{"personality", personality_prepare, personality_check},
	{"names", names_prepare, names_check},
	{"environment", environment_prepare, environment_check},
	{"auxv", auxv_prepare, auxv_check},
	{"exe", exe_prepare, exe_check},
	{"flags", flags_prepare, flags_check},
	{"undumpable", undumpable_prepare, undumpable_check},
	{"mdwe", mdwe_prepare, mdwe_check},
	{"membarrier", membarrier_prepare, membarrier_check},
	{"ids", ids_prepare, ids_check},
	{"family", family_prepare, family_check},
	{"real-time", real_time_prepare, real_time_check},
};

int main(int argc, char **argv)
{
	return judge_cases(argc, argv, cases, COUNT(cases));
}
