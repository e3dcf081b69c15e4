import type {RowOf} from '../../builder/format/schema.js';
import {constants, NONE} from '../../builder/format/schema.js';
import {type CaptureContext, type CapturedTask, contentKey} from './context.js';
import type {Image, Images} from './images.js';
import type {Mapping} from './parse/smaps.js';
import {anonymousName, deviceNumber, type MappingKind, mappingKind} from './parse/vmakind.js';
import {isResident} from './resident.js';
import {sharedContent, volatileContent} from './shared.js';

/** A captured mapping: its row, and what is needed to copy its pages. */
export interface CapturedVma {
	readonly row: RowOf<'vma'>;
	readonly mapping: Mapping;
	readonly image: Image | undefined;
}

const {VMA, VMA_FLAG} = constants;

const flagOf: Readonly<Record<string, number>> = {
	gd: VMA_FLAG.GROWSDOWN,
	nr: VMA_FLAG.NORESERVE,
	lo: VMA_FLAG.LOCKED,
	lf: VMA_FLAG.LOCKONFAULT,
	dc: VMA_FLAG.DONTFORK,
	wf: VMA_FLAG.WIPEONFORK,
	dd: VMA_FLAG.DONTDUMP,
	hg: VMA_FLAG.HUGEPAGE,
	nh: VMA_FLAG.NOHUGEPAGE,
	mg: VMA_FLAG.MERGEABLE,
	sr: VMA_FLAG.SEQUENTIAL,
	rr: VMA_FLAG.RANDOM,
	sl: VMA_FLAG.SEALED,
	dp: VMA_FLAG.DROPPABLE,
	sf: VMA_FLAG.SYNC,
};

/** Why a kind of mapping cannot be carried, and what to do. */
const refusals: Partial<Record<MappingKind, {what: string; why: string; hint: string}>> = {
	io_uring: {
		what: 'io_uring rings',
		why: 'requests in flight live in the kernel',
		hint: 'Start the program without io_uring (for node: UV_USE_IO_URING=0).',
	},
	aio: {
		what: 'AIO rings (io_setup)',
		why: 'the context lives in the kernel',
		hint: 'Start the program without native AIO.',
	},
	hugetlb: {
		what: 'hugetlb memory',
		why: 'the place of the resume may have no pool of huge pages',
		hint: 'Start the program without MAP_HUGETLB; transparent huge pages are carried.',
	},
	userfaultfd: {
		what: 'memory registered with userfaultfd',
		why: 'its handler would not be there',
		hint: 'Freeze it when the registration has ended.',
	},
	'shadow-stack': {
		what: 'a shadow stack',
		why: 'user space may not write one',
		hint: 'Start the program with GLIBC_TUNABLES=glibc.cpu.x86_shstk=off.',
	},
	device: {
		what: 'device memory',
		why: 'it belongs to hardware or to the kernel',
		hint: 'Freeze the program before it opens the device.',
	},
	sysv: {
		what: 'a System V shared memory segment',
		why: 'the kernel does not list it',
		hint: 'With --allow sysv its content is carried as memory without an id.',
	},
};

export function captureVmas(
	context: CaptureContext,
	task: CapturedTask,
	mm: number,
	mappings: readonly Mapping[],
	images: Images,
): CapturedVma[] {
	const found: CapturedVma[] = [];
	for (const mapping of mappings) {
		const kind = mappingKind(mapping);
		if (kind === 'kernel' || isResident(task, mapping)) {
			continue;
		}

		const captured = captureOne(context, task, mm, mapping, kind, mappings, images);
		if (captured) {
			context.snapshot.vma.push(captured.row);
			found.push(captured);
		}
	}

	return found;
}

function captureOne(
	context: CaptureContext,
	task: CapturedTask,
	mm: number,
	mapping: Mapping,
	kind: MappingKind,
	mappings: readonly Mapping[],
	images: Images,
): CapturedVma | undefined {
	const row = vmaRow(mm, mapping);
	const segment = kind === 'sysv' ? context.snapshot.shm.find(({id}) => BigInt(id) === BigInt(mapping.ino)) : undefined;
	if (segment) {
		row.kind = VMA.CONTENT_SHARED;
		row.source = segment.content;
		return {row, mapping, image: undefined};
	}

	const reason = refusals[kind];
	if (reason) {
		context.refuse({
			pid: task.innerPid,
			kind,
			text: `${reason.what} at ${row.start.toString(16)}-${row.end.toString(16)} (${mapping.path || 'unnamed'}): ${reason.why}`,
			hint: reason.hint,
		});
		if (kind !== 'sysv') {
			return {row, mapping, image: undefined};
		}
	}

	if (kind === 'file' && mapping.deleted && hasContent(context, mapping, mappings)) {
		// Its unmodified pages go on following what descriptors and shared mappings write.
		row.kind = VMA.CONTENT_PRIVATE;
		row.source = sharedContent(context, 'deleted-file', mapping);
		return {row, mapping, image: undefined};
	}

	switch (kind) {
		case 'file': {
			const image = images.get(task.pid, mapping);
			row.kind = mapping.shared ? VMA.FILE_SHARED : VMA.FILE_PRIVATE;
			row.source = image.row;
			if (mapping.shared) {
				volatileContent(context, image);
				row.flags |= isReadOnly(mapping) ? VMA_FLAG.READ_ONLY : 0;
			}

			return {row, mapping, image};
		}

		case 'shared-memory':
		case 'sysv':
		case 'memfd':
		case 'deleted-file':
			row.kind = mapping.shared ? VMA.CONTENT_SHARED : VMA.CONTENT_PRIVATE;
			row.source = sharedContent(context, kind, mapping);
			return {row, mapping, image: undefined};
		default:
			return {row, mapping, image: undefined};
	}
}

/** A shared mapping of a file that was opened for reading alone is as good as a private one: the program cannot write to it. */
const isReadOnly = (mapping: Mapping): boolean => !mapping.write && !mapping.flags.has('mw');

/** True for a deleted file that is open too, or mapped shared. */
const hasContent = (context: CaptureContext, mapping: Mapping, mappings: readonly Mapping[]): boolean =>
	context.knownContent(contentKey(deviceNumber(mapping.dev), mapping.ino)) !== undefined ||
	mappings.some((other) => other.shared && other.ino === mapping.ino && other.dev === mapping.dev);

/** VMA_FLAG_* that smaps tells of. */
export function flagsOf(mapping: Mapping): number {
	let flags = 0;
	for (const code of mapping.flags) {
		flags |= flagOf[code] ?? 0;
	}

	return flags;
}

function vmaRow(mm: number, mapping: Mapping): RowOf<'vma'> {
	const flags =
		flagsOf(mapping) | (mapping.path === '[heap]' ? VMA_FLAG.HEAP : mapping.path === '[stack]' ? VMA_FLAG.STACK : 0);
	return {
		start: mapping.start,
		end: mapping.end,
		offset: mapping.offset,
		mm,
		kind: VMA.ANON,
		prot: (mapping.read ? 1 : 0) | (mapping.write ? 2 : 0) | (mapping.execute ? 4 : 0),
		flags,
		source: NONE,
		pkey: mapping.pkey,
		window: NONE,
		pad0: 0,
		name: anonymousName(mapping.path),
		path: mapping.path,
	};
}
