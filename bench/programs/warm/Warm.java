import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A program that has been running for a while: objects, text and numbers. Says "warm", then waits. */
public class Warm {
	record User(int id, String name, int visits, List<String> tags) {}

	public static void main(String[] args) throws InterruptedException {
		Map<Integer, User> users = new HashMap<>();
		List<String> log = new ArrayList<>();
		for (int id = 0; id < 300_000; id++) {
			String name = "user-" + Integer.toHexString((id * 0x9e3779b1) ^ (id << 7));
			users.put(id, new User(id, name, id % 97, List.of("t" + id % 13, "g" + id % 1009)));
			if (id % 5 == 0) log.add("{\"level\":\"info\",\"user\":\"" + name + "\",\"path\":\"/item/" + id * 31 % 4096 + "\"}");
		}
		double[] numbers = new double[1 << 20];
		for (int i = 0; i < numbers.length; i++) numbers[i] = Math.sin(i) * 1000;
		long sum = users.values().stream().mapToLong(user -> user.name().length()).sum() + log.size() + (long) numbers[7];
		System.out.println("warm " + sum);
		Thread.sleep(Long.MAX_VALUE);
	}
}
