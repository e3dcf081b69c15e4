export default {
	files: ['.build/test/**/*.test.js'],
	/** ptrace belongs to a thread, and round trips must not slow each other down. */
	workerThreads: false,
	concurrency: 1,
	timeout: '5m',
};
