/* Rendered from builder/format/schema.ts by `npm run gen`: change it there. clang-format off */
#ifndef FRORE_FORMAT_H
#define FRORE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define FRORE_FORMAT_VERSION 1
#define FRORE_SCHEMA_HASH 0xf1e0817ada913479ULL
#define FRORE_PREAMBLE_MAGIC 0x504e5345524f5246ULL /* "FRORESNP" */
#define FRORE_TRAILER_MAGIC 0x444e4545524f5246ULL /* "FROREEND" */
#define FRORE_NONE 0xffffffffU /* "no such row" in a reference field */

/* Bytes in the blob of HEAD; text is followed by a NUL that `length` does not count, bytes start 8-aligned. */
struct frore_ref {
	uint32_t offset;
	uint32_t length;
};
_Static_assert(sizeof(struct frore_ref) == 8, "frore_ref");

enum {
	FRORE_CODEC_NONE = 0,
	FRORE_CODEC_ZSTD = 1,
	FRORE_CODEC_LZ4 = 2,
	FRORE_CODEC_DEFLATE = 3,
	FRORE_CODEC_GZIP = 4,
	FRORE_CODEC_SNAPPY = 5,
};

enum {
	FRORE_CIPHER_NONE = 0,
};

enum {
	FRORE_SECTION_HEAD = 1,
	FRORE_SECTION_FRAMES = 2,
	FRORE_SECTION_INDEX = 3,
};

enum {
	FRORE_SPACE_MM = 0,
	FRORE_SPACE_CONTENT = 1,
};

enum {
	FRORE_SOURCE_ZERO = 0,
	FRORE_SOURCE_STORED = 1,
	FRORE_SOURCE_IMAGE = 2,
	FRORE_SOURCE_COPY = 3,
	FRORE_SOURCE_REPEAT = 4,
	FRORE_SOURCE_VOID = 5,
};

enum {
	FRORE_CONTENT_SHARED_MEMORY = 0,
	FRORE_CONTENT_MEMFD = 1,
	FRORE_CONTENT_FILE = 2,
	FRORE_CONTENT_DELETED_FILE = 3,
	FRORE_CONTENT_IMAGE = 4,
	FRORE_CONTENT_SEGMENT = 5,
};

enum {
	FRORE_TASK_STOPPED = 1,
	FRORE_TASK_NO_NEW_PRIVS = 2,
	FRORE_TASK_KEEPCAPS = 4,
	FRORE_TASK_SUBREAPER = 8,
	FRORE_TASK_THP_DISABLE = 16,
	FRORE_TASK_HAS_TTY = 32,
	FRORE_TASK_FOREGROUND = 64,
	FRORE_TASK_SESSION_LEADER = 128,
	FRORE_TASK_GROUP_LEADER = 256,
	FRORE_TASK_IO_FLUSHER = 512,
	FRORE_TASK_ZOMBIE = 1024,
	FRORE_TASK_TEMPORARY = 2048,
	FRORE_TASK_EARLY = 4096,
	FRORE_TASK_STOP_UNTOLD = 8192,
	FRORE_TASK_SHARES_FILES = 16384,
	FRORE_TASK_SHARES_FS = 32768,
	FRORE_TASK_LEADER_ENDED = 65536,
};

enum {
	FRORE_MM_GROWING_STACK = 1,
};

enum {
	FRORE_VMA_ANON = 0,
	FRORE_VMA_FILE_PRIVATE = 1,
	FRORE_VMA_FILE_SHARED = 2,
	FRORE_VMA_CONTENT_SHARED = 3,
	FRORE_VMA_CONTENT_PRIVATE = 4,
};

enum {
	FRORE_VMA_FLAG_GROWSDOWN = 1,
	FRORE_VMA_FLAG_NORESERVE = 2,
	FRORE_VMA_FLAG_LOCKED = 4,
	FRORE_VMA_FLAG_LOCKONFAULT = 8,
	FRORE_VMA_FLAG_DONTFORK = 16,
	FRORE_VMA_FLAG_WIPEONFORK = 32,
	FRORE_VMA_FLAG_DONTDUMP = 64,
	FRORE_VMA_FLAG_HUGEPAGE = 128,
	FRORE_VMA_FLAG_NOHUGEPAGE = 256,
	FRORE_VMA_FLAG_MERGEABLE = 512,
	FRORE_VMA_FLAG_SEQUENTIAL = 1024,
	FRORE_VMA_FLAG_RANDOM = 2048,
	FRORE_VMA_FLAG_SEALED = 4096,
	FRORE_VMA_FLAG_HUGETLB = 8192,
	FRORE_VMA_FLAG_HEAP = 16384,
	FRORE_VMA_FLAG_STACK = 32768,
	FRORE_VMA_FLAG_DROPPABLE = 65536,
	FRORE_VMA_FLAG_SYNC = 131072,
	FRORE_VMA_FLAG_RESERVED = 262144,
	FRORE_VMA_FLAG_READ_ONLY = 524288,
};

enum {
	FRORE_IMAGE_DELETED = 1,
	FRORE_IMAGE_NOT_EMBEDDED = 2,
};

enum {
	FRORE_FILE_DELETED = 1,
	FRORE_FILE_AT_END = 2,
	FRORE_FILE_EMBEDDED = 4,
	FRORE_FILE_PATH_ONLY = 8,
	FRORE_FILE_DIRECTORY = 16,
	FRORE_FILE_PROC = 32,
	FRORE_FILE_FIFO = 64,
	FRORE_FILE_CREATE = 128,
	FRORE_FILE_LATE = 256,
};

enum {
	FRORE_INHERIT_WAS_TTY = 1,
	FRORE_INHERIT_READ = 2,
	FRORE_INHERIT_WRITE = 4,
};

enum {
	FRORE_TTY_CONTROLLING = 1,
	FRORE_TTY_LOCKED = 2,
	FRORE_TTY_EXCLUSIVE = 4,
};

enum {
	FRORE_PTY_END_MASTER = 0,
	FRORE_PTY_END_SLAVE = 1,
};

enum {
	FRORE_PTY_LOCKED = 1,
	FRORE_PTY_PACKET = 2,
	FRORE_PTY_EXCLUSIVE = 4,
	FRORE_PTY_MASTER_EXCLUSIVE = 8,
	FRORE_PTY_HUNG_UP = 16,
	FRORE_PTY_LEFT = 32,
	FRORE_PTY_STOPPED = 64,
};

enum {
	FRORE_HANGUP_WHAT_SOCKET = 0,
	FRORE_HANGUP_WHAT_PIPE_READ = 1,
	FRORE_HANGUP_WHAT_PIPE_WRITE = 2,
};

enum {
	FRORE_LOCK_KIND_POSIX = 0,
	FRORE_LOCK_KIND_OFD = 1,
	FRORE_LOCK_KIND_FLOCK = 2,
};

enum {
	FRORE_KIND_FILE = 0,
	FRORE_KIND_INHERIT = 1,
	FRORE_KIND_TTY = 2,
	FRORE_KIND_PIPE = 3,
	FRORE_KIND_EVENTFD = 4,
	FRORE_KIND_EPOLL = 5,
	FRORE_KIND_TIMERFD = 6,
	FRORE_KIND_SIGNALFD = 7,
	FRORE_KIND_INOTIFY = 8,
	FRORE_KIND_MEMFD = 9,
	FRORE_KIND_PIDFD = 10,
	FRORE_KIND_SOCKET = 11,
	FRORE_KIND_HANGUP = 12,
	FRORE_KIND_PTY = 13,
};

enum {
	FRORE_SOCKET_UNCONNECTED = 0,
	FRORE_SOCKET_LISTENING = 1,
	FRORE_SOCKET_CONNECTED = 2,
	FRORE_SOCKET_PAIR = 3,
	FRORE_SOCKET_PENDING = 4,
};

enum {
	FRORE_SOCKET_FLAG_RECONNECT = 1,
	FRORE_SOCKET_FLAG_EPHEMERAL = 2,
	FRORE_SOCKET_FLAG_UNLINKED = 4,
	FRORE_SOCKET_FLAG_ACCEPTED = 8,
};

enum {
	FRORE_HANGUP_READ_ONLY = 1,
};

enum {
	FRORE_RESTART_REG_NONE = 0,
	FRORE_RESTART_REG_RDI = 1,
	FRORE_RESTART_REG_RSI = 2,
	FRORE_RESTART_REG_RDX = 3,
	FRORE_RESTART_REG_R10 = 4,
	FRORE_RESTART_REG_R8 = 5,
	FRORE_RESTART_REG_R9 = 6,
};

/* Ids of the tables in the directory of HEAD. */
enum {
	FRORE_TABLE_MACHINE = 0,
	FRORE_TABLE_XCOMP = 1,
	FRORE_TABLE_CPU_NEED = 2,
	FRORE_TABLE_WARNING = 3,
	FRORE_TABLE_CONTENT = 4,
	FRORE_TABLE_TASK = 5,
	FRORE_TABLE_RLIMIT = 6,
	FRORE_TABLE_SIGACTION = 7,
	FRORE_TABLE_PENDING = 8,
	FRORE_TABLE_ITIMER = 9,
	FRORE_TABLE_POSIX_TIMER = 10,
	FRORE_TABLE_LOCK = 11,
	FRORE_TABLE_THREAD = 12,
	FRORE_TABLE_MM = 13,
	FRORE_TABLE_VMA = 14,
	FRORE_TABLE_WINDOW = 15,
	FRORE_TABLE_SAME = 16,
	FRORE_TABLE_GUARD = 17,
	FRORE_TABLE_IMAGE = 18,
	FRORE_TABLE_DESCRIPTION = 19,
	FRORE_TABLE_FD = 20,
	FRORE_TABLE_FILE = 21,
	FRORE_TABLE_INHERIT = 22,
	FRORE_TABLE_TTY = 23,
	FRORE_TABLE_PIPE = 24,
	FRORE_TABLE_PIPE_OBJECT = 25,
	FRORE_TABLE_EVENTFD = 26,
	FRORE_TABLE_EPOLL = 27,
	FRORE_TABLE_EPOLL_ENTRY = 28,
	FRORE_TABLE_TIMERFD = 29,
	FRORE_TABLE_SIGNALFD = 30,
	FRORE_TABLE_INOTIFY = 31,
	FRORE_TABLE_INOTIFY_WATCH = 32,
	FRORE_TABLE_MEMFD = 33,
	FRORE_TABLE_PIDFD = 34,
	FRORE_TABLE_SOCKET = 35,
	FRORE_TABLE_SOCKET_OPTION = 36,
	FRORE_TABLE_SOCKET_MESSAGE = 37,
	FRORE_TABLE_HANGUP = 38,
	FRORE_TABLE_PTY = 39,
	FRORE_TABLE_PTY_PAIR = 40,
	FRORE_TABLE_SHM = 41,
	FRORE_TABLE_SEM = 42,
	FRORE_TABLE_MSG = 43,
	FRORE_TABLE_MSG_MESSAGE = 44,
	FRORE_TABLE_COUNT = 45,
};

/* First bytes behind the stub, whose length is a multiple of the page size; the sections follow at once: frames, HEAD, INDEX, trailer */
struct frore_preamble {
	uint64_t magic; /* "FRORESNP" */
	uint32_t version; /* FORMAT_VERSION */
	uint32_t arch; /* e_machine of ELF: 62 x86-64 */
	uint64_t schema_hash; /* Low 64 bits of SHA-256 of the schema, equal to the one compiled into the stub */
	uint32_t page_size; /* Bytes */
	uint32_t codec; /* CODEC_* of the frames */
	uint32_t cipher; /* CIPHER_* */
	uint32_t pad0; /* 0 */
	uint64_t key_name; /* Reserved for the key name, 0 */
	uint64_t checksum; /* XXH64 of the bytes before this field */
};
_Static_assert(sizeof(struct frore_preamble) == 56, "preamble");
_Static_assert(offsetof(struct frore_preamble, magic) == 0, "preamble.magic");
_Static_assert(offsetof(struct frore_preamble, version) == 8, "preamble.version");
_Static_assert(offsetof(struct frore_preamble, arch) == 12, "preamble.arch");
_Static_assert(offsetof(struct frore_preamble, schema_hash) == 16, "preamble.schema_hash");
_Static_assert(offsetof(struct frore_preamble, page_size) == 24, "preamble.page_size");
_Static_assert(offsetof(struct frore_preamble, codec) == 28, "preamble.codec");
_Static_assert(offsetof(struct frore_preamble, cipher) == 32, "preamble.cipher");
_Static_assert(offsetof(struct frore_preamble, pad0) == 36, "preamble.pad0");
_Static_assert(offsetof(struct frore_preamble, key_name) == 40, "preamble.key_name");
_Static_assert(offsetof(struct frore_preamble, checksum) == 48, "preamble.checksum");

/* Head of every section, 8-byte aligned; the payload follows */
struct frore_section {
	uint32_t type; /* SECTION_* */
	uint32_t flags; /* 0 */
	uint64_t length; /* Bytes of payload */
};
_Static_assert(sizeof(struct frore_section) == 16, "section");
_Static_assert(offsetof(struct frore_section, type) == 0, "section.type");
_Static_assert(offsetof(struct frore_section, flags) == 4, "section.flags");
_Static_assert(offsetof(struct frore_section, length) == 8, "section.length");

/* Start of the HEAD payload; then `directory` rows, tables, blob */
struct frore_head {
	uint32_t tables; /* Number of directory rows */
	uint32_t pad0; /* 0 */
	uint64_t blob_offset; /* From the start of the payload */
	uint64_t blob_length; /* Bytes */
};
_Static_assert(sizeof(struct frore_head) == 24, "head");
_Static_assert(offsetof(struct frore_head, tables) == 0, "head.tables");
_Static_assert(offsetof(struct frore_head, pad0) == 4, "head.pad0");
_Static_assert(offsetof(struct frore_head, blob_offset) == 8, "head.blob_offset");
_Static_assert(offsetof(struct frore_head, blob_length) == 16, "head.blob_length");

/* Where one table is */
struct frore_directory {
	uint32_t id; /* Position of the table in the schema */
	uint32_t row_size; /* Bytes per row */
	uint64_t count; /* Rows */
	uint64_t offset; /* From the start of the HEAD payload, 8-byte aligned */
};
_Static_assert(sizeof(struct frore_directory) == 24, "directory");
_Static_assert(offsetof(struct frore_directory, id) == 0, "directory.id");
_Static_assert(offsetof(struct frore_directory, row_size) == 4, "directory.row_size");
_Static_assert(offsetof(struct frore_directory, count) == 8, "directory.count");
_Static_assert(offsetof(struct frore_directory, offset) == 16, "directory.offset");

/* Start of a FRAMES payload, and a row of the index; its frame rows and run rows follow, then (page-aligned if a frame is not encoded) the data of its frames, one after the other */
struct frore_group {
	uint64_t offset; /* Where its section head is in the file */
	uint64_t length; /* Bytes from there to the next section */
	uint64_t data_offset; /* Where the data of its first frame is in the file */
	uint64_t checksum; /* XXH64 of the bytes from `offset` to `data_offset`, this field taken as 0 */
	uint32_t first_frame; /* Index of its first frame among all frames of the file */
	uint32_t frame_count; /* Frames */
};
_Static_assert(sizeof(struct frore_group) == 40, "group");
_Static_assert(offsetof(struct frore_group, offset) == 0, "group.offset");
_Static_assert(offsetof(struct frore_group, length) == 8, "group.length");
_Static_assert(offsetof(struct frore_group, data_offset) == 16, "group.data_offset");
_Static_assert(offsetof(struct frore_group, checksum) == 24, "group.checksum");
_Static_assert(offsetof(struct frore_group, first_frame) == 32, "group.first_frame");
_Static_assert(offsetof(struct frore_group, frame_count) == 36, "group.frame_count");

/* Pages that are read and decoded together */
struct frore_frame {
	uint64_t offset; /* Where its data is in the file; a multiple of the page size for codec NONE */
	uint64_t length; /* Bytes from there to the next frame, or to the next section: data, padding */
	uint64_t stored_length; /* Bytes of data in the file */
	uint64_t raw_length; /* Bytes after decoding = sum of the STORED, IMAGE and VOID runs */
	uint64_t checksum; /* XXH64 of all `length` bytes */
	uint32_t first_run; /* Index of its first run among all runs of the file */
	uint32_t run_count; /* Runs */
	uint32_t codec; /* CODEC_* */
	uint32_t flags; /* 1: every run is of source IMAGE */
};
_Static_assert(sizeof(struct frore_frame) == 56, "frame");
_Static_assert(offsetof(struct frore_frame, offset) == 0, "frame.offset");
_Static_assert(offsetof(struct frore_frame, length) == 8, "frame.length");
_Static_assert(offsetof(struct frore_frame, stored_length) == 16, "frame.stored_length");
_Static_assert(offsetof(struct frore_frame, raw_length) == 24, "frame.raw_length");
_Static_assert(offsetof(struct frore_frame, checksum) == 32, "frame.checksum");
_Static_assert(offsetof(struct frore_frame, first_run) == 40, "frame.first_run");
_Static_assert(offsetof(struct frore_frame, run_count) == 44, "frame.run_count");
_Static_assert(offsetof(struct frore_frame, codec) == 48, "frame.codec");
_Static_assert(offsetof(struct frore_frame, flags) == 52, "frame.flags");

/* A stretch of pages. STORED, IMAGE and VOID runs take their bytes one after the other from the decoded frame */
struct frore_run {
	uint64_t address; /* Address in the mm, or offset in the content */
	uint64_t length; /* Bytes */
	uint64_t from; /* COPY and REPEAT: address in the same mm, of pages that a STORED run fills; else 0 */
	uint32_t index; /* Row of `mm` or `content` */
	uint16_t space; /* SPACE_* */
	uint16_t source; /* SOURCE_* */
};
_Static_assert(sizeof(struct frore_run) == 32, "run");
_Static_assert(offsetof(struct frore_run, address) == 0, "run.address");
_Static_assert(offsetof(struct frore_run, length) == 8, "run.length");
_Static_assert(offsetof(struct frore_run, from) == 16, "run.from");
_Static_assert(offsetof(struct frore_run, index) == 24, "run.index");
_Static_assert(offsetof(struct frore_run, space) == 28, "run.space");
_Static_assert(offsetof(struct frore_run, source) == 30, "run.source");

/* Start of the INDEX payload; group rows, frame rows, run rows */
struct frore_index {
	uint64_t groups; /* Number of group rows */
	uint64_t frames; /* Number of frame rows */
	uint64_t runs; /* Number of run rows */
};
_Static_assert(sizeof(struct frore_index) == 24, "index");
_Static_assert(offsetof(struct frore_index, groups) == 0, "index.groups");
_Static_assert(offsetof(struct frore_index, frames) == 8, "index.frames");
_Static_assert(offsetof(struct frore_index, runs) == 16, "index.runs");

/* The last 64 bytes of the file */
struct frore_trailer {
	uint64_t preamble_offset; /* Where the preamble is: the length of the stub rounded up */
	uint64_t head_offset; /* Where the HEAD payload is */
	uint64_t head_length; /* Bytes */
	uint64_t head_checksum; /* XXH64 from the section head of HEAD to the section head of INDEX */
	uint64_t index_offset; /* Where the INDEX payload is */
	uint64_t index_length; /* Bytes */
	uint64_t checksum; /* XXH64 from the section head of INDEX to this field */
	uint64_t magic; /* "FROREEND" */
};
_Static_assert(sizeof(struct frore_trailer) == 64, "trailer");
_Static_assert(offsetof(struct frore_trailer, preamble_offset) == 0, "trailer.preamble_offset");
_Static_assert(offsetof(struct frore_trailer, head_offset) == 8, "trailer.head_offset");
_Static_assert(offsetof(struct frore_trailer, head_length) == 16, "trailer.head_length");
_Static_assert(offsetof(struct frore_trailer, head_checksum) == 24, "trailer.head_checksum");
_Static_assert(offsetof(struct frore_trailer, index_offset) == 32, "trailer.index_offset");
_Static_assert(offsetof(struct frore_trailer, index_length) == 40, "trailer.index_length");
_Static_assert(offsetof(struct frore_trailer, checksum) == 48, "trailer.checksum");
_Static_assert(offsetof(struct frore_trailer, magic) == 56, "trailer.magic");

/* Where and when the snapshot was taken (exactly one row) */
struct frore_machine {
	int64_t realtime_ns; /* CLOCK_REALTIME at the stop, nanoseconds */
	int64_t monotonic_ns; /* CLOCK_MONOTONIC at the stop as the target saw it, nanoseconds */
	int64_t boottime_ns; /* CLOCK_BOOTTIME at the stop as the target saw it, nanoseconds */
	uint64_t xcr0; /* XCR0 of the machine: state components the kernel had enabled */
	uint32_t page_size; /* Bytes per page */
	uint32_t root_task; /* Row of `task` that is the root of the tree */
	struct frore_ref hostname; /* text: nodename of uname(2) */
	struct frore_ref kernel; /* text: release of uname(2) */
	struct frore_ref boot_id; /* text: /proc/sys/kernel/random/boot_id */
	struct frore_ref frore_version; /* text: Version of the freezer */
	struct frore_ref cpu; /* text: "model name" of /proc/cpuinfo */
};
_Static_assert(sizeof(struct frore_machine) == 80, "machine");
_Static_assert(offsetof(struct frore_machine, realtime_ns) == 0, "machine.realtime_ns");
_Static_assert(offsetof(struct frore_machine, monotonic_ns) == 8, "machine.monotonic_ns");
_Static_assert(offsetof(struct frore_machine, boottime_ns) == 16, "machine.boottime_ns");
_Static_assert(offsetof(struct frore_machine, xcr0) == 24, "machine.xcr0");
_Static_assert(offsetof(struct frore_machine, page_size) == 32, "machine.page_size");
_Static_assert(offsetof(struct frore_machine, root_task) == 36, "machine.root_task");
_Static_assert(offsetof(struct frore_machine, hostname) == 40, "machine.hostname");
_Static_assert(offsetof(struct frore_machine, kernel) == 48, "machine.kernel");
_Static_assert(offsetof(struct frore_machine, boot_id) == 56, "machine.boot_id");
_Static_assert(offsetof(struct frore_machine, frore_version) == 64, "machine.frore_version");
_Static_assert(offsetof(struct frore_machine, cpu) == 72, "machine.cpu");

/* Layout of one XSAVE state component on the source machine (CPUID leaf 0xD) */
struct frore_xcomp {
	uint32_t id; /* Component number, 2..62 */
	uint32_t offset; /* Offset in the standard format, bytes */
	uint32_t size; /* Bytes */
	uint32_t flags; /* ECX of CPUID.0xD.n: bit 0 supervisor, bit 1 aligned, bit 2 XFD */
};
_Static_assert(sizeof(struct frore_xcomp) == 16, "xcomp");
_Static_assert(offsetof(struct frore_xcomp, id) == 0, "xcomp.id");
_Static_assert(offsetof(struct frore_xcomp, offset) == 4, "xcomp.offset");
_Static_assert(offsetof(struct frore_xcomp, size) == 8, "xcomp.size");
_Static_assert(offsetof(struct frore_xcomp, flags) == 12, "xcomp.flags");

/* One processor feature the program was bound to */
struct frore_cpu_need {
	uint32_t leaf; /* CPUID leaf (EAX) */
	uint32_t subleaf; /* CPUID subleaf (ECX) */
	uint32_t reg; /* 0 EAX, 1 EBX, 2 ECX, 3 EDX */
	uint32_t bit; /* Bit that must be set */
	struct frore_ref name; /* text: Name as in /proc/cpuinfo */
};
_Static_assert(sizeof(struct frore_cpu_need) == 24, "cpu_need");
_Static_assert(offsetof(struct frore_cpu_need, leaf) == 0, "cpu_need.leaf");
_Static_assert(offsetof(struct frore_cpu_need, subleaf) == 4, "cpu_need.subleaf");
_Static_assert(offsetof(struct frore_cpu_need, reg) == 8, "cpu_need.reg");
_Static_assert(offsetof(struct frore_cpu_need, bit) == 12, "cpu_need.bit");
_Static_assert(offsetof(struct frore_cpu_need, name) == 16, "cpu_need.name");

/* What the target loses at resume, told at freeze time */
struct frore_warning {
	uint32_t pid; /* Pid of the task */
	uint32_t fd; /* Descriptor, or 0xffffffff */
	struct frore_ref kind; /* text: Kind, as --allow takes it */
	struct frore_ref text; /* text: What will be different after the resume */
};
_Static_assert(sizeof(struct frore_warning) == 24, "warning");
_Static_assert(offsetof(struct frore_warning, pid) == 0, "warning.pid");
_Static_assert(offsetof(struct frore_warning, fd) == 4, "warning.fd");
_Static_assert(offsetof(struct frore_warning, kind) == 8, "warning.kind");
_Static_assert(offsetof(struct frore_warning, text) == 16, "warning.text");

/* Bytes that belong to no address space: shared memory, memfds, embedded files. Filled by runs of space CONTENT */
struct frore_content {
	uint64_t size; /* Bytes */
	uint32_t kind; /* CONTENT_* */
	uint32_t seals; /* F_GET_SEALS of a memfd */
	uint32_t mode; /* Permission bits */
	uint32_t memfd_flags; /* Flags for memfd_create(2) without MFD_CLOEXEC */
	uint32_t uid; /* Owner */
	uint32_t gid; /* Group */
	struct frore_ref name; /* text: memfd name, or the path the file is recreated at when it is missing; "" for unnamed */
	struct frore_ref xattr; /* bytes: Reserved, empty */
};
_Static_assert(sizeof(struct frore_content) == 48, "content");
_Static_assert(offsetof(struct frore_content, size) == 0, "content.size");
_Static_assert(offsetof(struct frore_content, kind) == 8, "content.kind");
_Static_assert(offsetof(struct frore_content, seals) == 12, "content.seals");
_Static_assert(offsetof(struct frore_content, mode) == 16, "content.mode");
_Static_assert(offsetof(struct frore_content, memfd_flags) == 20, "content.memfd_flags");
_Static_assert(offsetof(struct frore_content, uid) == 24, "content.uid");
_Static_assert(offsetof(struct frore_content, gid) == 28, "content.gid");
_Static_assert(offsetof(struct frore_content, name) == 32, "content.name");
_Static_assert(offsetof(struct frore_content, xattr) == 40, "content.xattr");

/* One process (thread group) */
struct frore_task {
	uint64_t cap_inheritable; /* Capability set */
	uint64_t cap_permitted; /* Capability set */
	uint64_t cap_effective; /* Capability set */
	uint64_t cap_bounding; /* Capability set */
	uint64_t cap_ambient; /* Capability set */
	int32_t pid; /* Thread group id as the target sees it */
	int32_t ppid; /* Parent as the target sees it; 0 when the parent is outside its pid namespace */
	int32_t pgid; /* Process group as the target sees it; 0 when outside */
	int32_t sid; /* Session as the target sees it; 0 when outside */
	uint32_t parent; /* Row of `task` of the parent, or NONE */
	uint32_t maker; /* Row of `task` that forks it: the parent, or a child of the parent that is in its session; NONE for the root */
	uint32_t mm; /* Row of `mm` */
	uint32_t first_thread; /* Row of `thread` of the leader; the other threads follow it */
	uint32_t nthreads; /* Number of threads */
	uint32_t exit_signal; /* Signal the parent gets */
	uint32_t wait_status; /* Of a ZOMBIE as wait4(2) will tell it; of the first thread of a LEADER_ENDED */
	uint32_t flags; /* TASK_* */
	uint32_t dumpable; /* PR_GET_DUMPABLE */
	uint32_t personality; /* personality(2) */
	uint32_t umask; /* umask(2) */
	int32_t oom_score_adj; /* /proc/PID/oom_score_adj */
	uint32_t membarrier; /* MEMBARRIER_CMD_GET_REGISTRATIONS bits */
	uint32_t mdwe; /* PR_GET_MDWE */
	uint32_t seccomp_filters; /* Number of seccomp filters the target had (not restored) */
	uint32_t tsc; /* PR_GET_TSC */
	uint32_t cpuid; /* ARCH_GET_CPUID */
	uint32_t mce_kill; /* PR_MCE_KILL_GET: 0 late, 1 early, 2 default */
	uint32_t uid; /* Real uid */
	uint32_t euid; /* Effective uid */
	uint32_t suid; /* Saved uid */
	uint32_t fsuid; /* Filesystem uid */
	uint32_t gid; /* Real gid */
	uint32_t egid; /* Effective gid */
	uint32_t sgid; /* Saved gid */
	uint32_t fsgid; /* Filesystem gid */
	uint32_t securebits; /* PR_GET_SECUREBITS */
	uint32_t xcomp_perm; /* Low half of ARCH_GET_XCOMP_PERM: dynamically enabled components */
	struct frore_ref groups; /* bytes: Supplementary groups, u32 each */
	struct frore_ref cwd; /* text: Working directory */
	struct frore_ref root; /* text: Root directory */
	struct frore_ref exe; /* text: /proc/PID/exe */
	struct frore_ref cmdline; /* bytes: /proc/PID/cmdline; of a ZOMBIE its name, with a NUL */
	struct frore_ref cgroup; /* text: /proc/PID/cgroup, told by inspect only */
};
_Static_assert(sizeof(struct frore_task) == 216, "task");
_Static_assert(offsetof(struct frore_task, cap_inheritable) == 0, "task.cap_inheritable");
_Static_assert(offsetof(struct frore_task, cap_permitted) == 8, "task.cap_permitted");
_Static_assert(offsetof(struct frore_task, cap_effective) == 16, "task.cap_effective");
_Static_assert(offsetof(struct frore_task, cap_bounding) == 24, "task.cap_bounding");
_Static_assert(offsetof(struct frore_task, cap_ambient) == 32, "task.cap_ambient");
_Static_assert(offsetof(struct frore_task, pid) == 40, "task.pid");
_Static_assert(offsetof(struct frore_task, ppid) == 44, "task.ppid");
_Static_assert(offsetof(struct frore_task, pgid) == 48, "task.pgid");
_Static_assert(offsetof(struct frore_task, sid) == 52, "task.sid");
_Static_assert(offsetof(struct frore_task, parent) == 56, "task.parent");
_Static_assert(offsetof(struct frore_task, maker) == 60, "task.maker");
_Static_assert(offsetof(struct frore_task, mm) == 64, "task.mm");
_Static_assert(offsetof(struct frore_task, first_thread) == 68, "task.first_thread");
_Static_assert(offsetof(struct frore_task, nthreads) == 72, "task.nthreads");
_Static_assert(offsetof(struct frore_task, exit_signal) == 76, "task.exit_signal");
_Static_assert(offsetof(struct frore_task, wait_status) == 80, "task.wait_status");
_Static_assert(offsetof(struct frore_task, flags) == 84, "task.flags");
_Static_assert(offsetof(struct frore_task, dumpable) == 88, "task.dumpable");
_Static_assert(offsetof(struct frore_task, personality) == 92, "task.personality");
_Static_assert(offsetof(struct frore_task, umask) == 96, "task.umask");
_Static_assert(offsetof(struct frore_task, oom_score_adj) == 100, "task.oom_score_adj");
_Static_assert(offsetof(struct frore_task, membarrier) == 104, "task.membarrier");
_Static_assert(offsetof(struct frore_task, mdwe) == 108, "task.mdwe");
_Static_assert(offsetof(struct frore_task, seccomp_filters) == 112, "task.seccomp_filters");
_Static_assert(offsetof(struct frore_task, tsc) == 116, "task.tsc");
_Static_assert(offsetof(struct frore_task, cpuid) == 120, "task.cpuid");
_Static_assert(offsetof(struct frore_task, mce_kill) == 124, "task.mce_kill");
_Static_assert(offsetof(struct frore_task, uid) == 128, "task.uid");
_Static_assert(offsetof(struct frore_task, euid) == 132, "task.euid");
_Static_assert(offsetof(struct frore_task, suid) == 136, "task.suid");
_Static_assert(offsetof(struct frore_task, fsuid) == 140, "task.fsuid");
_Static_assert(offsetof(struct frore_task, gid) == 144, "task.gid");
_Static_assert(offsetof(struct frore_task, egid) == 148, "task.egid");
_Static_assert(offsetof(struct frore_task, sgid) == 152, "task.sgid");
_Static_assert(offsetof(struct frore_task, fsgid) == 156, "task.fsgid");
_Static_assert(offsetof(struct frore_task, securebits) == 160, "task.securebits");
_Static_assert(offsetof(struct frore_task, xcomp_perm) == 164, "task.xcomp_perm");
_Static_assert(offsetof(struct frore_task, groups) == 168, "task.groups");
_Static_assert(offsetof(struct frore_task, cwd) == 176, "task.cwd");
_Static_assert(offsetof(struct frore_task, root) == 184, "task.root");
_Static_assert(offsetof(struct frore_task, exe) == 192, "task.exe");
_Static_assert(offsetof(struct frore_task, cmdline) == 200, "task.cmdline");
_Static_assert(offsetof(struct frore_task, cgroup) == 208, "task.cgroup");

/* One resource limit; ~0 is RLIM_INFINITY */
struct frore_rlimit {
	uint64_t cur; /* Soft limit */
	uint64_t max; /* Hard limit */
	uint32_t task; /* Row of `task` */
	uint32_t resource; /* RLIMIT_* */
};
_Static_assert(sizeof(struct frore_rlimit) == 24, "rlimit");
_Static_assert(offsetof(struct frore_rlimit, cur) == 0, "rlimit.cur");
_Static_assert(offsetof(struct frore_rlimit, max) == 8, "rlimit.max");
_Static_assert(offsetof(struct frore_rlimit, task) == 16, "rlimit.task");
_Static_assert(offsetof(struct frore_rlimit, resource) == 20, "rlimit.resource");

/* Disposition of one signal; rows exist only for those that are not SIG_DFL with empty flags */
struct frore_sigaction {
	uint64_t handler; /* sa_handler: 0 default, 1 ignore, else address */
	uint64_t restorer; /* sa_restorer */
	uint64_t mask; /* sa_mask, bit n-1 = signal n */
	uint64_t flags; /* sa_flags */
	uint32_t task; /* Row of `task` */
	uint32_t signo; /* Signal number, 1..64 */
};
_Static_assert(sizeof(struct frore_sigaction) == 40, "sigaction");
_Static_assert(offsetof(struct frore_sigaction, handler) == 0, "sigaction.handler");
_Static_assert(offsetof(struct frore_sigaction, restorer) == 8, "sigaction.restorer");
_Static_assert(offsetof(struct frore_sigaction, mask) == 16, "sigaction.mask");
_Static_assert(offsetof(struct frore_sigaction, flags) == 24, "sigaction.flags");
_Static_assert(offsetof(struct frore_sigaction, task) == 32, "sigaction.task");
_Static_assert(offsetof(struct frore_sigaction, signo) == 36, "sigaction.signo");

/* One pending signal */
struct frore_pending {
	uint32_t task; /* Row of `task` */
	uint32_t thread; /* Row of `thread`, or NONE when pending for the whole process */
	struct frore_ref siginfo; /* bytes: siginfo_t as PTRACE_PEEKSIGINFO returns it, 128 bytes */
};
_Static_assert(sizeof(struct frore_pending) == 16, "pending");
_Static_assert(offsetof(struct frore_pending, task) == 0, "pending.task");
_Static_assert(offsetof(struct frore_pending, thread) == 4, "pending.thread");
_Static_assert(offsetof(struct frore_pending, siginfo) == 8, "pending.siginfo");

/* One interval timer, setitimer(2) */
struct frore_itimer {
	int64_t value_us; /* Microseconds until it fires, 0 disarmed */
	int64_t interval_us; /* Microseconds between */
	uint32_t task; /* Row of `task` */
	uint32_t which; /* ITIMER_REAL 0, VIRTUAL 1, PROF 2 */
};
_Static_assert(sizeof(struct frore_itimer) == 24, "itimer");
_Static_assert(offsetof(struct frore_itimer, value_us) == 0, "itimer.value_us");
_Static_assert(offsetof(struct frore_itimer, interval_us) == 8, "itimer.interval_us");
_Static_assert(offsetof(struct frore_itimer, task) == 16, "itimer.task");
_Static_assert(offsetof(struct frore_itimer, which) == 20, "itimer.which");

/* One POSIX timer, timer_create(2) */
struct frore_posix_timer {
	uint64_t sigval; /* sigev_value */
	int64_t value_ns; /* Nanoseconds until it fires, 0 disarmed */
	int64_t interval_ns; /* Nanoseconds between */
	uint32_t task; /* Row of `task` */
	int32_t id; /* Timer id the program knows */
	int32_t clockid; /* Clock */
	int32_t notify; /* sigev_notify */
	int32_t signo; /* sigev_signo */
	int32_t tid; /* Thread for SIGEV_THREAD_ID, as the target sees it; else 0 */
	int32_t overrun; /* timer_getoverrun(2) */
	uint32_t pad0; /* 0 */
};
_Static_assert(sizeof(struct frore_posix_timer) == 56, "posix_timer");
_Static_assert(offsetof(struct frore_posix_timer, sigval) == 0, "posix_timer.sigval");
_Static_assert(offsetof(struct frore_posix_timer, value_ns) == 8, "posix_timer.value_ns");
_Static_assert(offsetof(struct frore_posix_timer, interval_ns) == 16, "posix_timer.interval_ns");
_Static_assert(offsetof(struct frore_posix_timer, task) == 24, "posix_timer.task");
_Static_assert(offsetof(struct frore_posix_timer, id) == 28, "posix_timer.id");
_Static_assert(offsetof(struct frore_posix_timer, clockid) == 32, "posix_timer.clockid");
_Static_assert(offsetof(struct frore_posix_timer, notify) == 36, "posix_timer.notify");
_Static_assert(offsetof(struct frore_posix_timer, signo) == 40, "posix_timer.signo");
_Static_assert(offsetof(struct frore_posix_timer, tid) == 44, "posix_timer.tid");
_Static_assert(offsetof(struct frore_posix_timer, overrun) == 48, "posix_timer.overrun");
_Static_assert(offsetof(struct frore_posix_timer, pad0) == 52, "posix_timer.pad0");

/* One file lock held */
struct frore_lock {
	int64_t start; /* First byte */
	int64_t length; /* Bytes, 0 to the end */
	uint32_t task; /* Row of `task` (POSIX locks), else NONE */
	uint32_t description; /* Row of `description` (OFD and flock locks; for POSIX one through which it can be taken) */
	uint32_t kind; /* LOCK_KIND_* */
	uint32_t type; /* F_RDLCK 0, F_WRLCK 1 */
};
_Static_assert(sizeof(struct frore_lock) == 32, "lock");
_Static_assert(offsetof(struct frore_lock, start) == 0, "lock.start");
_Static_assert(offsetof(struct frore_lock, length) == 8, "lock.length");
_Static_assert(offsetof(struct frore_lock, task) == 16, "lock.task");
_Static_assert(offsetof(struct frore_lock, description) == 20, "lock.description");
_Static_assert(offsetof(struct frore_lock, kind) == 24, "lock.kind");
_Static_assert(offsetof(struct frore_lock, type) == 28, "lock.type");

/* One thread */
struct frore_thread {
	uint64_t sigmask; /* Blocked signals, bit n-1 = signal n */
	uint64_t sas_sp; /* sigaltstack base */
	uint64_t sas_size; /* sigaltstack size */
	uint64_t clear_child_tid; /* set_tid_address(2) pointer */
	uint64_t rseq; /* rseq area, 0 none */
	uint64_t robust_list; /* Head, 0 none */
	uint64_t robust_len; /* Length passed to set_robust_list(2) */
	uint64_t timer_slack_ns; /* PR_GET_TIMERSLACK */
	int64_t restart_sec; /* Remaining time that a restarted system call is to wait: seconds */
	int64_t restart_nsec; /* and nanoseconds */
	uint64_t sched_runtime; /* SCHED_DEADLINE, else 0 (SCHED_OTHER: slice) */
	uint64_t sched_deadline; /* SCHED_DEADLINE, else 0 */
	uint64_t sched_period; /* SCHED_DEADLINE, else 0 */
	uint64_t sched_flags; /* sched_attr flags */
	uint32_t task; /* Row of `task` */
	int32_t tid; /* Thread id as the target sees it */
	uint32_t sas_flags; /* sigaltstack flags */
	uint32_t rseq_len; /* Length registered */
	uint32_t rseq_sig; /* Signature */
	uint32_t rseq_flags; /* Flags */
	uint32_t pdeathsig; /* PR_GET_PDEATHSIG */
	uint32_t sched_policy; /* SCHED_* */
	uint32_t sched_priority; /* Real-time priority */
	int32_t nice; /* -20..19 */
	uint32_t ioprio; /* ioprio_get(2) */
	uint32_t restart_reg; /* Which register must point at the remaining time: x86 index RESTART_REG_*, 0 none */
	struct frore_ref comm; /* text: Name, at most 15 bytes */
	struct frore_ref regs; /* bytes: struct user_regs_struct, 216 bytes, made restartable; fs_base and gs_base included */
	struct frore_ref xstate; /* bytes: XSAVE area in standard format, cut behind the last component in use */
	struct frore_ref affinity; /* bytes: sched_getaffinity mask */
};
_Static_assert(sizeof(struct frore_thread) == 192, "thread");
_Static_assert(offsetof(struct frore_thread, sigmask) == 0, "thread.sigmask");
_Static_assert(offsetof(struct frore_thread, sas_sp) == 8, "thread.sas_sp");
_Static_assert(offsetof(struct frore_thread, sas_size) == 16, "thread.sas_size");
_Static_assert(offsetof(struct frore_thread, clear_child_tid) == 24, "thread.clear_child_tid");
_Static_assert(offsetof(struct frore_thread, rseq) == 32, "thread.rseq");
_Static_assert(offsetof(struct frore_thread, robust_list) == 40, "thread.robust_list");
_Static_assert(offsetof(struct frore_thread, robust_len) == 48, "thread.robust_len");
_Static_assert(offsetof(struct frore_thread, timer_slack_ns) == 56, "thread.timer_slack_ns");
_Static_assert(offsetof(struct frore_thread, restart_sec) == 64, "thread.restart_sec");
_Static_assert(offsetof(struct frore_thread, restart_nsec) == 72, "thread.restart_nsec");
_Static_assert(offsetof(struct frore_thread, sched_runtime) == 80, "thread.sched_runtime");
_Static_assert(offsetof(struct frore_thread, sched_deadline) == 88, "thread.sched_deadline");
_Static_assert(offsetof(struct frore_thread, sched_period) == 96, "thread.sched_period");
_Static_assert(offsetof(struct frore_thread, sched_flags) == 104, "thread.sched_flags");
_Static_assert(offsetof(struct frore_thread, task) == 112, "thread.task");
_Static_assert(offsetof(struct frore_thread, tid) == 116, "thread.tid");
_Static_assert(offsetof(struct frore_thread, sas_flags) == 120, "thread.sas_flags");
_Static_assert(offsetof(struct frore_thread, rseq_len) == 124, "thread.rseq_len");
_Static_assert(offsetof(struct frore_thread, rseq_sig) == 128, "thread.rseq_sig");
_Static_assert(offsetof(struct frore_thread, rseq_flags) == 132, "thread.rseq_flags");
_Static_assert(offsetof(struct frore_thread, pdeathsig) == 136, "thread.pdeathsig");
_Static_assert(offsetof(struct frore_thread, sched_policy) == 140, "thread.sched_policy");
_Static_assert(offsetof(struct frore_thread, sched_priority) == 144, "thread.sched_priority");
_Static_assert(offsetof(struct frore_thread, nice) == 148, "thread.nice");
_Static_assert(offsetof(struct frore_thread, ioprio) == 152, "thread.ioprio");
_Static_assert(offsetof(struct frore_thread, restart_reg) == 156, "thread.restart_reg");
_Static_assert(offsetof(struct frore_thread, comm) == 160, "thread.comm");
_Static_assert(offsetof(struct frore_thread, regs) == 168, "thread.regs");
_Static_assert(offsetof(struct frore_thread, xstate) == 176, "thread.xstate");
_Static_assert(offsetof(struct frore_thread, affinity) == 184, "thread.affinity");

/* One address space */
struct frore_mm {
	uint64_t start_code; /* struct prctl_mm_map */
	uint64_t end_code; /* struct prctl_mm_map */
	uint64_t start_data; /* struct prctl_mm_map */
	uint64_t end_data; /* struct prctl_mm_map */
	uint64_t start_brk; /* struct prctl_mm_map */
	uint64_t brk; /* struct prctl_mm_map */
	uint64_t start_stack; /* struct prctl_mm_map */
	uint64_t arg_start; /* struct prctl_mm_map */
	uint64_t arg_end; /* struct prctl_mm_map */
	uint64_t env_start; /* struct prctl_mm_map */
	uint64_t env_end; /* struct prctl_mm_map */
	uint64_t vdso; /* Start of [vdso], 0 none */
	uint64_t vdso_size; /* Bytes */
	uint64_t vvar; /* Start of the lowest [vvar*] mapping, 0 none */
	uint64_t vvar_size; /* Bytes of all [vvar*] mappings together, holes included */
	uint32_t exe; /* Row of `image` of /proc/PID/exe, or NONE */
	uint32_t coredump_filter; /* /proc/PID/coredump_filter */
	uint32_t pkeys; /* Allocated protection keys, bit n = key n */
	uint32_t flags; /* MM_* */
	struct frore_ref auxv; /* bytes: /proc/PID/auxv */
	struct frore_ref vdso_image; /* bytes: The [vdso] as it was mapped */
	struct frore_ref ldt; /* bytes: Reserved, empty */
};
_Static_assert(sizeof(struct frore_mm) == 160, "mm");
_Static_assert(offsetof(struct frore_mm, start_code) == 0, "mm.start_code");
_Static_assert(offsetof(struct frore_mm, end_code) == 8, "mm.end_code");
_Static_assert(offsetof(struct frore_mm, start_data) == 16, "mm.start_data");
_Static_assert(offsetof(struct frore_mm, end_data) == 24, "mm.end_data");
_Static_assert(offsetof(struct frore_mm, start_brk) == 32, "mm.start_brk");
_Static_assert(offsetof(struct frore_mm, brk) == 40, "mm.brk");
_Static_assert(offsetof(struct frore_mm, start_stack) == 48, "mm.start_stack");
_Static_assert(offsetof(struct frore_mm, arg_start) == 56, "mm.arg_start");
_Static_assert(offsetof(struct frore_mm, arg_end) == 64, "mm.arg_end");
_Static_assert(offsetof(struct frore_mm, env_start) == 72, "mm.env_start");
_Static_assert(offsetof(struct frore_mm, env_end) == 80, "mm.env_end");
_Static_assert(offsetof(struct frore_mm, vdso) == 88, "mm.vdso");
_Static_assert(offsetof(struct frore_mm, vdso_size) == 96, "mm.vdso_size");
_Static_assert(offsetof(struct frore_mm, vvar) == 104, "mm.vvar");
_Static_assert(offsetof(struct frore_mm, vvar_size) == 112, "mm.vvar_size");
_Static_assert(offsetof(struct frore_mm, exe) == 120, "mm.exe");
_Static_assert(offsetof(struct frore_mm, coredump_filter) == 124, "mm.coredump_filter");
_Static_assert(offsetof(struct frore_mm, pkeys) == 128, "mm.pkeys");
_Static_assert(offsetof(struct frore_mm, flags) == 132, "mm.flags");
_Static_assert(offsetof(struct frore_mm, auxv) == 136, "mm.auxv");
_Static_assert(offsetof(struct frore_mm, vdso_image) == 144, "mm.vdso_image");
_Static_assert(offsetof(struct frore_mm, ldt) == 152, "mm.ldt");

/* One mapping, by address within its mm */
struct frore_vma {
	uint64_t start; /* First byte */
	uint64_t end; /* Behind the last byte */
	uint64_t offset; /* File or content offset, bytes */
	uint32_t mm; /* Row of `mm` */
	uint32_t kind; /* VMA_* */
	uint32_t prot; /* PROT_* */
	uint32_t flags; /* VMA_FLAG_*: mapping flags and advice */
	uint32_t source; /* Row of `image` (file kinds) or `content` (content kinds), else NONE */
	uint32_t pkey; /* Protection key */
	uint32_t window; /* Row of `window` it is a part of, or NONE */
	uint32_t pad0; /* 0 */
	struct frore_ref name; /* text: Name given by PR_SET_VMA_ANON_NAME; "" none */
	struct frore_ref path; /* text: Path in /proc/PID/maps, for people */
};
_Static_assert(sizeof(struct frore_vma) == 72, "vma");
_Static_assert(offsetof(struct frore_vma, start) == 0, "vma.start");
_Static_assert(offsetof(struct frore_vma, end) == 8, "vma.end");
_Static_assert(offsetof(struct frore_vma, offset) == 16, "vma.offset");
_Static_assert(offsetof(struct frore_vma, mm) == 24, "vma.mm");
_Static_assert(offsetof(struct frore_vma, kind) == 28, "vma.kind");
_Static_assert(offsetof(struct frore_vma, prot) == 32, "vma.prot");
_Static_assert(offsetof(struct frore_vma, flags) == 36, "vma.flags");
_Static_assert(offsetof(struct frore_vma, source) == 40, "vma.source");
_Static_assert(offsetof(struct frore_vma, pkey) == 44, "vma.pkey");
_Static_assert(offsetof(struct frore_vma, window) == 48, "vma.window");
_Static_assert(offsetof(struct frore_vma, pad0) == 52, "vma.pad0");
_Static_assert(offsetof(struct frore_vma, name) == 56, "vma.name");
_Static_assert(offsetof(struct frore_vma, path) == 64, "vma.path");

/* A range of addresses in which relatives share pages that fork(2) has not copied; made once, inherited, and moved into place by each */
struct frore_window {
	uint64_t start; /* First byte */
	uint64_t end; /* Behind the last byte */
	uint64_t offset; /* File or content offset of the first byte */
	uint32_t kind; /* VMA_ANON, VMA_FILE_PRIVATE or VMA_CONTENT_PRIVATE */
	uint32_t source; /* As in `vma` */
	uint32_t flags; /* VMA_FLAG_NORESERVE; VMA_FLAG_HUGEPAGE: it is filled in huge pages */
	uint32_t pad0; /* 0 */
};
_Static_assert(sizeof(struct frore_window) == 40, "window");
_Static_assert(offsetof(struct frore_window, start) == 0, "window.start");
_Static_assert(offsetof(struct frore_window, end) == 8, "window.end");
_Static_assert(offsetof(struct frore_window, offset) == 16, "window.offset");
_Static_assert(offsetof(struct frore_window, kind) == 24, "window.kind");
_Static_assert(offsetof(struct frore_window, source) == 28, "window.source");
_Static_assert(offsetof(struct frore_window, flags) == 32, "window.flags");
_Static_assert(offsetof(struct frore_window, pad0) == 36, "window.pad0");

/* Pages that relatives have in common, by mm and address; each row lies within one mapping */
struct frore_same {
	uint64_t start; /* First byte */
	uint64_t end; /* Behind the last byte */
	uint32_t mm; /* Row of `mm` */
	uint32_t from; /* Row of the `mm` that has the bytes at the same address: an elder relative, or itself where others have them from it */
	uint32_t by; /* Row of the `mm` whose task fills them before it forks: that of `from`, or of its parent where siblings have them */
	uint32_t window; /* Row of `window` */
};
_Static_assert(sizeof(struct frore_same) == 32, "same");
_Static_assert(offsetof(struct frore_same, start) == 0, "same.start");
_Static_assert(offsetof(struct frore_same, end) == 8, "same.end");
_Static_assert(offsetof(struct frore_same, mm) == 16, "same.mm");
_Static_assert(offsetof(struct frore_same, from) == 20, "same.from");
_Static_assert(offsetof(struct frore_same, by) == 24, "same.by");
_Static_assert(offsetof(struct frore_same, window) == 28, "same.window");

/* Pages that fault when they are touched (MADV_GUARD_INSTALL, Linux 6.13) */
struct frore_guard {
	uint64_t start; /* First byte */
	uint64_t end; /* Behind the last byte */
	uint32_t mm; /* Row of `mm` */
	uint32_t pad0; /* 0 */
};
_Static_assert(sizeof(struct frore_guard) == 24, "guard");
_Static_assert(offsetof(struct frore_guard, start) == 0, "guard.start");
_Static_assert(offsetof(struct frore_guard, end) == 8, "guard.end");
_Static_assert(offsetof(struct frore_guard, mm) == 16, "guard.mm");
_Static_assert(offsetof(struct frore_guard, pad0) == 20, "guard.pad0");

/* One file on disk that mappings refer to */
struct frore_image {
	uint64_t ino; /* Inode */
	uint64_t size; /* Bytes */
	int64_t mtime_ns; /* Modification */
	int64_t ctime_ns; /* Change: with ino, dev and size it proves that a local copy is unchanged */
	uint64_t dev; /* st_dev */
	uint32_t flags; /* IMAGE_* */
	uint32_t content; /* Row of `content` that holds its bytes, or NONE */
	uint32_t pages; /* Row of `content` of kind IMAGE with the pages that mappings take from it, or NONE */
	uint32_t pad0; /* 0 */
	struct frore_ref path; /* text: Path */
};
_Static_assert(sizeof(struct frore_image) == 64, "image");
_Static_assert(offsetof(struct frore_image, ino) == 0, "image.ino");
_Static_assert(offsetof(struct frore_image, size) == 8, "image.size");
_Static_assert(offsetof(struct frore_image, mtime_ns) == 16, "image.mtime_ns");
_Static_assert(offsetof(struct frore_image, ctime_ns) == 24, "image.ctime_ns");
_Static_assert(offsetof(struct frore_image, dev) == 32, "image.dev");
_Static_assert(offsetof(struct frore_image, flags) == 40, "image.flags");
_Static_assert(offsetof(struct frore_image, content) == 44, "image.content");
_Static_assert(offsetof(struct frore_image, pages) == 48, "image.pages");
_Static_assert(offsetof(struct frore_image, pad0) == 52, "image.pad0");
_Static_assert(offsetof(struct frore_image, path) == 56, "image.path");

/* One open file description; rows stand in the order in which they can be opened */
struct frore_description {
	uint32_t task; /* Row of `task` in which it must be opened */
	uint32_t kind; /* KIND_*, decides which kind table has the row */
	uint32_t row; /* Row in the kind table */
	uint32_t status; /* File status flags of F_GETFL (O_APPEND, O_NONBLOCK, O_DIRECT, O_NOATIME, O_ASYNC) and access mode */
	int32_t owner; /* F_GETOWN_EX pid, as the target sees it; 0 none */
	uint32_t owner_type; /* F_OWNER_* */
	uint32_t owner_sig; /* F_GETSIG */
	uint32_t pad0; /* 0 */
};
_Static_assert(sizeof(struct frore_description) == 32, "description");
_Static_assert(offsetof(struct frore_description, task) == 0, "description.task");
_Static_assert(offsetof(struct frore_description, kind) == 4, "description.kind");
_Static_assert(offsetof(struct frore_description, row) == 8, "description.row");
_Static_assert(offsetof(struct frore_description, status) == 12, "description.status");
_Static_assert(offsetof(struct frore_description, owner) == 16, "description.owner");
_Static_assert(offsetof(struct frore_description, owner_type) == 20, "description.owner_type");
_Static_assert(offsetof(struct frore_description, owner_sig) == 24, "description.owner_sig");
_Static_assert(offsetof(struct frore_description, pad0) == 28, "description.pad0");

/* One descriptor */
struct frore_fd {
	uint32_t task; /* Row of `task` */
	int32_t fd; /* Number */
	uint32_t description; /* Row of `description` */
	uint32_t cloexec; /* 1 when FD_CLOEXEC */
};
_Static_assert(sizeof(struct frore_fd) == 16, "fd");
_Static_assert(offsetof(struct frore_fd, task) == 0, "fd.task");
_Static_assert(offsetof(struct frore_fd, fd) == 4, "fd.fd");
_Static_assert(offsetof(struct frore_fd, description) == 8, "fd.description");
_Static_assert(offsetof(struct frore_fd, cloexec) == 12, "fd.cloexec");

/* A path: regular file, directory, device, FIFO, /proc or /sys file, O_PATH */
struct frore_file {
	int64_t position; /* File offset, bytes; -1 when it has none */
	uint64_t size; /* Size at the freeze, bytes */
	int64_t mtime_ns; /* Modification time at the freeze */
	uint64_t ino; /* Inode */
	uint64_t dev; /* st_dev */
	uint64_t rdev; /* st_rdev of a device */
	uint32_t mode; /* st_mode */
	uint32_t open_flags; /* Flags for open(2): access mode, O_PATH, O_DIRECTORY, O_NOFOLLOW, O_TMPFILE never */
	uint32_t flags; /* FILE_* */
	uint32_t content; /* Row of `content`, or NONE */
	uint32_t pipe; /* Row of `pipe_object` that holds what waits in a FIFO, or NONE */
	uint32_t pad0; /* 0 */
	struct frore_ref path; /* text: Path as the freezer saw it, without " (deleted)"; own /proc entries start with /proc/self */
};
_Static_assert(sizeof(struct frore_file) == 80, "file");
_Static_assert(offsetof(struct frore_file, position) == 0, "file.position");
_Static_assert(offsetof(struct frore_file, size) == 8, "file.size");
_Static_assert(offsetof(struct frore_file, mtime_ns) == 16, "file.mtime_ns");
_Static_assert(offsetof(struct frore_file, ino) == 24, "file.ino");
_Static_assert(offsetof(struct frore_file, dev) == 32, "file.dev");
_Static_assert(offsetof(struct frore_file, rdev) == 40, "file.rdev");
_Static_assert(offsetof(struct frore_file, mode) == 48, "file.mode");
_Static_assert(offsetof(struct frore_file, open_flags) == 52, "file.open_flags");
_Static_assert(offsetof(struct frore_file, flags) == 56, "file.flags");
_Static_assert(offsetof(struct frore_file, content) == 60, "file.content");
_Static_assert(offsetof(struct frore_file, pipe) == 64, "file.pipe");
_Static_assert(offsetof(struct frore_file, pad0) == 68, "file.pad0");
_Static_assert(offsetof(struct frore_file, path) == 72, "file.path");

/* One of the artefact's own descriptors, stdio as a rule */
struct frore_inherit {
	uint32_t launcher_fd; /* Number it has when the artefact is started: 0, 1, 2, or what --fd N=inherit named */
	uint32_t flags; /* INHERIT_* */
};
_Static_assert(sizeof(struct frore_inherit) == 8, "inherit");
_Static_assert(offsetof(struct frore_inherit, launcher_fd) == 0, "inherit.launcher_fd");
_Static_assert(offsetof(struct frore_inherit, flags) == 4, "inherit.flags");

/* The controlling terminal, or a terminal opened by path */
struct frore_tty {
	uint32_t flags; /* TTY_* */
	uint32_t rows; /* Window */
	uint32_t cols; /* Window */
	uint32_t open_flags; /* Flags for open(2) */
	struct frore_ref termios; /* bytes: struct termios2 (44 bytes) */
	struct frore_ref path; /* text: Path at the freeze */
};
_Static_assert(sizeof(struct frore_tty) == 32, "tty");
_Static_assert(offsetof(struct frore_tty, flags) == 0, "tty.flags");
_Static_assert(offsetof(struct frore_tty, rows) == 4, "tty.rows");
_Static_assert(offsetof(struct frore_tty, cols) == 8, "tty.cols");
_Static_assert(offsetof(struct frore_tty, open_flags) == 12, "tty.open_flags");
_Static_assert(offsetof(struct frore_tty, termios) == 16, "tty.termios");
_Static_assert(offsetof(struct frore_tty, path) == 24, "tty.path");

/* One end of a pipe whose both ends are inside */
struct frore_pipe {
	uint32_t pipe; /* Row of `pipe_object` */
	uint32_t pad0; /* 0 */
};
_Static_assert(sizeof(struct frore_pipe) == 8, "pipe");
_Static_assert(offsetof(struct frore_pipe, pipe) == 0, "pipe.pipe");
_Static_assert(offsetof(struct frore_pipe, pad0) == 4, "pipe.pad0");

/* A pipe or FIFO with its content */
struct frore_pipe_object {
	uint32_t capacity; /* F_GETPIPE_SZ, bytes */
	uint32_t packet; /* 1 when O_DIRECT packet mode: `messages` tells the boundaries */
	struct frore_ref messages; /* bytes: Per packet (packet mode), u32 length each; empty otherwise */
	struct frore_ref data; /* bytes: Bytes waiting to be read */
};
_Static_assert(sizeof(struct frore_pipe_object) == 24, "pipe_object");
_Static_assert(offsetof(struct frore_pipe_object, capacity) == 0, "pipe_object.capacity");
_Static_assert(offsetof(struct frore_pipe_object, packet) == 4, "pipe_object.packet");
_Static_assert(offsetof(struct frore_pipe_object, messages) == 8, "pipe_object.messages");
_Static_assert(offsetof(struct frore_pipe_object, data) == 16, "pipe_object.data");

/* eventfd(2) */
struct frore_eventfd {
	uint64_t count; /* Counter */
	uint32_t flags; /* EFD_SEMAPHORE */
	uint32_t pad0; /* 0 */
};
_Static_assert(sizeof(struct frore_eventfd) == 16, "eventfd");
_Static_assert(offsetof(struct frore_eventfd, count) == 0, "eventfd.count");
_Static_assert(offsetof(struct frore_eventfd, flags) == 8, "eventfd.flags");
_Static_assert(offsetof(struct frore_eventfd, pad0) == 12, "eventfd.pad0");

/* epoll(7) */
struct frore_epoll {
	uint32_t first; /* First row of `epoll_entry` */
	uint32_t count; /* Rows */
};
_Static_assert(sizeof(struct frore_epoll) == 8, "epoll");
_Static_assert(offsetof(struct frore_epoll, first) == 0, "epoll.first");
_Static_assert(offsetof(struct frore_epoll, count) == 4, "epoll.count");

/* One registration */
struct frore_epoll_entry {
	uint64_t data; /* epoll_data */
	uint32_t events; /* Event mask */
	int32_t fd; /* Number it was registered under */
	uint32_t description; /* Row of `description` watched */
	uint32_t pad0; /* 0 */
};
_Static_assert(sizeof(struct frore_epoll_entry) == 24, "epoll_entry");
_Static_assert(offsetof(struct frore_epoll_entry, data) == 0, "epoll_entry.data");
_Static_assert(offsetof(struct frore_epoll_entry, events) == 8, "epoll_entry.events");
_Static_assert(offsetof(struct frore_epoll_entry, fd) == 12, "epoll_entry.fd");
_Static_assert(offsetof(struct frore_epoll_entry, description) == 16, "epoll_entry.description");
_Static_assert(offsetof(struct frore_epoll_entry, pad0) == 20, "epoll_entry.pad0");

/* timerfd_create(2) */
struct frore_timerfd {
	uint64_t ticks; /* Expirations not read yet */
	int64_t value_ns; /* Nanoseconds until it fires, 0 disarmed */
	int64_t interval_ns; /* Nanoseconds between */
	int64_t deadline_ns; /* Absolute time it fires at when armed with TFD_TIMER_ABSTIME, else 0 */
	int32_t clockid; /* Clock */
	uint32_t settime_flags; /* TFD_TIMER_ABSTIME 1, TFD_TIMER_CANCEL_ON_SET 2 */
};
_Static_assert(sizeof(struct frore_timerfd) == 40, "timerfd");
_Static_assert(offsetof(struct frore_timerfd, ticks) == 0, "timerfd.ticks");
_Static_assert(offsetof(struct frore_timerfd, value_ns) == 8, "timerfd.value_ns");
_Static_assert(offsetof(struct frore_timerfd, interval_ns) == 16, "timerfd.interval_ns");
_Static_assert(offsetof(struct frore_timerfd, deadline_ns) == 24, "timerfd.deadline_ns");
_Static_assert(offsetof(struct frore_timerfd, clockid) == 32, "timerfd.clockid");
_Static_assert(offsetof(struct frore_timerfd, settime_flags) == 36, "timerfd.settime_flags");

/* signalfd(2) */
struct frore_signalfd {
	uint64_t mask; /* Signals */
};
_Static_assert(sizeof(struct frore_signalfd) == 8, "signalfd");
_Static_assert(offsetof(struct frore_signalfd, mask) == 0, "signalfd.mask");

/* inotify(7) */
struct frore_inotify {
	uint32_t first; /* First row of `inotify_watch` */
	uint32_t count; /* Rows */
	struct frore_ref pending; /* bytes: Events not read yet */
};
_Static_assert(sizeof(struct frore_inotify) == 16, "inotify");
_Static_assert(offsetof(struct frore_inotify, first) == 0, "inotify.first");
_Static_assert(offsetof(struct frore_inotify, count) == 4, "inotify.count");
_Static_assert(offsetof(struct frore_inotify, pending) == 8, "inotify.pending");

/* One watch */
struct frore_inotify_watch {
	uint64_t ino; /* Inode */
	uint64_t dev; /* st_dev */
	int32_t wd; /* Watch descriptor */
	uint32_t mask; /* Events */
	struct frore_ref path; /* text: Path found for it at the freeze */
};
_Static_assert(sizeof(struct frore_inotify_watch) == 32, "inotify_watch");
_Static_assert(offsetof(struct frore_inotify_watch, ino) == 0, "inotify_watch.ino");
_Static_assert(offsetof(struct frore_inotify_watch, dev) == 8, "inotify_watch.dev");
_Static_assert(offsetof(struct frore_inotify_watch, wd) == 16, "inotify_watch.wd");
_Static_assert(offsetof(struct frore_inotify_watch, mask) == 20, "inotify_watch.mask");
_Static_assert(offsetof(struct frore_inotify_watch, path) == 24, "inotify_watch.path");

/* A memfd, or a file that exists only as content */
struct frore_memfd {
	int64_t position; /* File offset */
	uint32_t content; /* Row of `content` */
	uint32_t open_flags; /* Access mode */
};
_Static_assert(sizeof(struct frore_memfd) == 16, "memfd");
_Static_assert(offsetof(struct frore_memfd, position) == 0, "memfd.position");
_Static_assert(offsetof(struct frore_memfd, content) == 8, "memfd.content");
_Static_assert(offsetof(struct frore_memfd, open_flags) == 12, "memfd.open_flags");

/* pidfd_open(2) */
struct frore_pidfd {
	int32_t pid; /* Process, as the target sees it; -1 when it has ended */
	uint32_t flags; /* PIDFD_NONBLOCK, PIDFD_THREAD */
};
_Static_assert(sizeof(struct frore_pidfd) == 8, "pidfd");
_Static_assert(offsetof(struct frore_pidfd, pid) == 0, "pidfd.pid");
_Static_assert(offsetof(struct frore_pidfd, flags) == 4, "pidfd.flags");

/* A socket that is rebuilt: listening or unconnected of any family, connected inside the target, or netlink */
struct frore_socket {
	uint32_t domain; /* AF_* */
	uint32_t type; /* SOCK_* */
	uint32_t protocol; /* Protocol */
	uint32_t state; /* SOCKET_* */
	uint32_t backlog; /* listen(2) */
	uint32_t peer; /* Row of `description` of the peer inside, or NONE: the peer has closed */
	uint32_t shutdown; /* Bit 0 read, bit 1 write */
	uint32_t first_option; /* First row of `socket_option` */
	uint32_t option_count; /* Rows */
	uint32_t first_message; /* First row of `socket_message` */
	uint32_t message_count; /* Rows: what waits in its receive queue */
	uint32_t flags; /* SOCKET_FLAG_* */
	uint32_t path_mode; /* Permission bits of the path a UNIX socket is bound to */
	uint32_t listener; /* Row of `description` of the listener inside through which it is connected, or NONE: there is none */
	int32_t peer_pid; /* SO_PEERCRED of a UNIX socket: who connected, or listens, as the target sees it; 0 nobody known */
	uint32_t peer_uid; /* The same */
	uint32_t peer_gid; /* The same */
	uint32_t base; /* Row of `task` in whose working directory a relative path of a UNIX socket starts */
	struct frore_ref local; /* bytes: sockaddr it is bound to, empty when unbound */
	struct frore_ref remote; /* bytes: sockaddr it is connected to, empty when not */
	struct frore_ref pending; /* bytes: Listening: rows of `description` whose connections are not accepted yet, u32 each, the first one first */
};
_Static_assert(sizeof(struct frore_socket) == 96, "socket");
_Static_assert(offsetof(struct frore_socket, domain) == 0, "socket.domain");
_Static_assert(offsetof(struct frore_socket, type) == 4, "socket.type");
_Static_assert(offsetof(struct frore_socket, protocol) == 8, "socket.protocol");
_Static_assert(offsetof(struct frore_socket, state) == 12, "socket.state");
_Static_assert(offsetof(struct frore_socket, backlog) == 16, "socket.backlog");
_Static_assert(offsetof(struct frore_socket, peer) == 20, "socket.peer");
_Static_assert(offsetof(struct frore_socket, shutdown) == 24, "socket.shutdown");
_Static_assert(offsetof(struct frore_socket, first_option) == 28, "socket.first_option");
_Static_assert(offsetof(struct frore_socket, option_count) == 32, "socket.option_count");
_Static_assert(offsetof(struct frore_socket, first_message) == 36, "socket.first_message");
_Static_assert(offsetof(struct frore_socket, message_count) == 40, "socket.message_count");
_Static_assert(offsetof(struct frore_socket, flags) == 44, "socket.flags");
_Static_assert(offsetof(struct frore_socket, path_mode) == 48, "socket.path_mode");
_Static_assert(offsetof(struct frore_socket, listener) == 52, "socket.listener");
_Static_assert(offsetof(struct frore_socket, peer_pid) == 56, "socket.peer_pid");
_Static_assert(offsetof(struct frore_socket, peer_uid) == 60, "socket.peer_uid");
_Static_assert(offsetof(struct frore_socket, peer_gid) == 64, "socket.peer_gid");
_Static_assert(offsetof(struct frore_socket, base) == 68, "socket.base");
_Static_assert(offsetof(struct frore_socket, local) == 72, "socket.local");
_Static_assert(offsetof(struct frore_socket, remote) == 80, "socket.remote");
_Static_assert(offsetof(struct frore_socket, pending) == 88, "socket.pending");

/* One option to be set again */
struct frore_socket_option {
	uint32_t level; /* SOL_* */
	uint32_t name; /* Option */
	uint32_t when; /* 0 before bind, 1 after the rest */
	uint32_t pad0; /* 0 */
	struct frore_ref value; /* bytes: As getsockopt returned it */
};
_Static_assert(sizeof(struct frore_socket_option) == 24, "socket_option");
_Static_assert(offsetof(struct frore_socket_option, level) == 0, "socket_option.level");
_Static_assert(offsetof(struct frore_socket_option, name) == 4, "socket_option.name");
_Static_assert(offsetof(struct frore_socket_option, when) == 8, "socket_option.when");
_Static_assert(offsetof(struct frore_socket_option, pad0) == 12, "socket_option.pad0");
_Static_assert(offsetof(struct frore_socket_option, value) == 16, "socket_option.value");

/* One message, or a stretch of a stream, in a receive queue */
struct frore_socket_message {
	struct frore_ref data; /* bytes: Payload */
	struct frore_ref address; /* bytes: Sender, datagram sockets */
	struct frore_ref to; /* bytes: Where it is sent to again; empty when the sender is connected */
	struct frore_ref fds; /* bytes: Rows of `description` in flight (SCM_RIGHTS), u32 each */
	uint32_t sender; /* Row of `description` of the socket inside that has sent it, datagram sockets; or NONE */
	int32_t pid; /* SCM_CREDENTIALS, as the target sees them; 0 when there are none */
	uint32_t uid; /* The same */
	uint32_t gid; /* The same */
};
_Static_assert(sizeof(struct frore_socket_message) == 48, "socket_message");
_Static_assert(offsetof(struct frore_socket_message, data) == 0, "socket_message.data");
_Static_assert(offsetof(struct frore_socket_message, address) == 8, "socket_message.address");
_Static_assert(offsetof(struct frore_socket_message, to) == 16, "socket_message.to");
_Static_assert(offsetof(struct frore_socket_message, fds) == 24, "socket_message.fds");
_Static_assert(offsetof(struct frore_socket_message, sender) == 32, "socket_message.sender");
_Static_assert(offsetof(struct frore_socket_message, pid) == 36, "socket_message.pid");
_Static_assert(offsetof(struct frore_socket_message, uid) == 40, "socket_message.uid");
_Static_assert(offsetof(struct frore_socket_message, gid) == 44, "socket_message.gid");

/* Stands for a connected socket or pipe to the outside: the peer has closed */
struct frore_hangup {
	uint32_t domain; /* AF_*, 0 for a pipe */
	uint32_t type; /* SOCK_* */
	uint32_t flags; /* HANGUP_* */
	uint32_t what; /* 0 socket, 1 pipe read end, 2 pipe write end */
	struct frore_ref told; /* text: What it was, for people */
};
_Static_assert(sizeof(struct frore_hangup) == 24, "hangup");
_Static_assert(offsetof(struct frore_hangup, domain) == 0, "hangup.domain");
_Static_assert(offsetof(struct frore_hangup, type) == 4, "hangup.type");
_Static_assert(offsetof(struct frore_hangup, flags) == 8, "hangup.flags");
_Static_assert(offsetof(struct frore_hangup, what) == 12, "hangup.what");
_Static_assert(offsetof(struct frore_hangup, told) == 16, "hangup.told");

/* One end of a pseudo-terminal whose master is inside */
struct frore_pty {
	uint32_t pair; /* Row of `pty_pair` */
	uint32_t end; /* PTY_END_* */
	uint32_t open_flags; /* Access mode */
	uint32_t pad0; /* 0 */
};
_Static_assert(sizeof(struct frore_pty) == 16, "pty");
_Static_assert(offsetof(struct frore_pty, pair) == 0, "pty.pair");
_Static_assert(offsetof(struct frore_pty, end) == 4, "pty.end");
_Static_assert(offsetof(struct frore_pty, open_flags) == 8, "pty.open_flags");
_Static_assert(offsetof(struct frore_pty, pad0) == 12, "pty.pad0");

/* A pseudo-terminal; rows ascend by number */
struct frore_pty_pair {
	int32_t index; /* Number in /dev/pts, -1 any */
	int32_t session; /* Session that has it as controlling terminal, as the target sees it; 0 none */
	int32_t foreground; /* Process group in the foreground, as the target sees it; 0 none */
	uint32_t flags; /* PTY_* */
	uint32_t rows; /* Window */
	uint32_t cols; /* Window */
	uint32_t xpixel; /* Window */
	uint32_t ypixel; /* Window */
	uint32_t mode; /* Permission bits of /dev/pts/N, 0 unknown */
	uint32_t uid; /* Owner of /dev/pts/N */
	uint32_t gid; /* Group of /dev/pts/N */
	uint32_t echo; /* Bytes of `input` that come back when it is typed under `fill_termios` */
	struct frore_ref termios; /* bytes: struct termios2 (44 bytes) */
	struct frore_ref fill_termios; /* bytes: struct termios2 under which `input` arrives as it is, and is echoed */
	struct frore_ref input; /* bytes: Typed by the master, not read by the program yet; with the EOF character of `fill_termios` behind a line without end */
	struct frore_ref backlog; /* bytes: Typed, but not looked at by the terminal yet: to be typed under `termios` */
	struct frore_ref output; /* bytes: Written by the program, not read by the master yet */
};
_Static_assert(sizeof(struct frore_pty_pair) == 88, "pty_pair");
_Static_assert(offsetof(struct frore_pty_pair, index) == 0, "pty_pair.index");
_Static_assert(offsetof(struct frore_pty_pair, session) == 4, "pty_pair.session");
_Static_assert(offsetof(struct frore_pty_pair, foreground) == 8, "pty_pair.foreground");
_Static_assert(offsetof(struct frore_pty_pair, flags) == 12, "pty_pair.flags");
_Static_assert(offsetof(struct frore_pty_pair, rows) == 16, "pty_pair.rows");
_Static_assert(offsetof(struct frore_pty_pair, cols) == 20, "pty_pair.cols");
_Static_assert(offsetof(struct frore_pty_pair, xpixel) == 24, "pty_pair.xpixel");
_Static_assert(offsetof(struct frore_pty_pair, ypixel) == 28, "pty_pair.ypixel");
_Static_assert(offsetof(struct frore_pty_pair, mode) == 32, "pty_pair.mode");
_Static_assert(offsetof(struct frore_pty_pair, uid) == 36, "pty_pair.uid");
_Static_assert(offsetof(struct frore_pty_pair, gid) == 40, "pty_pair.gid");
_Static_assert(offsetof(struct frore_pty_pair, echo) == 44, "pty_pair.echo");
_Static_assert(offsetof(struct frore_pty_pair, termios) == 48, "pty_pair.termios");
_Static_assert(offsetof(struct frore_pty_pair, fill_termios) == 56, "pty_pair.fill_termios");
_Static_assert(offsetof(struct frore_pty_pair, input) == 64, "pty_pair.input");
_Static_assert(offsetof(struct frore_pty_pair, backlog) == 72, "pty_pair.backlog");
_Static_assert(offsetof(struct frore_pty_pair, output) == 80, "pty_pair.output");

/* One shared memory segment */
struct frore_shm {
	uint32_t content; /* Row of `content` of kind SEGMENT: size and bytes */
	int32_t id; /* Identifier */
	int32_t key; /* Key, 0 none */
	uint32_t mode; /* Permission bits, SHM_DEST and SHM_LOCKED */
	uint32_t uid; /* Owner */
	uint32_t gid; /* Group */
};
_Static_assert(sizeof(struct frore_shm) == 24, "shm");
_Static_assert(offsetof(struct frore_shm, content) == 0, "shm.content");
_Static_assert(offsetof(struct frore_shm, id) == 4, "shm.id");
_Static_assert(offsetof(struct frore_shm, key) == 8, "shm.key");
_Static_assert(offsetof(struct frore_shm, mode) == 12, "shm.mode");
_Static_assert(offsetof(struct frore_shm, uid) == 16, "shm.uid");
_Static_assert(offsetof(struct frore_shm, gid) == 20, "shm.gid");

/* One set of semaphores */
struct frore_sem {
	int32_t id; /* Identifier */
	int32_t key; /* Key, 0 none */
	uint32_t mode; /* Permission bits */
	uint32_t uid; /* Owner */
	uint32_t gid; /* Group */
	uint32_t used; /* 1 when semop(2) has been called: sem_otime is not 0 */
	struct frore_ref values; /* bytes: u16 for each semaphore */
};
_Static_assert(sizeof(struct frore_sem) == 32, "sem");
_Static_assert(offsetof(struct frore_sem, id) == 0, "sem.id");
_Static_assert(offsetof(struct frore_sem, key) == 4, "sem.key");
_Static_assert(offsetof(struct frore_sem, mode) == 8, "sem.mode");
_Static_assert(offsetof(struct frore_sem, uid) == 12, "sem.uid");
_Static_assert(offsetof(struct frore_sem, gid) == 16, "sem.gid");
_Static_assert(offsetof(struct frore_sem, used) == 20, "sem.used");
_Static_assert(offsetof(struct frore_sem, values) == 24, "sem.values");

/* One message queue */
struct frore_msg {
	uint64_t qbytes; /* Most bytes it holds */
	int32_t id; /* Identifier */
	int32_t key; /* Key, 0 none */
	uint32_t mode; /* Permission bits */
	uint32_t uid; /* Owner */
	uint32_t gid; /* Group */
	uint32_t first; /* First row of `msg_message` */
	uint32_t count; /* Rows */
	uint32_t pad0; /* 0 */
};
_Static_assert(sizeof(struct frore_msg) == 40, "msg");
_Static_assert(offsetof(struct frore_msg, qbytes) == 0, "msg.qbytes");
_Static_assert(offsetof(struct frore_msg, id) == 8, "msg.id");
_Static_assert(offsetof(struct frore_msg, key) == 12, "msg.key");
_Static_assert(offsetof(struct frore_msg, mode) == 16, "msg.mode");
_Static_assert(offsetof(struct frore_msg, uid) == 20, "msg.uid");
_Static_assert(offsetof(struct frore_msg, gid) == 24, "msg.gid");
_Static_assert(offsetof(struct frore_msg, first) == 28, "msg.first");
_Static_assert(offsetof(struct frore_msg, count) == 32, "msg.count");
_Static_assert(offsetof(struct frore_msg, pad0) == 36, "msg.pad0");

/* One message that waits in a queue */
struct frore_msg_message {
	int64_t type; /* mtype */
	struct frore_ref data; /* bytes: Text */
};
_Static_assert(sizeof(struct frore_msg_message) == 16, "msg_message");
_Static_assert(offsetof(struct frore_msg_message, type) == 0, "msg_message.type");
_Static_assert(offsetof(struct frore_msg_message, data) == 8, "msg_message.data");

/* Every table: X(TABLE, struct) */
#define FRORE_TABLES(X) \
	X(MACHINE, machine) \
	X(XCOMP, xcomp) \
	X(CPU_NEED, cpu_need) \
	X(WARNING, warning) \
	X(CONTENT, content) \
	X(TASK, task) \
	X(RLIMIT, rlimit) \
	X(SIGACTION, sigaction) \
	X(PENDING, pending) \
	X(ITIMER, itimer) \
	X(POSIX_TIMER, posix_timer) \
	X(LOCK, lock) \
	X(THREAD, thread) \
	X(MM, mm) \
	X(VMA, vma) \
	X(WINDOW, window) \
	X(SAME, same) \
	X(GUARD, guard) \
	X(IMAGE, image) \
	X(DESCRIPTION, description) \
	X(FD, fd) \
	X(FILE, file) \
	X(INHERIT, inherit) \
	X(TTY, tty) \
	X(PIPE, pipe) \
	X(PIPE_OBJECT, pipe_object) \
	X(EVENTFD, eventfd) \
	X(EPOLL, epoll) \
	X(EPOLL_ENTRY, epoll_entry) \
	X(TIMERFD, timerfd) \
	X(SIGNALFD, signalfd) \
	X(INOTIFY, inotify) \
	X(INOTIFY_WATCH, inotify_watch) \
	X(MEMFD, memfd) \
	X(PIDFD, pidfd) \
	X(SOCKET, socket) \
	X(SOCKET_OPTION, socket_option) \
	X(SOCKET_MESSAGE, socket_message) \
	X(HANGUP, hangup) \
	X(PTY, pty) \
	X(PTY_PAIR, pty_pair) \
	X(SHM, shm) \
	X(SEM, sem) \
	X(MSG, msg) \
	X(MSG_MESSAGE, msg_message)

/* Every reference into the blob: X(TABLE, struct, field) */
#define FRORE_BLOBS(X) \
	X(MACHINE, machine, hostname) \
	X(MACHINE, machine, kernel) \
	X(MACHINE, machine, boot_id) \
	X(MACHINE, machine, frore_version) \
	X(MACHINE, machine, cpu) \
	X(CPU_NEED, cpu_need, name) \
	X(WARNING, warning, kind) \
	X(WARNING, warning, text) \
	X(CONTENT, content, name) \
	X(CONTENT, content, xattr) \
	X(TASK, task, groups) \
	X(TASK, task, cwd) \
	X(TASK, task, root) \
	X(TASK, task, exe) \
	X(TASK, task, cmdline) \
	X(TASK, task, cgroup) \
	X(PENDING, pending, siginfo) \
	X(THREAD, thread, comm) \
	X(THREAD, thread, regs) \
	X(THREAD, thread, xstate) \
	X(THREAD, thread, affinity) \
	X(MM, mm, auxv) \
	X(MM, mm, vdso_image) \
	X(MM, mm, ldt) \
	X(VMA, vma, name) \
	X(VMA, vma, path) \
	X(IMAGE, image, path) \
	X(FILE, file, path) \
	X(TTY, tty, termios) \
	X(TTY, tty, path) \
	X(PIPE_OBJECT, pipe_object, messages) \
	X(PIPE_OBJECT, pipe_object, data) \
	X(INOTIFY, inotify, pending) \
	X(INOTIFY_WATCH, inotify_watch, path) \
	X(SOCKET, socket, local) \
	X(SOCKET, socket, remote) \
	X(SOCKET, socket, pending) \
	X(SOCKET_OPTION, socket_option, value) \
	X(SOCKET_MESSAGE, socket_message, data) \
	X(SOCKET_MESSAGE, socket_message, address) \
	X(SOCKET_MESSAGE, socket_message, to) \
	X(SOCKET_MESSAGE, socket_message, fds) \
	X(HANGUP, hangup, told) \
	X(PTY_PAIR, pty_pair, termios) \
	X(PTY_PAIR, pty_pair, fill_termios) \
	X(PTY_PAIR, pty_pair, input) \
	X(PTY_PAIR, pty_pair, backlog) \
	X(PTY_PAIR, pty_pair, output) \
	X(SEM, sem, values) \
	X(MSG_MESSAGE, msg_message, data)

/* Fields that are a row: X(TABLE, struct, field, TABLE referred to, may be NONE) */
#define FRORE_REFERENCES(X) \
	X(MACHINE, machine, root_task, TASK, 0) \
	X(TASK, task, parent, TASK, 1) \
	X(TASK, task, maker, TASK, 1) \
	X(TASK, task, mm, MM, 0) \
	X(TASK, task, first_thread, THREAD, 0) \
	X(THREAD, thread, task, TASK, 0) \
	X(RLIMIT, rlimit, task, TASK, 0) \
	X(SIGACTION, sigaction, task, TASK, 0) \
	X(PENDING, pending, task, TASK, 0) \
	X(PENDING, pending, thread, THREAD, 1) \
	X(ITIMER, itimer, task, TASK, 0) \
	X(POSIX_TIMER, posix_timer, task, TASK, 0) \
	X(LOCK, lock, task, TASK, 1) \
	X(LOCK, lock, description, DESCRIPTION, 1) \
	X(MM, mm, exe, IMAGE, 1) \
	X(VMA, vma, mm, MM, 0) \
	X(VMA, vma, window, WINDOW, 1) \
	X(SAME, same, mm, MM, 0) \
	X(SAME, same, from, MM, 0) \
	X(SAME, same, by, MM, 0) \
	X(SAME, same, window, WINDOW, 0) \
	X(GUARD, guard, mm, MM, 0) \
	X(IMAGE, image, content, CONTENT, 1) \
	X(IMAGE, image, pages, CONTENT, 1) \
	X(DESCRIPTION, description, task, TASK, 0) \
	X(FD, fd, task, TASK, 0) \
	X(FD, fd, description, DESCRIPTION, 0) \
	X(FILE, file, content, CONTENT, 1) \
	X(FILE, file, pipe, PIPE_OBJECT, 1) \
	X(PIPE, pipe, pipe, PIPE_OBJECT, 0) \
	X(EPOLL_ENTRY, epoll_entry, description, DESCRIPTION, 0) \
	X(MEMFD, memfd, content, CONTENT, 0) \
	X(SOCKET, socket, peer, DESCRIPTION, 1) \
	X(SOCKET, socket, listener, DESCRIPTION, 1) \
	X(SOCKET, socket, base, TASK, 0) \
	X(SOCKET_MESSAGE, socket_message, sender, DESCRIPTION, 1) \
	X(PTY, pty, pair, PTY_PAIR, 0) \
	X(SHM, shm, content, CONTENT, 0)

/* Fields that are consecutive rows: X(TABLE, struct, first, count, TABLE referred to) */
#define FRORE_STRETCHES(X) \
	X(TASK, task, first_thread, nthreads, THREAD) \
	X(EPOLL, epoll, first, count, EPOLL_ENTRY) \
	X(INOTIFY, inotify, first, count, INOTIFY_WATCH) \
	X(MSG, msg, first, count, MSG_MESSAGE) \
	X(SOCKET, socket, first_option, option_count, SOCKET_OPTION) \
	X(SOCKET, socket, first_message, message_count, SOCKET_MESSAGE)

/* Every kind of description; its table has the same name: X(KIND = TABLE) */
#define FRORE_KINDS(X) \
	X(FILE) \
	X(INHERIT) \
	X(TTY) \
	X(PIPE) \
	X(EVENTFD) \
	X(EPOLL) \
	X(TIMERFD) \
	X(SIGNALFD) \
	X(INOTIFY) \
	X(MEMFD) \
	X(PIDFD) \
	X(SOCKET) \
	X(HANGUP) \
	X(PTY)

#endif
