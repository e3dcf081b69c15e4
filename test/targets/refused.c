/*
 * Programs that cannot be frozen as they are, each for one reason. All of them have a thread that
 * idles in a system call with known registers and a main thread whose heartbeat goes on.
 *
 *   refused REASON
 */
#include "judge.h"
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int idle_pipe[2];
static pthread_t idle_thread;
static pid_t idle_tid;

/* Reads one byte with every general register but those of the call holding a value of its own. */
static __attribute__((noinline)) void read_with_known_registers(void)
{
	register long r8 __asm__("r8") = 0x0808080808080808;
	register long r9 __asm__("r9") = 0x0909090909090909;
	register long r10 __asm__("r10") = 0x1010101010101010;
	register long r12 __asm__("r12") = 0x1212121212121212;
	register long r13 __asm__("r13") = 0x1313131313131313;
	register long r14 __asm__("r14") = 0x1414141414141414;
	register long r15 __asm__("r15") = 0x1515151515151515;
	long rax = SYS_read;
	char byte;

	__asm__ volatile("syscall"
			 : "+a"(rax), "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r12), "+r"(r13), "+r"(r14), "+r"(r15)
			 : "D"(idle_pipe[0]), "S"(&byte), "d"(1)
			 : "rcx", "r11", "memory");
	CHECK(rax == 1 && r8 == 0x0808080808080808 && r9 == 0x0909090909090909 && r10 == 0x1010101010101010 &&
		      r12 == 0x1212121212121212 && r13 == 0x1313131313131313 && r14 == 0x1414141414141414 &&
		      r15 == 0x1515151515151515,
	      "the idle thread's registers are not those of before: %lx %lx %lx %lx %lx %lx %lx %lx", rax, r8, r9, r10,
	      r12, r13, r14, r15);
}

static void *idle(void *unused)
{
	(void)unused;
	__atomic_store_n(&idle_tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	read_with_known_registers();
	return NULL;
}

static void wake(void)
{
	MUST(write(idle_pipe[1], "x", 1));
	pthread_join(idle_thread, NULL);
}

static void nothing(void)
{
}

static void undumpable(void)
{
	MUST(prctl(PR_SET_DUMPABLE, 0));
}

static void filtered(void)
{
	struct sock_filter allow[] = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
	struct sock_fprog program = {1, allow};

	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void io_uring(void)
{
	struct io_uring_params params = {0};

	if (syscall(SYS_io_uring_setup, 4, &params) < 0)
		CANNOT("no io_uring here: %s", strerror(errno));
}

static void perf(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_TASK_CLOCK,
				       .exclude_kernel = 1};

	if (syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0) < 0)
		CANNOT("no perf events here: %s", strerror(errno));
}

static void aio(void)
{
	aio_context_t context = 0;

	if (syscall(SYS_io_setup, 8, &context) < 0)
		CANNOT("no AIO here: %s", strerror(errno));
}

static void hugetlb(void)
{
	char *page = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (page == MAP_FAILED)
		CANNOT("no pool of huge pages here: %s", strerror(errno));
	*page = 1;
}

static void userfault(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	long fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0)
		CANNOT("no userfaultfd here: %s", strerror(errno));
	range.range.len = 1 << 20;
	range.range.start =
		(long)mmap(NULL, range.range.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(ioctl(fd, UFFDIO_REGISTER, &range));
}

/* A descriptor whose kind nobody has thought of. */
static void unknown(void)
{
	int fd = syscall(430 /* fsopen */, "tmpfs", 0);

	if (fd < 0) {
		uint64_t handled[3] = {1};

		fd = syscall(444 /* landlock_create_ruleset */, handled, sizeof(handled[0]), 0);
	}
	if (fd < 0)
		CANNOT("neither fsopen nor landlock here: %s", strerror(errno));
	MUST(dup2(fd, 77));
	close(fd);
}

static void namespace(void)
{
	int fd = MUST(open("/proc/self/ns/net", O_RDONLY));

	MUST(dup2(fd, 78));
	close(fd);
}

static void child(void)
{
	if (MUST(fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
}

static void pipe_outside(void)
{
	int ends[2];

	MUST(pipe(ends));
	if (MUST(fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[1]);
		for (;;)
			pause();
	}
	MUST(dup2(ends[1], 79));
	close(ends[0]);
	close(ends[1]);
}

/* Memory that compresses badly, so that a freeze takes its time. */
static void much(size_t size)
{
	uint64_t *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), x = 88172645463325252;

	MUST((long)at);
	for (size_t i = 0; i < size / sizeof(x); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		at[i] = x;
	}
}

static void big(void)
{
	much(96 << 20);
}

/* Too small to be copied ahead of the stop. */
static void medium(void)
{
	much(48 << 20);
}

static int traced(void)
{
	char text[2048];
	const char *found = strstr(slurp("/proc/self/status", text, sizeof(text)), "TracerPid:\t");

	return found && found[11] != '0';
}

static void *sleeper(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static void *exiter(void *unused)
{
	(void)unused;
	while (!traced())
		;
	syscall(SYS_exit_group, 9);
	return NULL;
}

static void *execer(void *unused)
{
	(void)unused;
	while (!traced())
		;
	execl("/proc/self/exe", "refused", "nothing", NULL);
	return NULL;
}

/* The last thread does it as soon as the first one is attached to. */
static void when_traced(void *(*act)(void *))
{
	pthread_attr_t small;
	pthread_t thread;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 32 * 1024);
	for (int i = 0; i < 200; i++)
		pthread_create(&thread, &small, sleeper, NULL);
	pthread_create(&thread, &small, act, NULL);
}

static void exits(void)
{
	when_traced(exiter);
}

static void execs(void)
{
	when_traced(execer);
}

static void *vforker(void *unused)
{
	struct timespec long_time = {4, 0};

	(void)unused;
	if (vfork() == 0) {
		nanosleep(&long_time, NULL);
		_exit(0);
	}
	wait(NULL);
	return sleeper(NULL);
}

/* A thread that waits for the child of its vfork cannot be stopped. */
static void vforks(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, vforker, NULL);
	sleep_ms(50);
}

/* What one thread can have of its own. */
static void *own_files(void *unused)
{
	MUST(unshare(CLONE_FILES));
	return sleeper(unused);
}

static void *own_directory(void *unused)
{
	MUST(unshare(CLONE_FS));
	return sleeper(unused);
}

static void *own_credentials(void *unused)
{
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	return sleeper(unused);
}

static void thread_with(void *(*start)(void *))
{
	pthread_t thread;

	pthread_create(&thread, NULL, start, NULL);
	sleep_ms(50);
}

static void thread_files(void)
{
	thread_with(own_files);
}

static void thread_directory(void)
{
	thread_with(own_directory);
}

static void thread_credentials(void)
{
	thread_with(own_credentials);
}

static const struct judge_case cases[] = {
	{"nothing", nothing, wake},
	{"undumpable", undumpable, wake},
	{"filtered", filtered, wake},
	{"io_uring", io_uring, wake},
	{"perf", perf, wake},
	{"aio", aio, wake},
	{"hugetlb", hugetlb, wake},
	{"userfault", userfault, wake},
	{"unknown", unknown, wake},
	{"namespace", namespace, wake},
	{"child", child, wake},
	{"pipe-outside", pipe_outside, wake},
	{"big", big, wake},
	{"medium", medium, wake},
	{"exits", exits, wake},
	{"execs", execs, wake},
	{"vforks", vforks, wake},
	{"thread-files", thread_files, wake},
	{"thread-directory", thread_directory, wake},
	{"thread-credentials", thread_credentials, wake},
};

int main(int argc, char **argv)
{
	sigset_t mask;

	MUST(pipe2(idle_pipe, O_CLOEXEC));
	sigfillset(&mask);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	pthread_create(&idle_thread, NULL, idle, NULL);
	pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
	while (__atomic_load_n(&idle_tid, __ATOMIC_SEQ_CST) == 0)
		sleep_ms(1);
	say("idle %d", idle_tid);
	return judge_cases(argc, argv, cases, COUNT(cases));
}
