/* timerfd_create(2): made early, armed last. */
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/timerfd.h>

#include "kinds.h"

#define BILLION 1000000000
#define EPERM 1

long timerfd_open(struct fds *f, uint32_t d, const struct frore_timerfd *row)
{
	long fd = sys2(__NR_timerfd_create, row->clockid, O_CLOEXEC);

	/* alarm clocks wake a sleeping machine, which needs CAP_WAKE_ALARM */
	if (fd == -EPERM && (row->clockid == CLOCK_REALTIME_ALARM || row->clockid == CLOCK_BOOTTIME_ALARM)) {
		fd = sys2(__NR_timerfd_create, row->clockid == CLOCK_REALTIME_ALARM ? CLOCK_REALTIME : CLOCK_BOOTTIME, O_CLOEXEC);
		warn_fd(f, d, "will not wake a sleeping machine:", "an alarm timer", 0, "run it as root");
	}
	return stage(f, d, fd, "cannot make", "a timerfd", 0);
}

/* An absolute deadline stays what the program remembers of it; what is relative goes on with what was left. */
long timerfd_finish(struct fds *f, uint32_t d, const struct frore_timerfd *row)
{
	int64_t value = row->deadline_ns ? row->deadline_ns : row->value_ns;
	int flags = row->deadline_ns ? (int)row->settime_flags & (TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) : 0;
	struct __kernel_itimerspec setting = {
		.it_interval = {row->interval_ns / BILLION, row->interval_ns % BILLION},
		.it_value = {value / BILLION, value % BILLION},
	};
	uint64_t ticks = row->ticks;
	long ret = sys4(__NR_timerfd_settime, staged(f, d), flags, (long)&setting, 0);

	if (ret < 0)
		return refuse_fd(f, d, "cannot arm", "a timerfd", ret, 0);
	if (ticks && sys_ioctl(staged(f, d), TFD_IOC_SET_TICKS, &ticks) < 0)
		warn_fd(f, d, "loses expirations that were not read yet:", "a timerfd", 0, "the kernel needs CONFIG_CHECKPOINT_RESTORE");
	return 0;
}
