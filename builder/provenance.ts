/** The stub's provenance note: read out of an ELF file, and compared with what the file holds. Needs Node (elfy does). */
import elfy from 'elfy';
import {damaged} from './errors.js';

export interface Provenance {
	/** SHA-256 of the stub's code and data, hexadecimal. */
	readonly sha256: string;
	readonly compiler: string;
	readonly flags: string;
	/** Version of frore that the stub belongs to. */
	readonly version: string;
	/** Third-party parts: name -> version, origin, licence. */
	readonly sources: Readonly<Record<string, string>>;
}

const NOTE_NAME = 'FRORE_PROVENANCE';
const HASHED = ['.text', '.rodata', '.data'];

const align4 = (n: number): number => Math.ceil(n / 4) * 4;

/** Descriptions of the notes in one PT_NOTE segment, by the name of their owner. */
function* notesIn(segment: Buffer): Generator<[name: string, description: Buffer]> {
	for (let at = 0; at + 12 <= segment.length; ) {
		const nameSize = segment.readUInt32LE(at);
		const size = segment.readUInt32LE(at + 4);
		const name = at + 12;
		const description = name + align4(nameSize);
		if (description + size > segment.length) return;
		yield [
			segment.toString('latin1', name, name + nameSize).replace(/\0+$/, ''),
			segment.subarray(description, description + size),
		];
		at = description + align4(size);
	}
}

/** The provenance note of a stub; undefined when there is none. */
export function findProvenance(elf: Buffer): Provenance | undefined {
	for (const program of elfy.parse(elf).body.programs) {
		if (program.type !== 'note') continue;
		for (const [name, description] of notesIn(program.data)) {
			if (name === NOTE_NAME) return JSON.parse(description.toString()) as Provenance;
		}
	}
	return undefined;
}

/** SHA-256 of the sections that hold the stub's code and data; ELF header and notes, which postject rewrites, are not among them. */
export async function loadedBytesHash(elf: Buffer): Promise<string> {
	const sections = elfy.parse(elf).body.sections;
	const parts = HASHED.map((name) => {
		const found = sections.find((section) => section.name === name);
		if (!found) throw new Error(`the stub has no section ${name}`);
		return found.data;
	});
	return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.concat(parts))).toString('hex');
}

/** The note of an artefact's stub, after comparing it with the stub's bytes; throws FroreError 'damaged' when they differ. */
export async function verifyStub(elf: Buffer, name: string): Promise<Provenance> {
	let note: Provenance | undefined;
	let hash: string | undefined;
	try {
		note = findProvenance(elf);
		hash = await loadedBytesHash(elf);
	} catch (error) {
		throw damaged(`${name} is damaged: its program cannot be read as ELF: ${(error as Error).message}`);
	}
	if (!note) throw damaged(`${name} is damaged: its program has no provenance note`);
	if (note.sha256 !== hash) throw damaged(`${name} is damaged: its program is not the one that its note describes`);
	return note;
}
