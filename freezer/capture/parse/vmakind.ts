import type {Mapping} from './smaps.js';

/** What a mapping is, by its path and flags alone. */
export type MappingKind =
	/** The kernel's own: made anew by the kernel of the resume. */
	| 'kernel'
	| 'anonymous'
	| 'file'
	/** MAP_SHARED|MAP_ANONYMOUS, also of /dev/zero. */
	| 'shared-memory'
	| 'sysv'
	| 'memfd'
	| 'deleted-file'
	| 'io_uring'
	| 'aio'
	| 'hugetlb'
	| 'userfaultfd'
	| 'shadow-stack'
	| 'device';

const kernelNames = /^\[(vdso|vvar|vvar_vclock|vsyscall|uprobes|vectors|sigpage)\]$/;

export function mappingKind(mapping: Mapping): MappingKind {
	const {path, flags} = mapping;
	if (kernelNames.test(path)) {
		return 'kernel';
	}

	if (flags.has('ss')) {
		return 'shadow-stack';
	}

	if (flags.has('ht')) {
		return 'hugetlb';
	}

	if (flags.has('um') || flags.has('uw') || flags.has('ui')) {
		return 'userfaultfd';
	}

	if (path.startsWith('anon_inode:[io_uring]')) {
		return 'io_uring';
	}

	if (path === '/[aio]') {
		return 'aio';
	}

	if (path === '/dev/zero' || path.startsWith('[anon_shmem:')) {
		return mapping.shared ? 'shared-memory' : 'anonymous';
	}

	if (path.startsWith('anon_inode:') || flags.has('pf') || flags.has('io')) {
		return 'device';
	}

	if (path.startsWith('/SYSV') && mapping.deleted) {
		return 'sysv';
	}

	if (path.startsWith('/memfd:')) {
		return 'memfd';
	}

	if (path === '' || path.startsWith('[')) {
		return 'anonymous';
	}

	if (path.startsWith('/dev/') && !path.startsWith('/dev/shm/')) {
		return 'device';
	}

	return mapping.deleted && mapping.shared ? 'deleted-file' : 'file';
}

/** The name given by PR_SET_VMA_ANON_NAME. */
export const anonymousName = (path: string): string => /^\[anon(?:_shmem)?:([\s\S]*)\]$/.exec(path)?.[1] ?? '';

/** st_dev of the "major:minor" of maps, in the encoding of stat(2). */
export function deviceNumber(text: string): bigint {
	const [major = '0', minor = '0'] = text.split(':');
	const high = BigInt(`0x${major}`);
	const low = BigInt(`0x${minor}`);
	return (low & 0xffn) | (high << 8n) | ((low & ~0xffn) << 12n);
}
