/* Lines of text without a libc. Names stand one after the other in one string, because a table of pointers would need relocations. */
#include "text.h"

/* number in octal, name, words: in the order of the numbers */
static const char errors[] = "\001EPERM\0Operation not permitted\0"
			     "\002ENOENT\0No such file or directory\0"
			     "\003ESRCH\0No such process\0"
			     "\004EINTR\0Interrupted system call\0"
			     "\005EIO\0Input/output error\0"
			     "\006ENXIO\0No such device or address\0"
			     "\007E2BIG\0Argument list too long\0"
			     "\010ENOEXEC\0Exec format error\0"
			     "\011EBADF\0Bad file descriptor\0"
			     "\012ECHILD\0No child processes\0"
			     "\013EAGAIN\0Resource temporarily unavailable\0"
			     "\014ENOMEM\0Cannot allocate memory\0"
			     "\015EACCES\0Permission denied\0"
			     "\016EFAULT\0Bad address\0"
			     "\020EBUSY\0Device or resource busy\0"
			     "\021EEXIST\0File exists\0"
			     "\022EXDEV\0Invalid cross-device link\0"
			     "\023ENODEV\0No such device\0"
			     "\024ENOTDIR\0Not a directory\0"
			     "\025EISDIR\0Is a directory\0"
			     "\026EINVAL\0Invalid argument\0"
			     "\027ENFILE\0Too many open files in system\0"
			     "\030EMFILE\0Too many open files\0"
			     "\031ENOTTY\0Inappropriate ioctl for device\0"
			     "\032ETXTBSY\0Text file busy\0"
			     "\033EFBIG\0File too large\0"
			     "\034ENOSPC\0No space left on device\0"
			     "\035ESPIPE\0Illegal seek\0"
			     "\036EROFS\0Read-only file system\0"
			     "\040EPIPE\0Broken pipe\0"
			     "\042ERANGE\0Numerical result out of range\0"
			     "\043EDEADLK\0Resource deadlock avoided\0"
			     "\044ENAMETOOLONG\0File name too long\0"
			     "\046ENOSYS\0Function not implemented\0"
			     "\050ELOOP\0Too many levels of symbolic links\0"
			     "\112EBADMSG\0Bad message\0"
			     "\113EOVERFLOW\0Value too large for defined data type\0"
			     "\134ENOPROTOOPT\0Protocol not available\0"
			     "\135EPROTONOSUPPORT\0Protocol not supported\0"
			     "\137EOPNOTSUPP\0Operation not supported\0"
			     "\141EAFNOSUPPORT\0Address family not supported by protocol\0"
			     "\142EADDRINUSE\0Address already in use\0"
			     "\143EADDRNOTAVAIL\0Cannot assign requested address\0"
			     "\150ECONNRESET\0Connection reset by peer\0"
			     "\156ETIMEDOUT\0Connection timed out\0"
			     "\157ECONNREFUSED\0Connection refused\0"
			     "\164ESTALE\0Stale file handle\0"
			     "\172EDQUOT\0Disk quota exceeded\0";

static const char signals[] = "HUP\0INT\0QUIT\0ILL\0TRAP\0ABRT\0BUS\0FPE\0KILL\0USR1\0SEGV\0USR2\0PIPE\0ALRM\0TERM\0STKFLT\0"
			      "CHLD\0CONT\0STOP\0TSTP\0TTIN\0TTOU\0URG\0XCPU\0XFSZ\0VTALRM\0PROF\0WINCH\0IO\0PWR\0SYS\0";

struct text text_in(char *buffer, size_t size)
{
	struct text t = {buffer, 0, size};

	buffer[0] = 0;
	return t;
}

void text_char(struct text *t, char c)
{
	if (t->length + 1 >= t->size)
		return;
	t->start[t->length++] = c;
	t->start[t->length] = 0;
}

void text_str(struct text *t, const char *s)
{
	while (*s)
		text_char(t, *s++);
}

void text_line(struct text *t, const char *s)
{
	for (; *s; s++)
		text_char(t, (unsigned char)*s < ' ' || *s == 127 ? '?' : *s);
}

static void digits(struct text *t, uint64_t value, unsigned base)
{
	char reversed[24];
	int n = 0;

	do {
		unsigned digit = (unsigned)(value % base);

		reversed[n++] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
		value /= base;
	} while (value);
	while (n)
		text_char(t, reversed[--n]);
}

void text_dec(struct text *t, int64_t value)
{
	if (value < 0)
		text_char(t, '-');
	digits(t, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

void text_hex(struct text *t, uint64_t value)
{
	digits(t, value, 16);
}

void text_errno(struct text *t, long err)
{
	const char *at = errors;

	while (*at) {
		const char *name = at + 1, *words = name + text_length(name) + 1;

		if ((unsigned char)*at == err) {
			text_str(t, words);
			text_str(t, " (");
			text_str(t, name);
			text_char(t, ')');
			return;
		}
		at = words + text_length(words) + 1;
	}
	text_str(t, "error ");
	text_dec(t, err);
}

void text_signal(struct text *t, int signo)
{
	const char *at = signals;

	text_str(t, "SIG");
	if (signo >= 32)
		text_str(t, "RT");
	if (signo >= 32 || signo < 1) {
		text_dec(t, signo);
		return;
	}
	while (--signo)
		at += text_length(at) + 1;
	text_str(t, at);
}

size_t text_length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int text_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

int text_starts(const char *s, const char *prefix)
{
	while (*prefix && *s == *prefix) {
		s++;
		prefix++;
	}
	return *prefix == 0;
}

int64_t text_number(const char *s, const char **end)
{
	int64_t value = 0;

	if (*s < '0' || *s > '9')
		return -1;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (value > (INT64_MAX - 9) / 10)
			return -1;
		value = value * 10 + (*s - '0');
	}
	if (end)
		*end = s;
	return value;
}
