import Foundation

/// What the app is doing; each state has a sentence.
public enum ScoringState: Sendable, Equatable {
    case notLoaded
    /// Core ML compiles the model for this phone: seconds, or minutes the first time.
    case preparing
    /// One of the phone's units is tried with the export's pictures.
    case auditioning(ComputeUnits)
    case warmingUp
    case ready(SelfTest)
    case scoring(photo: String)
    case failed(reason: String)

    public var title: String {
        switch self {
        case .notLoaded: "Not loaded"
        case .preparing: "Preparing"
        case .auditioning: "Audition"
        case .warmingUp: "Warming up"
        case .ready: "Ready"
        case .scoring: "Scoring"
        case .failed: "Failed"
        }
    }

    public var sentence: String {
        switch self {
        case .notLoaded: "No model is loaded yet."
        case .preparing: "Core ML is preparing the model for this device; the first time, this may take minutes."
        case .auditioning(let units):
            "Trying \(units.title) with the golden photo and generated pictures; once for each file, app and system."
        case .warmingUp: "The golden photo is being scored and compared with PyTorch."
        case .ready(let selfTest): selfTest.sentence
        case .scoring(let photo): "Scoring \(photo)."
        case .failed(let reason): reason
        }
    }

    public var isBusy: Bool {
        switch self {
        case .preparing, .auditioning, .warmingUp, .scoring: true
        case .notLoaded, .ready, .failed: false
        }
    }
}
