import Glibc
import Synchronization
import Testing

@testable import CoveyRuntime

@Suite struct ExecutionTests {
    @Test(arguments: [1, 2, 7]) func parallelVisitsEveryIndexOnce(threads: Int) throws {
        let execution = Execution(try Context(threads: threads))
        let visits = Mutex([Int](repeating: 0, count: 1001))
        try execution.parallel(1001, grain: 10) { chunk, thread in
            #expect(thread < threads)
            visits.withLock { for index in chunk { $0[index] += 1 } }
        }
        #expect(visits.withLock { $0 } == [Int](repeating: 1, count: 1001))
    }

    @Test func firstErrorStopsAllThreads() throws {
        let execution = Execution(try Context(threads: 4))
        let started = Atomic<Int>(0)
        #expect(throws: CoveyError.invalidData("at 5")) {
            try execution.parallel(100_000) { chunk, _ in
                started.add(1, ordering: .relaxed)
                if chunk.lowerBound == 5 { throw CoveyError.invalidData("at 5") }
            }
        }
        #expect(started.load(ordering: .relaxed) < 100_000)
    }

    @Test func cancelStopsRunningCallsOnly() throws {
        let context = try Context(threads: 2)
        let running = Execution(context)
        context.cancel()
        #expect(throws: CoveyError.cancelled) { try running.check() }
        try Execution(context).check()
    }

    @Test func progressCallbackStopsTheCall() throws {
        let calls = Atomic<Int>(0)
        let context = try Context(threads: 2) { _, _ in
            calls.add(1, ordering: .relaxed)
            return true
        }
        #expect(throws: CoveyError.cancelled) {
            try Execution(context).parallel(10, stage: "test") { _, _ in }
        }
        #expect(calls.load(ordering: .relaxed) == 1)
    }

    /// The caller takes one of two chunks; the host hears of the other while it runs, and in the end stops it.
    @Test func hostIsToldWhileOtherThreadsEndTheirWork() throws {
        let isWaiting = Atomic<Bool>(false)
        let heard = Atomic<Int>(0)
        let context = try Context(threads: 2) { _, _ in
            guard isWaiting.load(ordering: .sequentiallyConsistent) else { return false }
            return heard.add(1, ordering: .sequentiallyConsistent).newValue == 3
        }
        let execution = Execution(context)
        let taken = Atomic<Int>(0)
        func waitUntil(_ isTrue: () throws -> Bool) rethrows {
            for _ in 0..<3000 where try !isTrue() { usleep(10_000) }
        }
        #expect(throws: CoveyError.cancelled) {
            try execution.parallel(2, stage: "test") { _, thread in
                taken.add(1, ordering: .sequentiallyConsistent)
                waitUntil { taken.load(ordering: .sequentiallyConsistent) == 2 }
                if thread == 0 {
                    isWaiting.store(true, ordering: .sequentiallyConsistent)
                } else {
                    try waitUntil {
                        try execution.check()
                        return false
                    }
                }
            }
        }
        #expect(heard.load(ordering: .sequentiallyConsistent) == 3)
    }

    /// The work waits until the host has heard of it three times; the host's wish to stop comes too late for it.
    @Test func hostIsToldOfWorkThatCannotBeStopped() throws {
        let heard = Atomic<Int>(0)
        let context = try Context(threads: 2) { _, _ in heard.add(1, ordering: .sequentiallyConsistent).newValue == 3 }
        var isDone = false
        let execution = Execution(context)
        try execution.aside {
            for _ in 0..<3000 where heard.load(ordering: .sequentiallyConsistent) < 3 { usleep(10_000) }
            isDone = true
        }
        #expect(isDone && heard.load(ordering: .sequentiallyConsistent) == 3)
        #expect(throws: CoveyError.cancelled) { try execution.aside { Issue.record("begun after the stop") } }
    }

    @Test(arguments: [0, 1, 65_536, 200_001], [1, 3]) func arraysAreMadeByAllThreads(count: Int, threads: Int) throws {
        let execution = Execution(try Context(threads: threads))
        #expect(try execution.array(count) { Int32($0) &* 3 } == (0..<Int32(count)).map { $0 &* 3 })
    }

    @Test func arraysAreNotMadeInStoppedCalls() throws {
        let context = try Context(threads: 2)
        let execution = Execution(context)
        context.cancel()
        #expect(throws: CoveyError.cancelled) { try execution.array(1000) { $0 } }
    }

    @Test func workOfCIsToldToStop() throws {
        let context = try Context(threads: 2)
        let execution = Execution(context)
        execution.withStop { stop, state in
            #expect(stop(state) == 0)
            context.cancel()
            #expect(stop(state) == 1)
        }
    }

    @Test func workWithoutAStageIsReportedAsTheLastOne() throws {
        let heard = Mutex<[String]>([])
        let context = try Context(threads: 2) { stage, fraction in
            heard.withLock { $0.append("\(stage) \(fraction)") }
            return false
        }
        let execution = Execution(context)
        try execution.report()
        for _ in 0..<3 {
            usleep(21_000)
            try execution.report()
        }
        usleep(21_000)
        try execution.report("test", 0.5)
        usleep(21_000)
        try execution.parallel(1) { _, _ in }
        try execution.report("test", 1)
        usleep(21_000)
        try execution.report()
        #expect(
            heard.withLock { $0 } == Array(repeating: "start 0.0", count: 4) + [
                "test 0.5", "test 0.5", "test 1.0", "test 1.0",
            ])
    }

    @Test func memoryBudgetIsHeld() throws {
        let execution = Execution(try Context(memoryBudget: 100))
        try execution.reserve(100, for: "a")
        #expect(throws: CoveyError.self) { try execution.reserve(101, for: "a") }
        #expect(throws: CoveyError.self) { try execution.reserve(Int.max, of: 2, for: "a") }
    }

    @Test func whatIsHeldCountsTogether() throws {
        let execution = Execution(try Context(memoryBudget: 100))
        try execution.hold(30, of: 2, for: "a")
        try execution.reserve(40, for: "b")
        #expect(throws: CoveyError.outOfMemory("b needs 41 bytes beside 60 in use, above the memory budget of 100")) {
            try execution.reserve(41, for: "b")
        }
        #expect(throws: CoveyError.outOfMemory("b needs 41 bytes beside 60 in use, above the memory budget of 100")) {
            try execution.hold(41, for: "b")
        }
        #expect(throws: CoveyError.self) { try execution.hold(Int.max, for: "b") }
        #expect(execution.memory.bytes == 60)
        execution.memory.release(60)
        try execution.hold(100, for: "c")
        #expect(try Execution(Context(memoryBudget: 100)).memory.bytes == 0)
    }

    @Test func threadsHoldTogetherNoMoreThanTheBudget() throws {
        let execution = Execution(try Context(threads: 4, memoryBudget: 1000))
        let refused = Atomic<Int>(0)
        try execution.parallel(20_000) { _, _ in
            do { try execution.hold(1, for: "a") } catch { refused.add(1, ordering: .relaxed) }
        }
        #expect(execution.memory.bytes == 1000 && refused.load(ordering: .relaxed) == 19_000)
    }

    /// A buffer of an earlier call that is freed later gives the call that runs now no memory back.
    @Test func restartLeavesEarlierBuffersToTheirCall() throws {
        let execution = Execution(try Context(memoryBudget: 1000))
        var earlier: HeldMemory? = try HeldMemory(400, for: "a buffer", execution)
        let uses = ObjectIdentifier(execution.memory)
        execution.restart()
        #expect(execution.memory.bytes == 0)
        try execution.hold(100, for: "a buffer")
        withExtendedLifetime(earlier) {}
        earlier = nil
        #expect(execution.memory.bytes == 100)
        #expect(throws: CoveyError.self) { try execution.hold(901, for: "a buffer") }
        try execution.hold(900, for: "a buffer")
        #expect(ObjectIdentifier(execution.memory) != uses)
        // Without such a buffer nothing is allocated.
        let now = ObjectIdentifier(execution.memory)
        execution.restart()
        #expect(execution.memory.bytes == 0 && ObjectIdentifier(execution.memory) == now)
    }
}
