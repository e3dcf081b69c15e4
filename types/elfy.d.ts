/** What we use of elfy 1.0.0, which has no types. Its addralign and entsize of ELF64 are wrong by 65536; do not use them. */
declare module 'elfy' {
	export interface Section {
		name: string;
		type: string;
		flags: Record<string, boolean>;
		addr: number;
		off: number;
		size: number;
		data: Buffer;
	}
	export interface Program {
		type: string | undefined;
		offset: number;
		vaddr: number;
		filesz: number;
		memsz: number;
		flags: Record<string, boolean>;
		data: Buffer;
	}
	export interface Elf {
		class: string;
		endian: string;
		type: string;
		machine: string;
		entry: number;
		phnum: number;
		shnum: number;
		body: {programs: Program[]; sections: Section[]};
	}
	const elfy: {parse(bytes: Buffer): Elf};
	export default elfy;
}
