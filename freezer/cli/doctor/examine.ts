/** From tries and settings to findings: what works, what for, and what to do where it does not. */
import {errno, errnoName, errnoWords} from '../../sys/errno.js';
import {type Host, readHost} from './host.js';
import {runProbe, type Tries} from './probe.js';

export interface Finding {
	readonly id: string;
	readonly what: string;
	readonly purpose: string;
	readonly ok: boolean;
	/** required: without it nothing can be frozen or resumed; useful: something is lost or slower. */
	readonly need: 'required' | 'useful';
	/** Why not, or a remark. */
	readonly detail: string;
	/** Least privilege first. */
	readonly remedies: readonly string[];
}

export const examine = (): Finding[] => judge(runProbe(), readHost());

/** Pure: the tests give it tries and hosts. */
export function judge(tries: Tries, host: Host): Finding[] {
	const tried = (
		id: string,
		what: string,
		purpose: string,
		need: Finding['need'],
		remedies: readonly string[] = [],
	): Finding => {
		const error = tries.get(id) ?? -1;
		return {id, what, purpose, need, ok: error === 0, detail: error === 0 ? '' : reason(error), remedies};
	};
	const attach = ptraceRemedies(host);
	const namespaces = namespaceRemedies(host);
	const hostPids = tried('host-pids', 'choose pids here', 'resume with the old pids, without namespaces', 'useful');
	const ownPids = tried(
		'own-pids',
		'choose pids in own namespaces',
		'resume with the old pids',
		'required',
		namespaces,
	);
	return [
		tried('ptrace', 'trace a process of the same user', 'freeze it', 'required', attach),
		tried('ptrace-child', 'trace an own child', 'freeze what `frore run` started', 'useful', attach.slice(1)),
		tried('process-vm-readv', 'read its memory', 'freeze it', 'required', attach),
		tried('pidfd-getfd', 'take a copy of its descriptors', 'freeze it', 'required', attach),
		tried('kcmp', 'compare its descriptors', 'find shared files', 'useful', [
			'a kernel with CONFIG_KCMP; without it descriptors that share an offset are told apart by guessing',
		]),
		hostPids,
		// Whoever may choose pids in the host's namespace does without namespaces of its own.
		hostPids.ok ? {...ownPids, need: 'useful'} : ownPids,
		tried('user-namespace', 'user namespace', 'resume as an ordinary user', 'useful', namespaces),
		tried('pid-namespace', 'pid namespace', 'run one artefact several times at once', 'useful', namespaces),
		tried('mount-namespace', 'own /proc in it', 'let programs see their own pids there', 'useful', [
			...(host.container
				? ['start the container with an unmasked /proc (docker run --security-opt systempaths=unconfined)']
				: []),
			...namespaces,
		]),
		tried('time-namespace', 'time namespace', 'let the monotonic clock go on after a reboot', 'useful', [
			'a kernel with CONFIG_TIME_NS (5.6 or later)',
		]),
		tried('mm-map', 'set command line and heap (PR_SET_MM_MAP)', 'resume: ps shows the old command', 'required', [
			'a kernel with CONFIG_CHECKPOINT_RESTORE',
		]),
		tried('anon-name', 'name memory (PR_SET_VMA)', 'carry the names of mappings', 'useful', [
			'a kernel with CONFIG_ANON_VMA_NAME (5.17 or later); names are lost without it',
		]),
		tried('pagemap-scan', 'scan page tables (PAGEMAP_SCAN)', 'find pages faster', 'useful', [
			'Linux 6.7 or later; the slower way is taken without it',
		]),
		...memoryFindings(host),
	];
}

const MISSING: readonly number[] = [errno.ENOSYS, errno.EINVAL, errno.ENOTTY];

const reason = (error: number): string =>
	error < 0
		? 'could not be tried'
		: MISSING.includes(error)
			? `not offered by this kernel (${errnoName(error)})`
			: `${errnoWords(error)} (${errnoName(error)})`;

function ptraceRemedies({yama, container, uid}: Host): string[] {
	const asRoot = 'run frore as root: `sudo frore freeze PID`';
	if (container) return ['start the container with `--cap-add SYS_PTRACE`'];
	switch (yama) {
		case 1:
			return [
				'start the program with `frore run -- CMD ARG...`; it and its children can then be frozen',
				asRoot,
				'`sudo sysctl kernel.yama.ptrace_scope=0`: every process of a user may then attach to the others of that user',
			];
		case 2:
			return [asRoot, '`sudo sysctl kernel.yama.ptrace_scope=1`, and start programs with `frore run`'];
		case 3:
			return ['kernel.yama.ptrace_scope is 3: nothing can be traced before the next boot'];
		default:
			return uid === 0
				? ['a security module or seccomp filter forbids it: look at its log (`dmesg`, `journalctl`)']
				: ['start the program with `frore run -- CMD ARG...`', asRoot];
	}
}

function namespaceRemedies({usernsClone, maxUserNamespaces, appArmorRestrictsUserns, container}: Host): string[] {
	const capability = '`sudo setcap cap_checkpoint_restore+ep job.frore`: that one file may choose its pids';
	const remedies = [capability];
	if (appArmorRestrictsUserns) {
		remedies.push(
			'an AppArmor profile with `userns,` for that file',
			'`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`: for all programs',
		);
	}
	if (usernsClone === 0) remedies.push('`sudo sysctl kernel.unprivileged_userns_clone=1`: for all programs');
	if (maxUserNamespaces === 0) remedies.push('`sudo sysctl user.max_user_namespaces=10000`: for all programs');
	if (container) remedies.push('start the container with a seccomp profile that allows unshare(2) and clone3(2)');
	remedies.push('run the artefact as root', 'single-threaded programs: `./job.frore --pid renumber`');
	return remedies;
}

function memoryFindings({overcommit, hugePages, nodeHasAddressSpaceLimit}: Host): Finding[] {
	const setting = (
		id: string,
		what: string,
		purpose: string,
		ok: boolean,
		detail: string,
		remedy: string,
	): Finding => ({
		id,
		what,
		purpose,
		ok,
		need: 'useful',
		detail,
		remedies: [remedy],
	});
	return [
		setting(
			'overcommit',
			'memory may be overcommitted',
			'resume programs that reserve much and use little',
			overcommit !== 2,
			overcommit === undefined ? 'not known' : `vm.overcommit_memory is ${overcommit}`,
			'`sudo sysctl vm.overcommit_memory=0`',
		),
		setting(
			'huge-pages',
			'transparent huge pages',
			'fill large memory faster',
			hugePages === 'madvise' || hugePages === 'always',
			hugePages ? `set to ${hugePages}` : 'not offered by this kernel',
			'`echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled`',
		),
		setting(
			'address-space',
			'address space without limit',
			'resume programs with large mappings',
			!nodeHasAddressSpaceLimit,
			nodeHasAddressSpaceLimit ? 'limited' : '',
			'`ulimit -v unlimited`',
		),
	];
}
