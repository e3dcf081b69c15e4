/* --help and --version. */
#include "../resume.h"
#include "../text.h"

static const char options[] =
	"  --inspect (--info)       what is inside, without resuming it\n"
	"  --check                  would it run on this machine? exit code 0 yes, 3 no, 4 damaged\n"
	"  --version                versions of the format and of the freezer\n"
	"  --json                   the answer of these for machines\n"
	"  --pid auto|host|private|renumber\n"
	"                           how the program gets its old pids back: among all processes of this machine,\n"
	"                           in namespaces of its own, or not at all; default: the first that is possible\n"
	"  --fd N=null|hangup|inherit|PATH\n"
	"                           what descriptor N becomes\n"
	"  --external hangup|refuse|null|inherit\n"
	"                           what becomes of descriptors whose other end was outside\n"
	"  --map OLD=NEW            use file NEW where the program had OLD\n"
	"  --own-tty                give the program a terminal and session of its own, shown on this one\n"
	"  --detach                 the same in the background; prints the supervisor's pid\n"
	"  --attach [PID]           connect this terminal to a detached program; ctrl-\\ detaches again\n"
	"  --lazy                   map memory from this file, made with --compress none, instead of reading it: it starts at\n"
	"                           once, whatever its size, and copies share what they do not change. Of this file the\n"
	"                           tables are checked, but not the memory that is mapped; it must not be written to while\n"
	"                           the program runs. Dropped memory (MADV_DONTNEED) has the old bytes again, not zeros;\n"
	"                           MADV_FREE and MADV_WIPEONFORK fail, mremap(2) does where a mapping is in pieces\n"
	"  --force                  try although the processor lacks something\n"
	"  -v                       say how it was resumed\n"
	"\n"
	"It ends as the program ends. 125: it could not be resumed, and nothing has been.\n";

int help_run(const char *name)
{
	char line[sizeof(options) + 400];
	struct text t = text_in(line, sizeof(line));

	text_str(&t, "Usage: ");
	text_line(&t, name);
	text_str(&t, " [OPTION]...\nResumes the frozen program in this file, here, on this terminal.\n\n");
	text_str(&t, options);
	sys_write(1, line, t.length);
	return 0;
}

int version_run(struct resume *r)
{
	char line[256];
	struct text t = text_in(line, sizeof(line));
	uint64_t count;
	const struct frore_machine *m = artefact_table(&r->artefact, FRORE_TABLE_MACHINE, &count);
	const char *freezer = count ? artefact_text(&r->artefact, m->frore_version) : "";

	text_str(&t, r->options.json ? "{\"format\":" : "snapshot format ");
	text_dec(&t, FRORE_FORMAT_VERSION);
	text_str(&t, r->options.json ? ",\"frore\":\"" : ", frozen by frore ");
	text_line(&t, freezer);
	text_str(&t, r->options.json ? "\"}\n" : "\n");
	sys_write(1, line, t.length);
	return 0;
}
