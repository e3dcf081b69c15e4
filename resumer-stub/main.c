/* The program at the head of every artefact: without an option it resumes what lies behind it. */
#include <linux/auxvec.h>
#include <linux/mman.h>

#include "resume.h"
#include "text.h"

struct resume stub_resume;

long artefact_open(struct resume *r);
long lazy_check(struct resume *r);

/* A command line that is not understood: one line, and nothing has been resumed. */
static _Noreturn void usage(const char *what, const char *option)
{
	char line[256];
	struct text t = text_in(line, sizeof(line));

	text_str(&t, what);
	text_char(&t, ' ');
	text_line(&t, option);
	text_str(&t, "; see --help");
	say("", line, t.length);
	sys_exit_group(EXIT_OWN_FAILURE);
}

/* Value of `name` at argv[*i]: "--name=VALUE" or "--name VALUE". 0 when argv[*i] is another option. */
static char *value_of(int argc, char **argv, int *i, const char *name)
{
	char *at = argv[*i];
	size_t length = text_length(name);

	if (!text_starts(at, name) || (at[length] != 0 && at[length] != '='))
		return 0;
	if (at[length] == '=')
		return at + length + 1;
	if (*i + 1 >= argc)
		usage("a value is missing after", name);
	return argv[++*i];
}

static enum pid_mode pid_mode(const char *value)
{
	if (text_equal(value, "auto"))
		return PID_AUTO;
	if (text_equal(value, "host"))
		return PID_HOST;
	if (text_equal(value, "private"))
		return PID_PRIVATE;
	if (text_equal(value, "renumber"))
		return PID_RENUMBER;
	usage("--pid is auto, host, private or renumber, not", value);
}

static void check_fd(const char *value)
{
	const char *end = value;

	if (text_number(value, &end) < 0 || *end != '=' || !end[1])
		usage("--fd is N=null, N=hangup, N=inherit or N=PATH, not", value);
}

static void check_map(const char *value)
{
	const char *at = value;

	while (*at && *at != '=')
		at++;
	if (at == value || !*at || !at[1])
		usage("--map is OLD=NEW, not", value);
}

static void check_external(const char *value)
{
	if (!text_equal(value, "hangup") && !text_equal(value, "refuse") && !text_equal(value, "null") &&
	    !text_equal(value, "inherit"))
		usage("--external is hangup, refuse, null or inherit, not", value);
}

/* Options that the parts read themselves (descriptors: --fd, --external, --map), checked here. */
static int repeatable(struct options *o, char **argv, int *i)
{
	char *value;

	if ((value = value_of(o->argc, argv, i, "--fd")))
		check_fd(value);
	else if ((value = value_of(o->argc, argv, i, "--map")))
		check_map(value);
	else if ((value = value_of(o->argc, argv, i, "--external")))
		check_external(value);
	return value != 0;
}

static int flag(struct options *o, const char *arg)
{
	if (text_equal(arg, "-v") || text_equal(arg, "--verbose"))
		o->verbose = 1;
	else if (text_equal(arg, "--force"))
		o->force = 1;
	else if (text_equal(arg, "--own-tty"))
		o->own_tty = 1;
	else if (text_equal(arg, "--detach"))
		o->detach = 1;
	else if (text_equal(arg, "--lazy"))
		o->lazy = 1;
	else if (text_equal(arg, "--json"))
		o->json = 1;
	else if (text_equal(arg, "--inspect") || text_equal(arg, "--info"))
		o->show = SHOW_INSPECT;
	else if (text_equal(arg, "--check"))
		o->show = SHOW_CHECK;
	else if (text_equal(arg, "--help") || text_equal(arg, "-h"))
		o->show = SHOW_HELP;
	else if (text_equal(arg, "--version"))
		o->show = SHOW_VERSION;
	else
		return 0;
	return 1;
}

static int attach(struct options *o, char **argv, int *i)
{
	const char *arg = argv[*i], *end;

	if (!text_starts(arg, "--attach") || (arg[8] != 0 && arg[8] != '='))
		return 0;
	o->attach = 1;
	if (arg[8] == '=')
		arg += 9;
	else if (*i + 1 < o->argc && argv[*i + 1][0] != '-')
		arg = argv[++*i];
	else
		return 1;
	o->attach_pid = (int)text_number(arg, &end);
	if (o->attach_pid <= 0 || *end)
		usage("--attach takes the pid that --detach printed, not", arg);
	return 1;
}

static void parse(struct options *o, int argc, char **argv)
{
	char *value;
	int i;

	o->argc = argc;
	o->argv = argv;
	for (i = 1; i < argc; i++) {
		if (flag(o, argv[i]) || repeatable(o, argv, &i) || attach(o, argv, &i))
			continue;
		if ((value = value_of(argc, argv, &i, "--pid")))
			o->pid = pid_mode(value);
		else if (text_starts(argv[i], "--key") || text_starts(argv[i], "--passphrase-fd"))
			usage("this file is not encrypted, so it takes no", argv[i]);
		else
			usage(argv[i][0] == '-' ? "unknown option" : "this file takes no arguments: unexpected", argv[i]);
	}
}

static const char *executed_path(char **envp)
{
	uint64_t *aux;

	while (*envp++)
		;
	for (aux = (uint64_t *)envp; aux[0] != AT_NULL; aux += 2)
		if (aux[0] == AT_EXECFN)
			return (const char *)aux[1];
	return 0;
}

static int show(struct resume *r)
{
	if (r->options.show == SHOW_INSPECT)
		return inspect_run(r);
	if (r->options.show == SHOW_CHECK)
		return check_run(r);
	return version_run(r);
}

/* Entry from start.S with the stack as the kernel left it: argc, argv, 0, envp, 0, auxv. */
_Noreturn void stub_main(long *stack);

_Noreturn void stub_main(long *stack)
{
	struct resume *r = &stub_resume;
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
	long page;

	parse(&r->options, argc, argv);
	r->argv = argv;
	r->options.envp = envp;
	r->exec_path = executed_path(envp);
	r->proc_fd = r->terminal_fd = -1;
	if (r->options.show == SHOW_HELP)
		sys_exit_group(help_run(argc ? argv[0] : "./job.frore"));
	page = sys_mmap(0, PAGE_UP(sizeof(struct status)), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page < 0)
		usage("cannot get memory:", "raise ulimit -v");
	r->status = (struct status *)page;
	if (r->options.attach)
		sys_exit_group(attach_run(r));
	if (artefact_open(r) < 0) {
		say("", r->status->message, sizeof(r->status->message));
		sys_exit_group(r->options.show == SHOW_CHECK ? 4 : EXIT_OWN_FAILURE);
	}
	if (!r->options.show && lazy_check(r) < 0) {
		say("", r->status->message, sizeof(r->status->message));
		sys_exit_group(EXIT_OWN_FAILURE);
	}
	sys_exit_group(r->options.show ? show(r) : launcher_run(r));
}
