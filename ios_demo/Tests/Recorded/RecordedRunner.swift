import Foundation
import LarIqaKit

/// Gives the scores that PyTorch gave the photos whose inputs Python made of exactly these pixels, and refuses any others:
/// a pixel of a view that is one level off fails the test. What a test wants to see beside it can be set.
public final class RecordedRunner: Runner {
    public let runtime = "recorded scores"
    private let scores: [String: Double]
    private let options: Options

    public struct Options: Sendable {
        /// Added to every score.
        public var error = 0.0
        /// What one of the phone's units does to a score: its inputs, the right score -> what it gives.
        public var faults: [ComputeUnits: Fault] = [:]
        /// What a unit takes for a run; elsewhere `milliseconds`. It is told, not waited for.
        public var toldMs: [ComputeUnits: Double] = [:]
        /// Of its first run, where that is slower.
        public var toldFirstMs: [ComputeUnits: Double] = [:]
        /// Units that do not open the model.
        public var closed: [ComputeUnits: Refusal] = [:]
        public var units = ComputeUnits.cpu
        /// Give inputs that are not recorded some score, for exports that name no golden photo.
        public var scoresAnything = false
        public var milliseconds: UInt64 = 0
        public var placement: [String: Int]?
        /// Holds every run until it is opened.
        public var gate: Gate?
        /// What opening the model ends in.
        public var refusal: Refusal?
        /// Told when a run begins and ends, to see that no two overlap.
        public var watch: Watch?

        public init() {}
    }

    public typealias Fault = @Sendable (ModelInputs, Double) -> Double
    private let runs = Counter()

    public init(_ artifact: Artifact, _ options: Options) throws {
        scores = try Vectors.recorded(artifact.input)
        self.options = options
    }

    public func run(_ inputs: ModelInputs) async throws -> Run {
        await options.watch?.begin()
        do {
            let run = try await score(inputs)
            await options.watch?.end()
            return run
        } catch {
            await options.watch?.end()
            throw error
        }
    }

    private func score(_ inputs: ModelInputs) async throws -> Run {
        try await options.gate?.pass()
        if options.milliseconds > 0 { try await Task.sleep(nanoseconds: options.milliseconds * 1_000_000) }
        try Task.checkCancellation()
        let recorded = scores[Vectors.key(inputs.images.mapValues { Sha256.of(Data($0.rgb)) })]
        guard let score = recorded ?? (options.scoresAnything ? 0.5 : nil) else {
            throw Refusal("no score is recorded for these inputs of a photo of \(inputs.size) px")
        }
        let given = options.faults[options.units].map { $0(inputs, score) } ?? score + options.error
        let isFirst = await runs.next() == 1
        let told = isFirst ? options.toldFirstMs[options.units] : nil
        let usual = options.toldMs[options.units] ?? Double(options.milliseconds)
        return Run(score: given, bufferMs: 1, inferenceMs: told ?? usual, postMs: 0)
    }

    public func placement() async -> [String: Int]? { options.placement }
}

/// Opens recorded scorers.
public struct RecordedOpener: ModelOpening {
    private let options: RecordedRunner.Options

    public init(_ options: RecordedRunner.Options = .init()) {
        self.options = options
    }

    public func open(_ artifact: Artifact, at url: URL, units: ComputeUnits) async throws -> any Runner {
        if let refusal = options.refusal { throw refusal }
        if let refusal = options.closed[units] { throw refusal }
        var options = options
        options.units = units
        return try RecordedRunner(artifact, options)
    }
}

/// Counts from 1.
private actor Counter {
    private var count = 0

    func next() -> Int {
        count += 1
        return count
    }
}

/// Lets a test decide when a run may go on.
public actor Gate {
    private var isOpen = false
    private var arrived = 0

    public init() {}

    public func open() { isOpen = true }

    public func close() { isOpen = false }

    /// How many runs have come.
    public var arrivedSoFar: Int { arrived }

    /// Until so many runs stand before the gate or have passed it.
    public func arrivals(_ count: Int) async throws {
        while arrived < count { try await Task.sleep(nanoseconds: 1_000_000) }
    }

    func pass() async throws {
        arrived += 1
        while !isOpen { try await Task.sleep(nanoseconds: 1_000_000) }
    }
}

/// Counts the runs, and how many of them overlap.
public actor Watch {
    private var running = 0
    public private(set) var most = 0
    public private(set) var runs = 0

    public init() {}

    func begin() {
        running += 1
        runs += 1
        most = max(most, running)
    }

    func end() { running -= 1 }
}

/// By how much a test has put a device's clock forward.
public final class PutForward: @unchecked Sendable {  // the figure is touched under the lock
    private let lock = NSLock()
    private var sum = 0.0

    public init() {}

    public var seconds: Double { lock.withLock { sum } }

    public func add(_ seconds: Double) { lock.withLock { sum += seconds } }
}

/// A device that becomes warm, with memory that grows by what a test says.
public final class FakeDevice: DeviceProbe {
    private let thermal: ThermalStatus
    private let lowPower: Bool
    private let charger: Bool
    private let system: String
    private let putForward: PutForward?
    private let start = ContinuousClock.now

    public init(
        thermal: ThermalStatus = .nominal, lowPower: Bool = false, charger: Bool = false, system: String = "iOS 0",
        putForward: PutForward? = nil
    ) {
        self.system = system
        self.putForward = putForward
        self.thermal = thermal
        self.lowPower = lowPower
        self.charger = charger
    }

    public func machine() -> MeasurementRow.Machine {
        .init(model: "iPhone0,0", system: system, cores: 6, memoryMib: 5600)
    }

    /// 100 MiB at first, one more each millisecond: the peak is the end.
    public func footprintMib() -> Double? {
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        return 100 + Double(seconds) * 1000 + Double(attoseconds) / 1e15
    }

    public func cpuMs() -> Double? { (footprintMib() ?? 0) * 2 }
    public func thermalStatus() -> ThermalStatus { thermal }
    public func lowPowerMode() -> Bool { lowPower }

    /// A clock that a test can put forward, so that no figure depends on how busy the machine is.
    public func seconds() -> Double {
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        return Double(seconds) + Double(attoseconds) / 1e18 + (putForward?.seconds ?? 0)
    }
    public func battery() async -> Battery? { Battery(percent: 80, onCharger: charger) }
}
