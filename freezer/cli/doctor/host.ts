/** Settings of the machine, read only: they word the remedies, the tries decide. */
import {readFileSync} from 'node:fs';
import {release} from 'node:os';

export interface Host {
	readonly kernel: string;
	readonly uid: number;
	readonly yama: number | undefined;
	/** Debian's and older kernels' switch; undefined when there is none. */
	readonly usernsClone: number | undefined;
	readonly maxUserNamespaces: number | undefined;
	readonly appArmorRestrictsUserns: boolean;
	readonly overcommit: number | undefined;
	/** "always", "madvise" or "never". */
	readonly hugePages: string | undefined;
	/** A container, as far as can be seen. */
	readonly container: boolean;
	readonly seccompFilters: number;
	readonly nodeHasAddressSpaceLimit: boolean;
}

function text(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8').trim();
	} catch {
		return undefined;
	}
}

function number(path: string): number | undefined {
	const found = text(path);
	return found === undefined ? undefined : Number(found);
}

export function readHost(): Host {
	const status = text('/proc/self/status') ?? '';
	const limits = text('/proc/self/limits') ?? '';
	return {
		kernel: release(),
		uid: process.geteuid!(),
		yama: number('/proc/sys/kernel/yama/ptrace_scope'),
		usernsClone: number('/proc/sys/kernel/unprivileged_userns_clone'),
		maxUserNamespaces: number('/proc/sys/user/max_user_namespaces'),
		appArmorRestrictsUserns: number('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === 1,
		overcommit: number('/proc/sys/vm/overcommit_memory'),
		hugePages: /\[(\w+)\]/.exec(text('/sys/kernel/mm/transparent_hugepage/enabled') ?? '')?.[1],
		container: text('/.dockerenv') !== undefined || text('/run/.containerenv') !== undefined,
		seccompFilters: Number(/^Seccomp_filters:\s*(\d+)/m.exec(status)?.[1] ?? 0),
		nodeHasAddressSpaceLimit: !/^Max address space\s+unlimited/m.test(limits),
	};
}
