/** What we use of postject 1.0.0-alpha.6, which has no types. */
declare module 'postject' {
	export function inject(
		file: string,
		resourceName: string,
		data: Buffer,
		options?: {sentinelFuse?: string; overwrite?: boolean},
	): Promise<void>;
}
