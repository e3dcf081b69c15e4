// Goroutines, channels and timers; judges itself on SIGUSR1 as the programs of test/targets do.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const members = 1000

var failures int

func expect(right bool, format string, values ...any) {
	if !right {
		failures++
		fmt.Printf("FAIL go: "+format+"\n", values...)
	}
}

func main() {
	// A ring of goroutines, each waiting for its neighbour.
	first := make(chan int)
	last := first
	for i := 0; i < members; i++ {
		next := make(chan int)
		go func(in <-chan int, out chan<- int) {
			for n := range in {
				out <- n + 1
			}
			close(out)
		}(last, next)
		last = next
	}
	turn := func() int {
		first <- 0
		return <-last
	}
	expect(turn() == members, "the ring does not work at the start")

	// One goroutine computes without a rest, in the scheduler's time slices.
	var spun uint64
	go func() {
		for x := uint64(88172645463325252); ; {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			if x&0xfffff == 0 {
				runtime.Gosched()
			}
			atomic.AddUint64(&spun, 1)
		}
	}()

	started := time.Now()
	var early, late int32
	time.AfterFunc(time.Hour, func() { atomic.AddInt32(&early, 1) })
	soon := 300 * time.Millisecond
	time.AfterFunc(soon, func() { atomic.AddInt32(&late, 1) })
	table := map[int]string{}
	for i := 0; i < 50000; i++ {
		table[i] = fmt.Sprint("value ", i)
	}
	var group sync.WaitGroup
	var once sync.Once
	pid := os.Getpid()
	count := runtime.NumGoroutine()

	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGUSR1)
	fmt.Println("ready")
	ticker := time.NewTicker(20 * time.Millisecond)
	ticks := 0
	for waiting := true; waiting; {
		select {
		case <-ticker.C:
			ticks++
			fmt.Printf("beat %d\n", ticks)
		case <-told:
			waiting = false
		}
	}

	before := atomic.LoadUint64(&spun)
	<-ticker.C
	expect(turn() == members, "the ring gave another number")
	if left := soon - time.Since(started); left > 0 {
		time.Sleep(left)
	}
	time.Sleep(50 * time.Millisecond)
	expect(atomic.LoadInt32(&late) == 1, "the timer of 300 ms fired %d times", late)
	expect(atomic.LoadInt32(&early) == 0, "the timer of an hour fired")
	expect(time.Since(started) < time.Hour/2, "the monotonic clock jumped: %v", time.Since(started))
	expect(atomic.LoadUint64(&spun) > before, "the computing goroutine stands")
	runtime.GC()
	for i := 0; i < 50000; i++ {
		if table[i] != fmt.Sprint("value ", i) {
			expect(false, "table[%d] is %q", i, table[i])
			break
		}
	}
	for i := 0; i < 100; i++ {
		group.Add(1)
		go func() {
			once.Do(func() { runtime.LockOSThread() })
			group.Done()
		}()
	}
	group.Wait()
	expect(os.Getpid() == pid, "the pid is %d instead of %d", os.Getpid(), pid)
	expect(runtime.NumGoroutine() >= count, "%d goroutines instead of %d", runtime.NumGoroutine(), count)
	if failures > 0 {
		os.Exit(1)
	}
	fmt.Println("PASS go")
}
