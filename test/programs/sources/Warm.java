import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Workers that mix numbers, strings and garbage for a fixed number of rounds; the checksum does not depend on time. */
public class Warm {
	static final int ROUNDS = 150;

	static long round(int worker, int round, Map<String, Long> kept) {
		long x = 0x9E3779B97F4A7C15L * (worker + 1) + round;
		List<byte[]> garbage = new ArrayList<>();
		for (int i = 0; i < 60_000; i++) {
			x ^= x << 13;
			x ^= x >>> 7;
			x ^= x << 17;
			if ((i & 255) == 0) {
				byte[] bytes = new byte[4096];
				bytes[(int) (x & 4095)] = (byte) x;
				garbage.add(bytes);
				kept.merge("key " + (x & 1023), x, (a, b) -> a * 31 + b);
			}
			x += (long) (Math.sqrt((double) (x & 0xffffff)) * 1000.0);
		}
		for (byte[] bytes : garbage) {
			for (byte b : bytes) {
				x = x * 31 + b;
			}
		}
		return x;
	}

	public static void main(String[] args) throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(2);
		List<Map<String, Long>> kept = List.of(new HashMap<>(), new HashMap<>());
		long sum = 0;
		for (int r = 0; r < ROUNDS; r++) {
			List<Callable<Long>> calls = new ArrayList<>();
			for (int w = 0; w < 2; w++) {
				int worker = w;
				int number = r;
				calls.add(() -> round(worker, number, kept.get(worker)));
			}
			for (Future<Long> result : pool.invokeAll(calls)) {
				sum = sum * 31 + result.get();
			}
			System.out.println("round " + r);
			Thread.sleep(10);
		}
		pool.shutdown();
		for (Map<String, Long> map : kept) {
			for (long value : map.values()) {
				sum += value;
			}
		}
		System.out.println("checksum " + Long.toHexString(sum));
		System.exit(5);
	}
}
