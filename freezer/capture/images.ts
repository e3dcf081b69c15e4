import {closeSync, constants as fsConstants, fstatSync, openSync, readSync} from 'node:fs';
import type {RowOf, Snapshot} from '../../builder/format/schema.js';
import {constants, NONE} from '../../builder/format/schema.js';
import type {PageRange} from '../sys/pagemap.js';
import type {Pid} from '../sys/types.js';
import type {Mapping} from './parse/smaps.js';
import {toBytes} from './text.js';

/** A file that mappings refer to. `fd` is ours, open for reading, or undefined when the very file cannot be opened any more. */
export interface Image {
	readonly row: number;
	readonly fd: number | undefined;
	readonly size: number;
	readonly embed: boolean;
	readonly elf: boolean;
	/** What mappings take from it unmodified, by file offset. */
	readonly wanted: PageRange[];
}

const ELF_LIMIT = 512 << 20;
const DATA_LIMIT = 64 << 20;

/** Files by device and inode, whichever process maps them; opened once, through that process's root directory. */
export class Images {
	readonly #known = new Map<string, Image>();

	constructor(readonly snapshot: Snapshot) {}

	get(pid: Pid, mapping: Mapping): Image {
		const key = `${mapping.dev}:${mapping.ino}:${mapping.path}`;
		const known = this.#known.get(key);
		if (known) {
			return known;
		}

		const image = this.#open(pid, mapping);
		this.#known.set(key, image);
		return image;
	}

	get all(): Iterable<Image> {
		return this.#known.values();
	}

	/** The content row that holds `range` of the file for whoever maps it. */
	want(image: Image, range: PageRange): number {
		const row = this.snapshot.image[image.row]!;
		image.wanted.push(range);
		if (row.pages === NONE) {
			row.pages =
				this.snapshot.content.push({
					size: row.size,
					kind: constants.CONTENT.IMAGE,
					seals: 0,
					mode: 0,
					memfd_flags: 0,
					uid: 0,
					gid: 0,
					name: row.path,
					xattr: new Uint8Array(),
				}) - 1;
		}

		const content = this.snapshot.content[row.pages]!;
		content.size = content.size > range.end ? content.size : range.end;
		return row.pages;
	}

	/** By path, for the exe link. */
	rowOfPath(path: string): number {
		const row = this.snapshot.image.findIndex((image) => image.path === path);
		return row < 0 ? NONE : row;
	}

	close(): void {
		for (const {fd} of this.#known.values()) {
			if (fd !== undefined) {
				closeSync(fd);
			}
		}

		this.#known.clear();
	}

	#open(pid: Pid, mapping: Mapping): Image {
		const opened = mapping.deleted ? undefined : openSame(pid, mapping);
		const stat = opened?.stat;
		const size = stat ? Number(stat.size) : 0;
		const elf = opened !== undefined && isElf(opened.fd);
		const embed = opened === undefined || size <= (elf ? ELF_LIMIT : DATA_LIMIT);
		const row: RowOf<'image'> = {
			ino: stat?.ino ?? mapping.ino,
			size: stat?.size ?? 0n,
			mtime_ns: stat?.mtimeNs ?? 0n,
			ctime_ns: stat?.ctimeNs ?? 0n,
			dev: stat?.dev ?? 0n,
			flags: (opened ? 0 : constants.IMAGE.DELETED) | (embed ? 0 : constants.IMAGE.NOT_EMBEDDED),
			content: NONE,
			pages: NONE,
			pad0: 0,
			path: mapping.path,
		};
		return {row: this.snapshot.image.push(row) - 1, fd: opened?.fd, size, embed, elf, wanted: []};
	}
}

/** The file of the mapping, if the path still leads to it. The device in maps differs from st_dev on btrfs and overlayfs: the inode decides. */
function openSame(pid: Pid, mapping: Mapping) {
	const path = Buffer.concat([Buffer.from(`/proc/${pid}/root`), toBytes(mapping.path)]);
	let fd: number;
	try {
		fd = openSync(path, fsConstants.O_RDONLY | fsConstants.O_NONBLOCK | fsConstants.O_NOCTTY);
	} catch {
		return undefined;
	}

	const stat = fstatSync(fd, {bigint: true});
	if (stat.ino === mapping.ino && stat.isFile()) {
		return {fd, stat};
	}

	closeSync(fd);
	return undefined;
}

function isElf(fd: number): boolean {
	const magic = Buffer.alloc(4);
	readSync(fd, magic, 0, 4, 0);
	return magic.equals(Buffer.from('\x7fELF', 'latin1'));
}
